//! Answers that are wrong: the scenario fails, and says what was asked and what was answered.

use std::sync::Arc;

use osb_conformance::report::Verdict;

use crate::bench::{Bench, KEY};
use crate::relay::{Act, Relay, Seen, is_deleted};
use crate::run::{COMMAND, run, run_with};

over! {
    keyed {
        a_wrong_answer_fails_the_scenario_with_the_exchange,
        a_broken_connection_fails_the_scenario,
        a_broken_event_stream_fails_the_scenario,
        another_form_of_refusal_counts_where_that_was_asked_for,
    }
}

const HTML: &str = "<html><body>Bad gateway, says the proxy</body></html>";

/// One thing that goes wrong, and what is to be read of it.
struct Case {
    name: &'static str,
    scenario: &'static str,
    fault: fn(&Seen, &[Seen]) -> Act,
    kind: &'static str,
    /// Part of the message.
    says: &'static str,
    /// Parts of the detail.
    shows: &'static [&'static str],
}

/// Whether a sandbox has been created to the end: the way to its execd was asked for.
fn is_created(before: &[Seen]) -> bool {
    let is_asked = |seen: &Seen| seen.path.ends_with("/endpoints/44772");
    before.iter().any(is_asked) && !is_deleted(before)
}

/// Runs every case by itself. Whatever goes wrong, nothing is left on the server.
async fn judge(bench: &Bench, cases: &[Case]) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    for case in cases {
        relay.when(case.fault);
        let outcome = run(&target, &[(case.name, case.scenario)]).await;
        relay.heal();
        let finding = outcome.finding(case.name);
        let shown = format!("{}: {finding:#?}", case.name);
        assert_eq!(finding.verdict, Verdict::Failed, "{shown}");
        assert_eq!(finding.kind, case.kind, "{shown}");
        assert!(finding.message.contains(case.says), "{shown}");
        let detail = finding.detail.clone().unwrap_or_default();
        for part in case.shows {
            assert!(detail.contains(part), "{part:?} in {shown}");
        }
        assert!(!outcome.told.contains(KEY), "{}", outcome.told);
        assert_eq!(outcome.left(), Vec::<String>::new(), "{shown}");
        assert!(outcome.duration.as_secs() < 15, "{:?}", outcome.duration);
        assert_eq!(bench.count().await, 0, "{}", case.name);
    }
}

async fn a_wrong_answer_fails_the_scenario_with_the_exchange(bench: Arc<Bench>) {
    let cases = [
        Case {
            name: "html_for_create",
            scenario: COMMAND,
            fault: |seen, _| match seen.is("POST", "/v1/sandboxes") {
                true => Act::Spoil(200, "text/html", HTML.into()),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the answer 200 is not what the specification has",
            shows: &[
                "> POST /v1/sandboxes",
                "\"entrypoint\"",
                "< 200 OK text/html",
                HTML,
            ],
        },
        Case {
            name: "html_for_a_look",
            scenario: "local s = Sandbox.create {}\ns:info()",
            fault: |seen, before| match seen.is_sandbox("GET") && is_created(before) {
                true => Act::Answer(200, "text/html", HTML.into()),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the answer 200 is not what the specification has",
            shows: &["> GET /v1/sandboxes/", "< 200 OK text/html", HTML],
        },
        Case {
            name: "another_schema_for_a_list",
            scenario: "Sandbox.list {}",
            fault: |seen, _| match seen.is("GET", "/v1/sandboxes")
                && !seen.path.contains("metadata")
            {
                true => Act::Answer(
                    200,
                    "application/json",
                    r#"{"items":[{"id":7}],"next":1}"#.into(),
                ),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "at items[0].id: invalid type: integer `7`, expected a string",
            shows: &[
                "> GET /v1/sandboxes?page=1&pageSize=20",
                "< 200 OK application/json",
                "{\"id\":7}",
            ],
        },
        Case {
            name: "nothing_for_an_endpoint",
            scenario: COMMAND,
            fault: |seen, _| match seen.path.ends_with("/endpoints/44772") {
                true => Act::Answer(200, "application/json", "{}".into()),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "missing field `endpoint`",
            shows: &["> GET /v1/sandboxes/", "/endpoints/44772", "< {}"],
        },
        Case {
            name: "half_a_number_for_a_status",
            scenario: "local s = Sandbox.create {}\ns:pause()",
            fault: |seen, _| match seen.path.ends_with("/pause") {
                true => Act::Answer(500, "text/plain", "out of order".into()),
                false => Act::Pass,
            },
            kind: "api_error",
            says: "500 : out of order",
            shows: &[
                "> POST /v1/sandboxes/",
                "/pause",
                "< 500 Internal Server Error text/plain",
            ],
        },
        Case {
            name: "no_envelope_for_a_refusal",
            scenario: "Sandbox.create {}",
            fault: |seen, _| match seen.is("POST", "/v1/sandboxes") {
                true => Act::Answer(
                    422,
                    "application/json",
                    r#"{"detail":[{"loc":["body"]}]}"#.into(),
                ),
                false => Act::Pass,
            },
            kind: "api_error",
            says: r#"422 : {"detail""#,
            shows: &[
                "> POST /v1/sandboxes",
                "< 422 Unprocessable Entity application/json",
            ],
        },
        Case {
            name: "a_state_that_never_comes",
            scenario: COMMAND,
            fault: |seen, before| {
                match seen.is_sandbox("GET") && !is_deleted(before) {
                true => Act::Answer(
                    200,
                    "application/json",
                    r#"{"id":"x","status":{"state":"Failed","reason":"R","message":"M"},"entrypoint":[],"createdAt":"2026-01-01T00:00:00Z"}"#.into(),
                ),
                false => Act::Pass,
            }
            },
            kind: "protocol",
            says: "says that the sandbox is Failed (R: M)",
            shows: &["> GET /v1/sandboxes/", "\"reason\":\"R\""],
        },
        Case {
            name: "an_answer_that_is_too_long",
            scenario: "local s = Sandbox.create {}\ns:info()",
            fault: |seen, before| match seen.is_sandbox("GET") && is_created(before) {
                true => Act::Answer(200, "application/json", " ".repeat(17 << 20)),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "it is longer than 16 MiB",
            shows: &[
                "> GET /v1/sandboxes/",
                "< 200 OK application/json",
                "< no answer: ",
            ],
        },
        Case {
            name: "an_endpoint_with_a_scheme",
            scenario: COMMAND,
            fault: |seen, _| match seen.path.ends_with("/endpoints/44772") {
                true => {
                    let body = r#"{"endpoint":"http://127.0.0.1:9/x"}"#;
                    Act::Answer(200, "application/json", body.into())
                }
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the endpoint \"http://127.0.0.1:9/x\" has a scheme",
            shows: &[],
        },
        Case {
            name: "html_for_a_command",
            scenario: COMMAND,
            fault: |seen, _| match seen.is_command() {
                true => Act::Answer(200, "text/html", HTML.into()),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the command's events broke off",
            shows: &[],
        },
    ];
    judge(&bench, &cases).await;
}

async fn a_broken_connection_fails_the_scenario(bench: Arc<Bench>) {
    let cases = [
        Case {
            name: "closed_before_the_answer_to_create",
            scenario: COMMAND,
            fault: |seen, _| match seen.is("POST", "/v1/sandboxes") {
                true => Act::Close,
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the server did not answer POST /sandboxes",
            shows: &["> POST /v1/sandboxes", "< no answer: "],
        },
        Case {
            name: "cut_in_the_middle_of_the_answer_to_create",
            scenario: COMMAND,
            fault: |seen, _| match seen.is("POST", "/v1/sandboxes") {
                true => Act::Cut(10),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the server did not answer POST /sandboxes",
            shows: &[
                "> POST /v1/sandboxes",
                "< 202 Accepted application/json",
                "< no answer: ",
            ],
        },
        Case {
            name: "half_an_answer_in_good_order",
            scenario: COMMAND,
            fault: |seen, _| match seen.is("POST", "/v1/sandboxes") {
                true => Act::Half(10),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the answer 202 is not what the specification has",
            shows: &[
                "> POST /v1/sandboxes",
                "< 202 Accepted application/json",
                "< {\"id\":\"",
            ],
        },
        Case {
            name: "cut_in_the_middle_of_a_list",
            scenario: "Sandbox.create {}\nSandbox.list {}",
            fault: |seen, _| match seen.is("GET", "/v1/sandboxes")
                && !seen.path.contains("metadata")
            {
                true => Act::Cut(30),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the server did not answer GET /sandboxes?page=1&pageSize=20",
            shows: &[
                "> GET /v1/sandboxes?page=1",
                "< 200 OK application/json",
                "< no answer: ",
            ],
        },
    ];
    judge(&bench, &cases).await;
}

async fn a_broken_event_stream_fails_the_scenario(bench: Arc<Bench>) {
    let cases = [
        Case {
            name: "events_cut_off",
            scenario: COMMAND,
            fault: |seen, _| match seen.is_command() {
                true => Act::Cut(70),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "POST /command",
            shows: &[],
        },
        Case {
            name: "half_of_the_events",
            scenario: COMMAND,
            fault: |seen, _| match seen.is_command() {
                true => Act::Half(70),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the command's events broke off: the stream ended before the command did",
            shows: &[],
        },
        Case {
            name: "no_events",
            scenario: COMMAND,
            fault: |seen, _| match seen.is_command() {
                true => Act::Half(0),
                false => Act::Pass,
            },
            kind: "protocol",
            says: "the command's events broke off: the stream ended before the command did",
            shows: &[],
        },
        Case {
            name: "closed_before_any_event",
            scenario: COMMAND,
            fault: |seen, _| match seen.is_command() {
                true => Act::Close,
                false => Act::Pass,
            },
            kind: "protocol",
            says: "POST /command",
            shows: &[],
        },
    ];
    judge(&bench, &cases).await;
}

async fn another_form_of_refusal_counts_where_that_was_asked_for(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let other = |status| {
        move |seen: &Seen, _: &[Seen]| match seen.is("POST", "/v1/sandboxes") {
            true => Act::Spoil(status, "application/json", r#"{"detail":[]}"#.into()),
            false => Act::Pass,
        }
    };
    let refused = "require('refusal').of_volume({ pvc = { claimName = 'A_b' } }, 'A_b')";
    for (status, lenient, verdict) in [
        (422, false, Verdict::Failed),
        (422, true, Verdict::Passed),
        (500, true, Verdict::Failed),
    ] {
        relay.when(other(status));
        let change = |options: &mut osb_conformance::runner::RunnerOptions| {
            options.lenient = lenient;
        };
        let outcome = run_with(&target, change, &mut |_| (), &[("refused", refused)]).await;
        assert_eq!(
            outcome.verdict("refused"),
            verdict,
            "{status}, lenient: {lenient}"
        );
    }
}
