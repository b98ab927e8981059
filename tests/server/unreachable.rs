//! Servers that are not there, or are something else: nothing is run, and it is said what to do.

use std::sync::Arc;

use osb_conformance::target::TargetError;
use tokio::net::TcpListener;

use crate::bench::{Bench, KEY};
use crate::relay::{Act, Relay};

over! {
    keyed {
        a_server_that_lets_nobody_in_is_told_apart,
        what_is_no_opensandbox_server_is_shown,
    }
    local { where_nobody_listens_is_told_with_its_address }
}

/// Why the server at `address` cannot be connected to.
async fn reason(bench: &Bench, address: &str, key: Option<&str>) -> String {
    let key = key.map(str::to_owned);
    let connected = bench.connect(address, |config| config.api_key = key).await;
    match connected.map(drop) {
        Err(TargetError::Unreachable { target, reason }) => {
            assert!(target.starts_with("the server at http"), "{target}");
            assert!(!reason.contains(KEY), "{reason}");
            reason
        }
        other => panic!("{other:?}"),
    }
}

async fn a_server_that_lets_nobody_in_is_told_apart(bench: Arc<Bench>) {
    for key in [None, Some("wrong")] {
        let reason = reason(&bench, &bench.url(), key).await;
        assert!(reason.contains("SANDBOX_API_KEY"), "{reason}");
        assert!(reason.contains("401 "), "{reason}");
    }
    let error = bench
        .connect(bench.url(), |config| config.api_key = Some("a\nb".into()))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the API key cannot be sent"),
        "{error}"
    );
}

async fn what_is_no_opensandbox_server_is_shown(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let says = async |act: fn() -> Act| {
        relay.when(move |_, _| act());
        reason(&bench, &relay.url(), Some(KEY)).await
    };
    let html = says(|| Act::Answer(200, "text/html", "<h1>It works!</h1>".into())).await;
    for part in [
        "> GET /v1/sandboxes",
        "< 200 OK text/html",
        "It works!",
        "is this an OpenSandbox server?",
    ] {
        assert!(html.contains(part), "{html}");
    }
    let missing = says(|| Act::Answer(404, "text/html", "<h1>Not found</h1>".into())).await;
    assert!(
        missing.contains("404") && missing.contains("is this an OpenSandbox server?"),
        "{missing}"
    );
    let other = says(|| Act::Answer(200, "application/json", "[]".into())).await;
    assert!(
        other.contains("is not what the specification has"),
        "{other}"
    );
    let closed = says(|| Act::Close).await;
    assert!(closed.contains("did not answer GET /sandboxes"), "{closed}");
    let cut = says(|| Act::Cut(3)).await;
    assert!(cut.contains("did not answer GET /sandboxes"), "{cut}");
    let key = says(|| Act::Answer(500, "text/plain", format!("your key is {KEY}"))).await;
    assert!(key.contains("your key is ***"), "{key}");
    // A base that is not the API's.
    let base = format!("{}/api/v9", bench.url());
    let reason = reason(&bench, &base, Some(KEY)).await;
    assert!(reason.contains("/api/v9/sandboxes"), "{reason}");
}

async fn where_nobody_listens_is_told_with_its_address(bench: Arc<Bench>) {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let url = format!("http://{address}");
    let refused = reason(&bench, &url, None).await;
    assert!(
        refused.contains("refused") && refused.contains("is it running there?"),
        "{refused}"
    );
    let unknown = reason(&bench, "http://no-such-host.invalid:1", None).await;
    assert!(unknown.contains("is it running there?"), "{unknown}");
    // A server of HTTP where TLS is expected.
    let secured = format!("https://{}", bench.address);
    let plain = reason(&bench, &secured, None).await;
    assert!(plain.contains("does it speak https there?"), "{plain}");
}
