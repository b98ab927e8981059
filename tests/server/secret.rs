//! What is secret stays out of every report, whatever a server makes of it.

use std::sync::Arc;

use osb_conformance::report::Verdict;

use crate::bench::{Bench, KEY};
use crate::relay::{Act, Relay, Seen};
use crate::run::run;

over! {
    keyed {
        requests_are_shown_without_what_is_secret,
        a_server_that_repeats_the_key_does_not_bring_it_into_a_report,
        a_server_that_repeats_a_password_does_not_bring_it_into_a_report,
        the_key_goes_to_the_server_alone,
        what_a_scenario_says_of_an_answer_has_no_secret,
    }
}

/// Values that nobody may see.
const SECRETS: [&str; 4] = [
    KEY,
    "p4ssw0rd-of-the-registry",
    "1d-of-the-bucket",
    "s3cret-of-the-bucket",
];

/// Sends every secret there is.
const SENDS: &str = r#"
Sandbox.create {
  image = { uri = "private/image", auth = { username = "somebody", password = "p4ssw0rd-of-the-registry" } },
  volumes = { {
    name = "v", mountPath = "/mnt/data",
    ossfs = {
      bucket = "bucket", endpoint = "oss.example.com",
      accessKeyId = "1d-of-the-bucket", accessKeySecret = "s3cret-of-the-bucket",
    },
  } },
}
"#;

async fn assert_silent(
    bench: &Bench,
    fault: impl Fn(&Seen, &[Seen]) -> Act + Send + Sync + 'static,
) -> String {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    relay.when(fault);
    let outcome = run(&target, &[("sends", SENDS)]).await;
    assert_eq!(
        outcome.verdict("sends"),
        Verdict::Failed,
        "{:#?}",
        outcome.of("sends").findings
    );
    // The scenario itself is no secret, and no part of a report.
    for secret in SECRETS {
        assert!(
            !outcome.told.contains(secret),
            "{secret} in {}",
            outcome.told
        );
    }
    relay.heal();
    assert_eq!(bench.count().await, 0);
    outcome.finding("sends").detail.clone().unwrap_or_default()
}

/// Whatever the request holds, in one text.
fn everything(seen: &Seen) -> String {
    format!(
        "key={} body={}",
        seen.key,
        String::from_utf8_lossy(&seen.body)
    )
}

async fn requests_are_shown_without_what_is_secret(bench: Arc<Bench>) {
    // The server's own refusal, and answers that break off.
    let detail = assert_silent(&bench, |_, _| Act::Pass).await;
    assert!(detail.contains("> POST /v1/sandboxes"), "{detail}");
    assert!(
        detail.contains("somebody") && detail.contains("oss.example.com"),
        "{detail}"
    );
    assert!(
        detail.contains("***") && detail.contains("< 400 Bad Request"),
        "{detail}"
    );
    for act in [
        || Act::Close,
        || Act::Cut(5),
        || Act::Answer(500, "text/plain", "no".into()),
    ] {
        let detail = assert_silent(&bench, move |seen, _| {
            match seen.is("POST", "/v1/sandboxes") {
                true => act(),
                false => Act::Pass,
            }
        })
        .await;
        assert!(
            detail.contains("> POST /v1/sandboxes") && detail.contains("***"),
            "{detail}"
        );
    }
}

async fn a_server_that_repeats_the_key_does_not_bring_it_into_a_report(bench: Arc<Bench>) {
    let answers: [fn(&str) -> Act; 5] = [
        |key| Act::Answer(500, "text/plain", format!("you sent {key}")),
        |key| Act::Answer(500, "text/html", format!("<pre>{key}</pre>")),
        |key| {
            Act::Answer(
                401,
                "application/json",
                format!(r#"{{"code":"{key}","message":"not {key}"}}"#),
            )
        },
        |key| Act::Answer(200, "application/json", format!(r#"{{"id":"{key}"}}"#)),
        |key| {
            Act::Answer(
                200,
                "application/json",
                format!(r#"{{"id":["{key}"],"status":"{key}"}}"#),
            )
        },
    ];
    for answer in answers {
        assert_silent(&bench, move |seen, _| {
            match seen.is("POST", "/v1/sandboxes") {
                true => answer(&seen.key),
                false => Act::Pass,
            }
        })
        .await;
    }
}

async fn a_server_that_repeats_a_password_does_not_bring_it_into_a_report(bench: Arc<Bench>) {
    let answers: [fn(&str) -> Act; 4] = [
        |all| {
            Act::Answer(
                500,
                "text/plain",
                format!("cannot make of this anything: {all}"),
            )
        },
        |all| Act::Answer(502, "text/html", format!("<pre>{all}</pre>")),
        |all| {
            let body = serde_json::json!({"code": "X", "message": format!("what is {all}")});
            Act::Answer(400, "application/json", body.to_string())
        },
        |all| {
            let body = serde_json::json!({"detail": [{"input": {"all": all}}]});
            Act::Answer(422, "application/json", body.to_string())
        },
    ];
    for answer in answers {
        assert_silent(&bench, move |seen, _| {
            match seen.is("POST", "/v1/sandboxes") {
                true => answer(&everything(seen)),
                false => Act::Pass,
            }
        })
        .await;
    }
}

async fn the_key_goes_to_the_server_alone(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    assert!(!format!("{target:?}").contains(KEY));
    run(&target, &[("a", crate::run::COMMAND)]).await.all_pass();
    let seen = relay.seen();
    let (inside, outside): (Vec<_>, Vec<_>) =
        seen.iter().partition(|seen| seen.path.contains("/proxy/"));
    assert!(!inside.is_empty() && !outside.is_empty());
    // Programs in a sandbox are nobody to trust with it.
    assert!(inside.iter().all(|seen| seen.key.is_empty()), "{inside:?}");
    assert!(outside.iter().all(|seen| seen.key == KEY), "{outside:?}");
}

/// Says whatever came back.
const SAYS: &str = r#"
local answer = api.request { method = "GET", path = "/sandboxes/x/endpoints/44772" }
say(answer.text)
say(answer.headers["content-type"])
local sandbox = Sandbox.create {}
say(sandbox:endpoint(80).headers["X-EXECD-ACCESS-TOKEN"])
expect(answer.status, "the status of " .. answer.text):is(404)
"#;

async fn what_a_scenario_says_of_an_answer_has_no_secret(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let token = "t0ken-of-the-sandbox";
    let is_told = |path: &str| path.contains("/x/endpoints/") || path.contains("/endpoints/80");
    relay.when(move |seen, _| match is_told(&seen.path) {
        true => Act::Answer(
            200,
            "application/json",
            format!(
                r#"{{"endpoint":"{}","headers":{{"X-EXECD-ACCESS-TOKEN":"{token}"}}}}"#,
                seen.key
            ),
        ),
        false => Act::Pass,
    });
    let outcome = run(&target, &[("says", SAYS)]).await;
    assert_eq!(outcome.verdict("says"), Verdict::Failed);
    assert!(outcome.told.contains("endpoint"), "{}", outcome.told);
    for secret in [KEY, token] {
        assert!(
            !outcome.told.contains(secret),
            "{secret} in {}",
            outcome.told
        );
    }
}
