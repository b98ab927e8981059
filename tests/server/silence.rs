//! Servers that answer slowly, or not at all: a scenario ends when its time is over.

use std::sync::Arc;
use std::time::Duration;

use osb_conformance::report::Verdict;
use osb_conformance::runner::RunnerOptions;

use crate::bench::Bench;
use crate::relay::{Act, Relay, Seen};
use crate::run::{COMMAND, Outcome, run_seeds, run_with};

over! {
    keyed {
        slow_answers_are_waited_for,
        a_command_that_is_never_answered_ends_with_its_scenario,
        a_look_that_is_never_answered_ends_with_its_scenario,
        a_stream_that_falls_silent_ends_with_its_scenario,
    }
}

async fn slow_answers_are_waited_for(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    relay.when(|_, _| Act::Late(Duration::from_millis(200)));
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let outcome = run_seeds(&target).await;
    outcome.all_pass();
    println!(
        "{} scenarios within {:?}",
        outcome.reports.len(),
        outcome.duration
    );
}

fn short(options: &mut RunnerOptions) {
    options.timeout = Duration::from_secs(1);
}

async fn judge(
    bench: &Bench,
    body: &str,
    call: &str,
    fault: impl Fn(&Seen, &[Seen]) -> Act + Send + Sync + 'static,
) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    relay.when(fault);
    let scenarios = [("a", body), ("b", body), ("c", "say('d')")];
    let outcome = run_with(&target, short, &mut |_| (), &scenarios).await;
    println!("ended within {:?}", outcome.duration);
    for name in ["a", "b"] {
        let finding = outcome.finding(name);
        assert_eq!(
            (finding.verdict, finding.kind),
            (Verdict::Failed, "timeout"),
            "{finding:?}"
        );
        let says = format!("{call} did not return within the scenario's 1 s");
        assert_eq!(finding.message, says);
        assert!(finding.location.is_some(), "{finding:?}");
    }
    assert_eq!(outcome.verdict("c"), Verdict::Passed);
    assert_eq!(outcome.left(), Vec::<String>::new());
    assert!(
        outcome.duration < Duration::from_secs(10),
        "{:?}",
        outcome.duration
    );
    assert_eq!(bench.count().await, 0);
}

async fn a_command_that_is_never_answered_ends_with_its_scenario(bench: Arc<Bench>) {
    let hang = |seen: &Seen, _: &[Seen]| match seen.is_command() {
        true => Act::Hang,
        false => Act::Pass,
    };
    judge(&bench, COMMAND, "sandbox.commands:run", hang).await;
}

async fn a_look_that_is_never_answered_ends_with_its_scenario(bench: Arc<Bench>) {
    let body = "local s = Sandbox.create { metadata = { a = 'b' } }\ns:patch_metadata { a = 'c' }";
    let hang = |seen: &Seen, _: &[Seen]| match seen.method.as_str() {
        "PATCH" => Act::Hang,
        _ => Act::Pass,
    };
    judge(&bench, body, "sandbox:patch_metadata", hang).await;
}

async fn a_stream_that_falls_silent_ends_with_its_scenario(bench: Arc<Bench>) {
    let body = "local s = Sandbox.create {}\ns.commands:run('echo begun; sleep 600')";
    judge(&bench, body, "sandbox.commands:run", |_, _| Act::Pass).await;
}

/// Runs one scenario against a server that does only what `fault` lets it do, to the run's own end.
async fn run_out(fault: impl Fn(&Seen, &[Seen]) -> Act + Send + Sync + 'static) -> (Outcome, u64) {
    let bench = Bench::local().await.expect("this machine's own sandboxes");
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    relay.when(fault);
    let outcome = run_with(&target, short, &mut |_| (), &[("a", COMMAND)]).await;
    println!(
        "ended within {:?}: {:#?}",
        outcome.duration,
        outcome.of("a").findings
    );
    println!("{:#?}", outcome.left());
    let left = bench.count().await;
    bench.stop().await;
    (outcome, left)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: as long as a server is waited for that never answers"]
async fn a_server_that_never_answers_anything_is_given_up() {
    let (outcome, _) = run_out(|_, _| Act::Hang).await;
    assert_eq!(outcome.finding("a").kind, "timeout");
    assert!(!outcome.summary.unsettled.is_empty());
    assert!(
        outcome.duration < Duration::from_secs(200),
        "{:?}",
        outcome.duration
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: as long as a sandbox is waited for that never goes"]
async fn a_server_that_deletes_nothing_is_reported() {
    let keeps = |seen: &Seen, _: &[Seen]| match seen.is_sandbox("DELETE") {
        true => Act::Answer(204, "text/plain", String::new()),
        false => Act::Pass,
    };
    let (outcome, left) = run_out(keeps).await;
    let cleaned_up = outcome.finding("a");
    assert_eq!(
        (cleaned_up.verdict, cleaned_up.kind),
        (Verdict::Errored, "clean_up")
    );
    let [words] = &outcome.summary.leaked[..] else {
        panic!("{:?}", outcome.summary.leaked)
    };
    assert!(
        words.contains("is left behind") && words.contains("clean"),
        "{words}"
    );
    assert_eq!(left, 1);
    assert!(
        outcome.duration < Duration::from_secs(100),
        "{:?}",
        outcome.duration
    );
}
