//! Who may ask.

use std::net::SocketAddr;
use std::sync::Arc;

use osb_conformance::serve::{ServeConfig, ServeError, Server};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, KEY};
use crate::client::Http;
use crate::echo::Echo;

over! {
    local { without_a_key_only_programs_on_this_machine_may_ask }
    keyed { a_key_is_asked_for_before_anything_else }
}

async fn a_key_is_asked_for_before_anything_else(bench: Arc<Bench>) {
    let name = "OPEN-SANDBOX-API-KEY";
    let with = |key: &str| bench.http().with(name, key);
    let id = {
        let answer = with(KEY).post("/v1/sandboxes", bench.body(json!({}))).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    for (method, path) in [
        ("GET", "/v1/sandboxes".to_owned()),
        ("POST", "/v1/sandboxes".into()),
        ("DELETE", format!("/v1/sandboxes/{id}")),
        ("GET", format!("/v1/sandboxes/{id}")),
        ("GET", format!("/v1/sandboxes/{id}/endpoints/44772")),
        ("GET", format!("/v1/sandboxes/{id}/proxy/http/ping")),
        ("GET", format!("/v1/sandboxes/{id}/proxy/")),
        ("GET", "/v1/nope".into()),
        ("GET", "/".into()),
        ("PUT", "/v1/sandboxes".into()),
        ("GET", "/health/".into()),
        ("GET", "//health".into()),
    ] {
        let missing = bench.http().send(method, &path, &[], "").await;
        missing.refused(401, "MISSING_API_KEY");
        let empty = with("").send(method, &path, &[], "").await;
        empty.refused(401, "MISSING_API_KEY");
        for wrong in [
            "another-key",
            &KEY[..KEY.len() - 1],
            &format!("{KEY}x"),
            &KEY.to_uppercase(),
        ] {
            let answer = with(wrong).send(method, &path, &[], "").await;
            let message = answer.refused(401, "INVALID_API_KEY");
            assert!(!message.contains(wrong), "{message}");
        }
    }
    assert_eq!(
        with(KEY).get(&format!("/v1/sandboxes/{id}")).await.status,
        200
    );
    assert_eq!(bench.http().get("/health").await.status, 200);
    // Ports of sandboxes are open: what a client of execd sends has no key.
    let infos = with(KEY).get("/v1/sandboxes").await.json();
    assert_eq!(infos["pagination"]["totalItems"], 1);
    let ping = format!("/v1/sandboxes/{id}/proxy/44772/ping");
    assert_eq!(bench.http().get(&ping).await.status, 200);
    let answer = bench.http().get("/v1/sandboxes/nope/proxy/80/a").await;
    answer.refused(404, "DOCKER::SANDBOX_NOT_FOUND");
    // With a key, a host that has another name is nothing to hide from.
    let far = Http::called(bench.address, "box.example.com").with(name, KEY);
    let answer = far
        .send(
            "GET",
            "/v1/sandboxes",
            &[("origin", "http://example.com")],
            "",
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        with(KEY)
            .delete(&format!("/v1/sandboxes/{id}"))
            .await
            .status,
        204
    );
}

async fn without_a_key_only_programs_on_this_machine_may_ask(bench: Arc<Bench>) {
    for ours in [
        "localhost",
        "LocalHost:80",
        "127.0.0.1",
        "127.1.2.3:9",
        "[::1]:1",
    ] {
        let http = Http::called(bench.address, ours);
        assert_eq!(http.get("/v1/sandboxes").await.status, 200, "{ours}");
        for origin in ["http://localhost:3000", "null", "https://example.com"] {
            for (method, path) in [
                ("GET", "/v1/sandboxes"),
                ("POST", "/v1/sandboxes"),
                ("OPTIONS", "/v1/sandboxes"),
                ("GET", "/health"),
                ("POST", "/v1/sandboxes/x/proxy/44772/command"),
            ] {
                let answer = http.send(method, path, &[("Origin", origin)], "").await;
                answer.refused(403, "FORBIDDEN");
                assert!(answer.header("access-control-allow-origin").is_none());
            }
        }
    }
    for foreign in [
        "example.com",
        "localhost.example.com",
        "127.0.0.1.example.com:80",
        "10.0.0.1",
        "[2001:db8::1]:80",
    ] {
        let http = Http::called(bench.address, foreign);
        for path in ["/v1/sandboxes", "/health", "/v1/sandboxes/x/proxy/80/y"] {
            http.get(path).await.refused(403, "FORBIDDEN");
        }
        // Whatever header beside it says.
        let claimed = [
            ("x-forwarded-host", "localhost"),
            ("forwarded", "host=localhost"),
        ];
        let answer = http.send("GET", "/v1/sandboxes", &claimed, "").await;
        answer.refused(403, "FORBIDDEN");
    }
    assert_eq!(bench.count().await, 0);
}

/// What comes of serving at `listen`.
async fn serve(listen: SocketAddr, api_key: Option<&str>) -> Result<(), ServeError> {
    let folder = tempfile::tempdir().unwrap();
    let config = ServeConfig {
        listen,
        api_key: api_key.map(str::to_owned),
        state: folder.path().into(),
    };
    assert!(!format!("{config:?}").contains(KEY));
    let server = Server::bind(Echo::new(), config).await?;
    assert!(!format!("{server:?}").contains(KEY));
    let address = server.address();
    let cancel = CancellationToken::new();
    let serving = tokio::spawn(server.run(cancel.clone()));
    let seen = SocketAddr::from(([127, 0, 0, 1], address.port()));
    assert_eq!(Http::at(seen).get("/health").await.status, 200);
    cancel.cancel();
    assert_eq!(serving.await.unwrap(), Vec::<String>::new());
    assert!(
        std::fs::read_dir(folder.path().join("runs"))
            .unwrap()
            .next()
            .is_none()
    );
    Ok(())
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_key() {
    let everywhere: [SocketAddr; 2] = ["0.0.0.0:0".parse().unwrap(), "[::]:0".parse().unwrap()];
    for listen in everywhere {
        for key in [None, Some("")] {
            let error = serve(listen, key).await.unwrap_err();
            assert!(matches!(error, ServeError::Open(_)), "{error}");
            let text = error.to_string();
            assert!(
                text.contains("SANDBOX_API_KEY") && text.contains("127.0.0.1"),
                "{text}"
            );
        }
    }
    assert!(serve(everywhere[0], Some(KEY)).await.is_ok());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = Bench::over(Echo::new(), folder, |_| ()).await;
    let error = serve(first.address, None).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ServeError::Address { .. }), "{text}");
    assert!(
        text.contains(&first.address.to_string()) && text.contains("--listen"),
        "{text}"
    );
    first.end().await;
}
