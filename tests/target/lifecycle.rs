//! The life of a sandbox.

use crate::bench::{Bench, claim, pvc, shell};
use jiff::{SignedDuration, Timestamp};
use osb_conformance::sandbox::{ListQuery, RenewRequest, SandboxState};
use osb_conformance::target::{Owner, Resource, TargetError};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

on_every_target! {
    the_lifecycle_follows_the_specification,
    a_pause_stops_all_progress,
    sandboxes_at_once_share_a_claim,
    an_entrypoint_that_cannot_be_started_leaves_nothing,
    an_entrypoint_that_ends_at_once_was_there,
    only_what_carries_the_runs_mark_is_removed,
}

async fn the_lifecycle_follows_the_specification(bench: Bench) {
    let target = &bench.target;
    let code = |error: TargetError| error.api().map(|e| (e.status, e.code.clone())).unwrap();
    let sandbox = bench.create(json!({"metadata": {"team": "a"}, "resourceLimits": {"memory": "128Mi", "cpu": "250m"}})).await;
    let info = target.get(&sandbox.id).await.unwrap();
    assert_eq!(info.status.state, SandboxState::Running);
    assert_eq!(
        info.expires_at.unwrap().duration_since(info.created_at),
        SignedDuration::from_secs(600)
    );
    assert_eq!(info.entrypoint, ["tail", "-f", "/dev/null"]);
    target.pause(&sandbox.id).await.unwrap();
    assert_eq!(
        target.get(&sandbox.id).await.unwrap().status.state,
        SandboxState::Paused
    );
    assert_eq!(code(target.pause(&sandbox.id).await.unwrap_err()).0, 409);
    let refused = sandbox.try_run(shell("true")).await.unwrap_err();
    assert!(refused.to_string().starts_with("409"), "{refused}");
    target.resume(&sandbox.id).await.unwrap();
    assert_eq!(code(target.resume(&sandbox.id).await.unwrap_err()).0, 409);
    sandbox.out("true").await;
    let at = |seconds| RenewRequest {
        expires_at: Timestamp::now() + SignedDuration::from_secs(seconds),
    };
    let renewed = target.renew(&sandbox.id, &at(1200)).await.unwrap();
    assert_eq!(
        target.get(&sandbox.id).await.unwrap().expires_at,
        Some(renewed.expires_at)
    );
    assert_eq!(
        code(target.renew(&sandbox.id, &at(900)).await.unwrap_err()),
        (400, "DOCKER::EXPIRATION_NOT_EXTENDED".into())
    );
    assert_eq!(
        code(target.renew(&sandbox.id, &at(-5)).await.unwrap_err()).0,
        400
    );
    let patch = BTreeMap::from([("team".into(), None), ("z".into(), Some("1".into()))]);
    let patched = target.patch_metadata(&sandbox.id, &patch).await.unwrap();
    assert_eq!(
        patched.metadata,
        Some(BTreeMap::from([("z".into(), "1".into())]))
    );
    let bad = BTreeMap::from([
        ("y".into(), Some("2".into())),
        ("opensandbox.io/x".into(), None),
    ]);
    assert_eq!(
        code(target.patch_metadata(&sandbox.id, &bad).await.unwrap_err()).0,
        400
    );
    let query = ListQuery {
        metadata: BTreeMap::from([("z".into(), "1".into())]),
        ..ListQuery::default()
    };
    assert_eq!(target.list(&query).await.unwrap().pagination.total_items, 1);
    let endless = bench.create(json!({"timeout": null})).await;
    assert_eq!(
        code(target.renew(&endless.id, &at(900)).await.unwrap_err()).0,
        409
    );
    target.pause(&endless.id).await.unwrap();
    target.delete(&endless.id).await.unwrap();
    for error in [
        target.delete(&endless.id).await.unwrap_err(),
        target.get(&endless.id).await.unwrap_err(),
        target.pause(&endless.id).await.unwrap_err(),
        target.renew(&endless.id, &at(900)).await.unwrap_err(),
    ] {
        assert_eq!(code(error), (404, "DOCKER::SANDBOX_NOT_FOUND".into()));
    }
    for (program, state) in [
        ("exit 0", SandboxState::Terminated),
        ("exit 3", SandboxState::Failed),
    ] {
        let ended = bench
            .create(json!({"entrypoint": ["sh", "-c", program]}))
            .await;
        bench.until(&ended.id, state).await;
        assert_eq!(code(target.pause(&ended.id).await.unwrap_err()).0, 409);
        target.delete(&ended.id).await.unwrap();
    }
}

mod still {
    on_every_target! { flavor = "current_thread"; a_timeout_ends_the_sandbox_and_its_volume }
    use super::a_timeout_ends_the_sandbox_and_its_volume;
}

/// A minute of the sandbox's life passes at once: the target is real, the clock of its timer is
/// not.
async fn a_timeout_ends_the_sandbox_and_its_volume(bench: Bench) {
    let (volume, other) = (bench.name(), bench.name());
    let mut body = claim(&volume, json!({"deleteOnSandboxTermination": true}));
    body["timeout"] = json!(60);
    let sandbox = bench.create(body).await;
    let mut body = claim(&other, json!({}));
    body["timeout"] = json!(60);
    let renewed = bench.create(body).await;
    let later = RenewRequest {
        expires_at: Timestamp::now() + SignedDuration::from_secs(300),
    };
    bench.target.renew(&renewed.id, &later).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while bench.target.get(&sandbox.id).await.is_ok()
        || bench
            .target
            .volume_exists(&bench.owner, &volume)
            .await
            .unwrap()
    {
        assert!(std::time::Instant::now() < patience, "it did not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        bench.target.get(&renewed.id).await.unwrap().status.state,
        SandboxState::Running
    );
    assert_eq!(
        bench.remains().await.len(),
        2,
        "the renewed sandbox and its volume"
    );
}

async fn a_pause_stops_all_progress(bench: Bench) {
    let volume = bench.volume(&[]).await;
    let sandbox = bench.create(pvc(&volume, json!({}))).await;
    // Three that count: a child, one in a session of its own, and one that was abandoned.
    let count = |name: &str| format!("while :; do echo x >> /mnt/data/{name}; sleep 0.01; done");
    let begin = format!(
        "({}) >/dev/null 2>&1 & setsid sh -c '{}' >/dev/null 2>&1 & (setsid sh -c '{}' >/dev/null 2>&1 &)",
        count("a"),
        count("b"),
        count("c")
    );
    sandbox.out(&begin).await;
    let counts = async || {
        let mut counts = Vec::new();
        for name in ["a", "b", "c"] {
            counts.push(bench.read(&volume, name).await.unwrap_or_default().len());
        }
        counts
    };
    // Waits until every one has gone on from `before`.
    let go_on = async |before: Vec<usize>| {
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        while counts()
            .await
            .iter()
            .zip(&before)
            .any(|(now, before)| now <= before)
        {
            assert!(std::time::Instant::now() < patience, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    go_on(vec![0; 3]).await;
    for _ in 0..3 {
        bench.target.pause(&sandbox.id).await.unwrap();
        let before = counts().await;
        // That nothing happens can only be seen in time that passes.
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(counts().await, before);
        let refused = sandbox
            .try_run(shell("true"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("409 DOCKER::SANDBOX_NOT_RUNNING"),
            "{refused}"
        );
        bench.target.resume(&sandbox.id).await.unwrap();
        go_on(before).await;
    }
    bench.target.pause(&sandbox.id).await.unwrap();
    bench.target.delete(&sandbox.id).await.unwrap();
    assert_eq!(bench.remains().await, [Resource::Volume(volume)]);
}

async fn sandboxes_at_once_share_a_claim(bench: Bench) {
    let volume = bench.name();
    let sandboxes: Vec<_> = (0..4)
        .map(|_| {
            let (bench, volume) = (bench.clone(), volume.clone());
            tokio::spawn(async move { bench.create(claim(&volume, json!({}))).await })
        })
        .collect();
    let mut made = Vec::new();
    for sandbox in sandboxes {
        made.push(sandbox.await.unwrap());
    }
    for (number, sandbox) in made.iter().enumerate() {
        sandbox
            .out(&format!("echo {number} > /mnt/data/{number}"))
            .await;
    }
    for sandbox in &made {
        assert_eq!(sandbox.out("cat /mnt/data/?").await, "0\n1\n2\n3\n");
    }
    assert_eq!(bench.remains().await.len(), 5);
}

async fn an_entrypoint_that_cannot_be_started_leaves_nothing(bench: Bench) {
    for entrypoint in [
        "/no/such/program",
        "no-such-program",
        "/etc",
        "/etc/hostname",
    ] {
        let body = json!({"entrypoint": [entrypoint], "volumes": claim(&bench.name(), json!({}))["volumes"]});
        let error = bench.refused(body).await;
        let code = (error.status, error.code.as_str());
        assert_eq!(code, (500, "DOCKER::SANDBOX_START_FAILED"), "{entrypoint}");
        let names_it = error
            .message
            .contains(&format!("the entrypoint \"{entrypoint}\": "));
        assert!(names_it, "{}", error.message);
        assert_eq!(bench.remains().await, []);
        assert_eq!(bench.state(), Vec::<std::path::PathBuf>::new());
    }
}

/// However soon the end comes, the sandbox was there and says how it ended.
async fn an_entrypoint_that_ends_at_once_was_there(bench: Bench) {
    let rounds = if bench.is_docker() { 3 } else { 40 };
    for round in 0..rounds {
        let (program, state) = match round % 3 {
            0 => (json!(["true"]), SandboxState::Terminated),
            1 => (json!(["false"]), SandboxState::Failed),
            _ => (json!(["sh", "-c", "kill -9 $$"]), SandboxState::Failed),
        };
        let ended = bench.create(json!({"entrypoint": program})).await;
        bench.until(&ended.id, state).await;
        let refused = ended.try_run(shell("true")).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("409 DOCKER::SANDBOX_NOT_RUNNING"),
            "{refused}"
        );
        bench.target.delete(&ended.id).await.unwrap();
    }
}

async fn only_what_carries_the_runs_mark_is_removed(bench: Bench) {
    let volume = bench.volume(&[]).await;
    let stranger = Owner::this_process();
    let remove = async |run, resource: &Resource| bench.target.remove(run, resource).await.unwrap();
    remove(&stranger.run, &Resource::Volume(volume.clone())).await;
    assert!(
        bench
            .target
            .volume_exists(&bench.owner, &volume)
            .await
            .unwrap()
    );
    let sandbox = bench.create(json!({})).await;
    let other = bench.another().await;
    for resource in bench.remains().await {
        other.remove(&stranger.run, &resource).await.unwrap();
    }
    for kind in [Resource::Sandbox, Resource::Volume] {
        let nothing = kind("no-such-thing".into());
        remove(&bench.owner.run, &nothing).await;
        other.remove(&bench.owner.run, &nothing).await.unwrap();
    }
    let state = bench.target.get(&sandbox.id).await.unwrap().status.state;
    assert_eq!(state, SandboxState::Running);
    assert_eq!(bench.remains().await.len(), 2);
}
