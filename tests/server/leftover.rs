//! What a server that errs, forgets or lies leaves behind: it is found, removed, and reported.

use std::sync::Arc;
use std::time::Duration;

use osb_conformance::report::Verdict;
use osb_conformance::runner::RunnerOptions;
use serde_json::json;

use crate::bench::{Bench, KEY};
use crate::relay::{Act, Relay, is_deleted};
use crate::run::{COMMAND, run, run_with};

over! {
    keyed {
        a_server_that_fails_now_and_then_is_left_empty,
        a_sandbox_that_was_made_in_secret_is_removed,
        what_the_server_keeps_is_reported_and_removed,
        a_sandbox_that_outlives_its_removal_is_removed_again,
        pages_without_an_end_are_not_read_for_ever,
    }
    local { what_is_not_ours_stays_also_where_filters_are_ignored }
}

async fn a_server_that_fails_now_and_then_is_left_empty(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let (mut passed, mut failed) = (0, 0);
    for every in [2, 3, 5, 7] {
        relay.when(move |_, before| match (before.len() + 1) % every {
            0 => Act::Answer(
                500,
                "application/json",
                r#"{"code":"X","message":"now and then"}"#.into(),
            ),
            _ => Act::Pass,
        });
        let scenarios = ["a", "b", "c"].map(|name| (name, COMMAND));
        let outcome = run(&target, &scenarios).await;
        relay.heal();
        for report in &outcome.reports {
            match report.verdict {
                Verdict::Passed => passed += 1,
                Verdict::Failed => failed += 1,
                other => panic!("every {every}: {other}: {:#?}", report.findings),
            }
        }
        assert!(!outcome.told.contains(KEY));
        // The last look may have failed, too, and then says so.
        for words in outcome.left() {
            assert!(
                words.contains("now and then") || words.contains("was left behind"),
                "{words}"
            );
        }
        println!(
            "every {every}: {:?} within {:?}",
            outcome.summary.verdicts, outcome.duration
        );
        assert!(outcome.duration.as_secs() < 20);
        assert_eq!(bench.count().await, 0, "every {every}");
    }
    println!("{passed} passed, {failed} failed");
    assert!(failed > 0);
}

async fn a_sandbox_that_was_made_in_secret_is_removed(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    relay.when(|seen, _| match seen.is("POST", "/v1/sandboxes") {
        true => Act::Spoil(
            500,
            "application/json",
            r#"{"code":"X","message":"sorry"}"#.into(),
        ),
        false => Act::Pass,
    });
    let outcome = run(&target, &[("a", COMMAND), ("b", COMMAND)]).await;
    for name in ["a", "b"] {
        assert_eq!(outcome.verdict(name), Verdict::Failed);
        assert_eq!(
            outcome.of(name).findings.len(),
            1,
            "{:#?}",
            outcome.of(name).findings
        );
        assert!(outcome.finding(name).message.contains("500 X: sorry"));
    }
    assert_eq!(outcome.left(), Vec::<String>::new());
    let removed = relay
        .seen()
        .into_iter()
        .filter(|seen| seen.is_sandbox("DELETE"));
    assert_eq!(removed.count(), 2);
    assert_eq!(bench.count().await, 0);
}

async fn what_the_server_keeps_is_reported_and_removed(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    // It says that the sandbox is deleted and gone, until somebody looks at all there are.
    relay.when(|seen, before| {
        if before.iter().any(|seen| seen.is("GET", "/v1/sandboxes")) {
            return Act::Pass;
        }
        if seen.is_sandbox("DELETE") {
            return Act::Answer(204, "text/plain", String::new());
        }
        if seen.is_sandbox("GET") && is_deleted(before) {
            let gone = r#"{"code":"NOT_FOUND","message":"gone"}"#;
            return Act::Answer(404, "application/json", gone.into());
        }
        Act::Pass
    });
    let outcome = run(&target, &[("a", COMMAND)]).await;
    assert_eq!(outcome.verdict("a"), Verdict::Passed);
    let [words] = &outcome.summary.leaked[..] else {
        panic!("{:?}", outcome.summary.leaked)
    };
    assert!(
        words.starts_with("sandbox osb-") && words.contains("was left behind"),
        "{words}"
    );
    assert!(!outcome.summary.is_success());
    assert_eq!(bench.count().await, 0);
}

async fn a_sandbox_that_outlives_its_removal_is_removed_again(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    relay.when(
        |seen, before| match seen.is_sandbox("DELETE") && !is_deleted(before) {
            true => Act::Answer(204, "text/plain", String::new()),
            false => Act::Pass,
        },
    );
    let kill = "local s = Sandbox.create {}\ns:kill()";
    let short = |options: &mut RunnerOptions| options.timeout = Duration::from_secs(2);
    let outcome = run_with(&target, short, &mut |_| (), &[("kill", kill)]).await;
    let finding = outcome.finding("kill");
    assert_eq!(
        (finding.verdict, finding.kind),
        (Verdict::Failed, "timeout")
    );
    assert!(finding.message.contains("sandbox:kill"), "{finding:?}");
    assert_eq!(outcome.left(), Vec::<String>::new());
    assert!(outcome.duration.as_secs() < 10, "{:?}", outcome.duration);
    assert_eq!(bench.count().await, 0);
}

async fn pages_without_an_end_are_not_read_for_ever(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let page = |id: &str| {
        let sandbox = json!({
            "id": id, "status": {"state": "Running"}, "entrypoint": ["x"],
            "createdAt": "2026-01-01T00:00:00Z", "metadata": {"not": "ours"},
        });
        let pagination = json!({
            "page": 1, "pageSize": 100, "totalItems": 1, "totalPages": 1, "hasNextPage": true,
        });
        json!({"items": [sandbox], "pagination": pagination}).to_string()
    };
    // The same page again and again, and always another.
    for is_same in [true, false] {
        relay.when(move |seen, before| {
            let id = match is_same {
                true => "same".to_owned(),
                false => format!("id-{}", before.len()),
            };
            match seen.is("GET", "/v1/sandboxes") {
                true => Act::Answer(200, "application/json", page(&id)),
                false => Act::Pass,
            }
        });
        let outcome = run(&target, &[("a", COMMAND)]).await;
        assert_eq!(outcome.verdict("a"), Verdict::Passed);
        match is_same {
            true => assert_eq!(outcome.left(), Vec::<String>::new()),
            false => assert!(outcome.summary.unsettled[0].contains("cannot look for what run")),
        }
        assert!(
            outcome.duration < Duration::from_secs(30),
            "{:?}",
            outcome.duration
        );
        assert_eq!(bench.count().await, 0);
    }
}

async fn what_is_not_ours_stays_also_where_filters_are_ignored(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let metadata = json!({
        "io.osb-conformance.run": "0123abcd", "io.osb-conformance.name": "osb-0123abcd-1",
        "io.osb-conformance.pid": "1", "io.osb-conformance.host": "elsewhere",
    });
    let others = [
        bench.create(json!({})).await,
        bench.create(json!({"metadata": metadata})).await,
    ];
    // A sandbox is made in secret, and whoever looks for it is shown every one there is.
    relay.when(|seen, _| match seen.method.as_str() {
        "POST" if seen.is("POST", "/v1/sandboxes") => Act::Spoil(500, "text/plain", "no".into()),
        "GET" if seen.is("GET", "/v1/sandboxes") => Act::Divert("/v1/sandboxes?pageSize=100"),
        _ => Act::Pass,
    });
    let outcome = run(&target, &[("a", COMMAND), ("b", COMMAND)]).await;
    assert_eq!(outcome.verdict("a"), Verdict::Failed);
    assert_eq!(outcome.left(), Vec::<String>::new());
    let deleted = relay
        .seen()
        .into_iter()
        .filter(|seen| seen.is_sandbox("DELETE"));
    assert_eq!(deleted.count(), 2);
    assert_eq!(bench.count().await, 2);
    for other in others {
        assert_eq!(bench.out(&other, "echo here").await, "here\n");
    }
}
