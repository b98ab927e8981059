//! A server that goes in the middle of a run, and one that comes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use osb_conformance::report::{Event, Verdict};
use osb_conformance::runner::RunnerOptions;
use tokio::runtime::Handle;

use crate::bench::Bench;
use crate::relay::Relay;
use crate::run::{COMMAND, run_with};

over! {
    local {
        a_server_that_starts_anew_on_its_port_is_found_again,
        a_server_that_breaks_off_is_no_judge_of_what_follows,
    }
}

/// Waits inside of a sandbox, for longer than anybody waits for it.
const WAITS: &str = "local s = Sandbox.create {}\ns.commands:run('sleep 600')";

/// One scenario after another.
fn in_order(options: &mut RunnerOptions) {
    options.jobs = 1;
    options.timeout = Duration::from_secs(20);
}

fn is_over(event: &Event<'_>, name: &str) -> bool {
    matches!(event, Event::ScenarioFinished(report) if report.scenario.path() == name)
}

/// Waits until a command runs in a sandbox of the server.
async fn until_waiting(bench: &Bench) {
    loop {
        let page = bench.http().get("/v1/sandboxes?state=Running").await.json();
        if let Some(id) = page["items"][0]["id"].as_str() {
            let found = bench
                .out(id, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
                .await;
            if found.contains("sleep 600") {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn a_server_that_starts_anew_on_its_port_is_found_again(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let first = Arc::clone(&bench);
    let stopping = tokio::spawn(async move {
        until_waiting(&first).await;
        first.stop().await
    });
    let second = Mutex::new(None);
    let mut tell = |event: &Event<'_>| {
        // Between the last that finds nobody and the next.
        if is_over(event, "b.lua") {
            let started = tokio::task::block_in_place(|| Handle::current().block_on(bench.again()));
            *second.lock().unwrap() = Some(started);
        }
    };
    let scenarios = [("a", WAITS), ("b", COMMAND), ("c", COMMAND)];
    let outcome = run_with(&target, in_order, &mut tell, &scenarios).await;
    assert_eq!(stopping.await.unwrap(), Vec::<String>::new());
    // It loses its sandbox, or its server, whichever is noticed first.
    assert!(
        !outcome.verdict("a").is_good(),
        "{:?}",
        outcome.of("a").findings
    );
    let finding = outcome.finding("b");
    assert_eq!(
        (finding.verdict, finding.kind),
        (Verdict::Errored, "target"),
        "{finding:?}"
    );
    assert!(
        finding.message.contains("is it running there?"),
        "{finding:?}"
    );
    assert_eq!(
        outcome.verdict("c"),
        Verdict::Passed,
        "{:?}",
        outcome.of("c").findings
    );
    assert!(
        outcome.duration < Duration::from_secs(20),
        "{:?}",
        outcome.duration
    );
    assert_eq!(outcome.left(), Vec::<String>::new());
    let second = second.lock().unwrap().take().unwrap();
    assert_eq!(second.count().await, 0);
    second.end().await;
}

async fn a_server_that_breaks_off_is_no_judge_of_what_follows(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let url = relay.url();
    let target = bench.connect(&url, |_| ()).await.unwrap();
    let server = Arc::clone(&bench);
    let breaking = tokio::spawn(async move {
        until_waiting(&server).await;
        drop(relay);
    });
    let scenarios = [("a", WAITS), ("b", COMMAND)];
    let outcome = run_with(&target, in_order, &mut |_| (), &scenarios).await;
    breaking.await.unwrap();
    // Nobody can say what became of the command.
    let finding = outcome.finding("a");
    assert_eq!(
        (finding.verdict, finding.kind),
        (Verdict::Errored, "target"),
        "{finding:?}"
    );
    let finding = outcome.finding("b");
    assert_eq!(
        (finding.verdict, finding.kind),
        (Verdict::Errored, "target"),
        "{finding:?}"
    );
    // That nobody can look is no leak.
    assert_eq!(outcome.summary.leaked, Vec::<String>::new());
    let [words] = &outcome.summary.unsettled[..] else {
        panic!("{:?}", outcome.summary.unsettled)
    };
    assert!(
        words.contains("cannot look for what run") && words.contains("clean"),
        "{words}"
    );
    assert!(
        outcome.duration < Duration::from_secs(20),
        "{:?}",
        outcome.duration
    );
}
