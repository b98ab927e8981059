//! The life of a sandbox.

use crate::bench::{Bench, claim};
use jiff::{SignedDuration, Timestamp};
use osb_conformance::execd::Command;
use osb_conformance::sandbox::{
    CreateSandboxRequest, ImageSpec, ListQuery, RenewRequest, ResourceLimits, SandboxState,
};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::{Handle, Owner, Resource, Target, TargetError};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_lifecycle_follows_the_specification() {
    let Some(bench) = Bench::new().await else {
        return;
    };
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
    let limit = sandbox.out("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true").await;
    assert_eq!(limit.trim(), "134217728");
    sandbox
        .out("(while true; do echo x >> /tmp/count; sleep 0.02; done) >/dev/null 2>&1 &")
        .await;
    target.pause(&sandbox.id).await.unwrap();
    assert_eq!(
        target.get(&sandbox.id).await.unwrap().status.state,
        SandboxState::Paused
    );
    assert_eq!(code(target.pause(&sandbox.id).await.unwrap_err()).0, 409);
    let refused = sandbox
        .execd
        .run(&Command {
            command: "true".into(),
            ..Command::default()
        })
        .await
        .unwrap_err();
    assert!(refused.to_string().starts_with("409"), "{refused}");
    target.resume(&sandbox.id).await.unwrap();
    assert_eq!(code(target.resume(&sandbox.id).await.unwrap_err()).0, 409);
    sandbox.out("wc -l < /tmp/count").await;
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
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        while target.get(&ended.id).await.unwrap().status.state != state {
            assert!(
                std::time::Instant::now() < patience,
                "{program} is not {state}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(code(target.pause(&ended.id).await.unwrap_err()).0, 409);
        target.delete(&ended.id).await.unwrap();
    }
    bench.end().await;
}

/// A minute of the sandbox's life passes at once: the engine is real, the clock of its timer is
/// not.
#[tokio::test]
async fn a_timeout_ends_the_sandbox_and_its_volume() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let (volume, other) = (bench.name().await, bench.name().await);
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
        || bench.target.volume_exists(&volume).await.unwrap()
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
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_carries_the_runs_mark_is_removed() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let volume = bench.volume(&[]).await;
    let stranger = Owner::this_process();
    bench
        .target
        .remove(&stranger.run, &Resource::Volume(volume.clone()))
        .await
        .unwrap();
    assert!(bench.target.volume_exists(&volume).await.unwrap());
    let sandbox = bench.create(json!({})).await;
    let other = DockerTarget::connect(DockerConfig::default())
        .await
        .unwrap();
    for resource in bench.remains().await {
        other.remove(&stranger.run, &resource).await.unwrap();
        other
            .remove(&bench.owner.run, &Resource::Volume("no-such-volume".into()))
            .await
            .unwrap();
    }
    assert_eq!(
        bench.target.get(&sandbox.id).await.unwrap().status.state,
        SandboxState::Running
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_its_own_image_and_limits() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let request = CreateSandboxRequest {
        image: Some(ImageSpec {
            uri: "NOT/valid".into(),
            auth: None,
        }),
        entrypoint: Some(vec!["true".into()]),
        resource_limits: Some(ResourceLimits::default()),
        ..CreateSandboxRequest::default()
    };
    let handle = Handle {
        owner: bench.owner.clone(),
        name: bench.name().await,
    };
    let error = bench.target.create(&handle, &request).await.unwrap_err();
    assert!(
        (400..=500).contains(&error.api().unwrap().status),
        "{error}"
    );
    assert_eq!(bench.remains().await, []);
    bench.end().await;
}
