//! What the server refuses, and that every refusal is the error envelope.

use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::Bench;

over! {
    local {
        paths_that_do_not_exist_are_404,
        methods_that_a_path_does_not_take_are_405_and_told_in_allow,
        bodies_that_are_no_json_of_the_schema_are_400,
        a_body_that_is_too_large_is_413,
        a_sandbox_that_is_not_there_is_404_whatever_is_asked_of_it,
        every_answer_has_the_requests_id,
        what_is_no_http_hurts_nobody,
    }
}

const NOWHERE: &str = "GENERAL::NOT_FOUND";
const INVALID: &str = "SANDBOX::INVALID_PARAMETER";
const UNKNOWN: &str = "DOCKER::SANDBOX_NOT_FOUND";

async fn paths_that_do_not_exist_are_404(bench: Arc<Bench>) {
    let http = bench.http();
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/sandboxes",
        "/sandboxes",
        "/v1/nope",
        "/v1/sandboxes/x/nope",
        "/v1/sandboxes/x/endpoints",
        "/health/x",
        "/v1//sandboxes",
        "/v1/../etc/passwd",
        "/v1/sandboxes?x=%zz/../y",
    ] {
        if path.contains('?') {
            // What a query says that nobody asked for is no error.
            assert_eq!(http.get(path).await.status, 200, "{path}");
            continue;
        }
        for method in ["GET", "POST", "DELETE"] {
            let message = http.send(method, path, &[], "").await.refused(404, NOWHERE);
            assert!(message.contains(path), "{message}");
        }
    }
    let answer = http.get("/v1/sandboxes/%ff").await;
    answer.refused(400, INVALID);
    let answer = http.get("/health").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "{\"status\":\"healthy\"}")
    );
}

async fn methods_that_a_path_does_not_take_are_405_and_told_in_allow(bench: Arc<Bench>) {
    let http = bench.http();
    for (method, path, takes) in [
        ("PUT", "/v1/sandboxes", "GET,HEAD,POST"),
        ("DELETE", "/v1/sandboxes", "GET,HEAD,POST"),
        ("OPTIONS", "/v1/sandboxes", "GET,HEAD,POST"),
        ("BREW", "/v1/sandboxes", "GET,HEAD,POST"),
        ("POST", "/v1/sandboxes/x", "DELETE,GET,HEAD"),
        ("GET", "/v1/sandboxes/x/pause", "POST"),
        ("GET", "/v1/sandboxes/x/renew-expiration", "POST"),
        ("PUT", "/v1/sandboxes/x/metadata", "PATCH"),
        ("POST", "/v1/sandboxes/x/endpoints/80", "GET,HEAD"),
        ("GET", "/v1/sandboxes/x/snapshots", "POST"),
        ("POST", "/v1/snapshots", "GET,HEAD"),
        ("PUT", "/v1/snapshots/x", "DELETE,GET,HEAD"),
        ("POST", "/health", "GET,HEAD"),
        (
            "OPTIONS",
            "/v1/sandboxes/x/proxy/80/y",
            "DELETE,GET,PATCH,POST,PUT",
        ),
    ] {
        let answer = http.send(method, path, &[], "").await;
        let message = answer.refused(405, "GENERAL::METHOD_NOT_ALLOWED");
        assert!(message.contains(method), "{method} {path}: {message}");
        let allow = answer.header("allow").unwrap_or_default();
        let mut allowed: Vec<_> = allow.split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), takes, "{method} {path}");
    }
}

async fn bodies_that_are_no_json_of_the_schema_are_400(bench: Arc<Bench>) {
    let http = bench.http();
    let typed = [("content-type", "application/json")];
    for (body, culprit) in [
        ("", "no JSON"),
        ("{bad", "no JSON"),
        ("{} {}", "no JSON"),
        ("\u{feff}{}", "no JSON"),
        ("[]", "must not be a list"),
        ("null", ""),
        ("\"x\"", ""),
        ("{}", ""),
        (r#"{"image":["x"]}"#, "image must not be a list"),
        (r#"{"timeout":"600"}"#, "timeout"),
        (r#"{"timeout":600.5}"#, "timeout"),
        (r#"{"resourceLimits":{"cpu":1}}"#, "resourceLimits.cpu"),
        (
            r#"{"volumes":[{"name":"v","mountPath":"/d","nfs":{}}]}"#,
            "nfs",
        ),
        (&"[".repeat(100_000), "no JSON"),
    ] {
        let answer = http
            .send("POST", "/v1/sandboxes", &typed, body.to_owned())
            .await;
        let message = answer.refused(400, INVALID);
        assert!(message.contains(culprit), "{body:.60}: {message}");
        assert!(message.len() < 2000, "{body:.60}: {}", message.len());
    }
    let right = bench.body(json!({})).to_string();
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let headers = [("content-type", kind)];
        let headers = if kind.is_empty() {
            &[][..]
        } else {
            &headers[..]
        };
        let answer = http
            .send("POST", "/v1/sandboxes", headers, right.clone())
            .await;
        let message = answer.refused(400, INVALID);
        assert!(
            message.contains("Content-Type: application/json"),
            "{message}"
        );
    }
    let binary = http
        .send("POST", "/v1/sandboxes", &typed, &b"\xff\xfe{}"[..])
        .await;
    binary.refused(400, INVALID);
    // Beside the schema's own, what a later client may add is no error; a type may have parameters.
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let later = bench.body(json!({"later": {"x": 1}, "env": null}));
    let answer = http
        .send("POST", "/v1/sandboxes", &headers, later.to_string())
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(bench.count().await, 1, "what was refused was made");
}

async fn a_body_that_is_too_large_is_413(bench: Arc<Bench>) {
    let http = bench.http();
    let typed = [("content-type", "application/json")];
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let answer = http
        .send("POST", "/v1/sandboxes", &typed, large.clone())
        .await;
    answer.refused(413, INVALID);
    let id = bench.create(json!({})).await;
    let path = format!("/v1/sandboxes/{id}/metadata");
    let answer = http.send("PATCH", &path, &typed, large).await;
    answer.refused(413, INVALID);
    // Just within the bounds, what is wrong is what is in it.
    let fits = format!("\"{}\"", "x".repeat((1 << 20) - 2));
    let answer = http.send("POST", "/v1/sandboxes", &typed, fits).await;
    answer.refused(400, INVALID);
}

async fn a_sandbox_that_is_not_there_is_404_whatever_is_asked_of_it(bench: Arc<Bench>) {
    let http = bench.http();
    let broken = [("content-type", "application/json")];
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/renew-expiration"),
        ("PATCH", "/metadata"),
        ("GET", "/endpoints/80"),
        ("POST", "/snapshots"),
        ("GET", "/proxy/44772/ping"),
        ("GET", "/proxy/80"),
    ] {
        for id in [
            "nope",
            "a%20b",
            "00000000-0000-0000-0000-000000000000",
            "..%2f..",
        ] {
            let path = format!("/v1/sandboxes/{id}{rest}");
            let answer = http.send(method, &path, &broken, "{bad").await;
            answer.refused(404, UNKNOWN);
        }
    }
}

async fn every_answer_has_the_requests_id(bench: Arc<Bench>) {
    let http = bench.http();
    let mut given = Vec::new();
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("GET", "/v1/sandboxes", 200),
        ("GET", "/v1/nope", 404),
        ("PUT", "/v1/sandboxes", 405),
        ("POST", "/v1/sandboxes", 400),
        ("GET", "/v1/sandboxes/x/proxy/1/y", 404),
    ] {
        let echoed = http
            .send(method, path, &[("X-Request-ID", "my id/1")], "")
            .await;
        assert_eq!(echoed.status, status, "{path}");
        assert_eq!(echoed.header("x-request-id"), Some("my id/1"), "{path}");
        let made = http.send(method, path, &[("x-request-id", "")], "").await;
        let id: uuid::Uuid = made.header("x-request-id").unwrap().parse().unwrap();
        given.push(id);
    }
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 6, "an id is a request's own");
}

async fn what_is_no_http_hurts_nobody(bench: Arc<Bench>) {
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"POST /v1/sandboxes HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(bench.address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        // Reset or answered: as long as it ends.
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains(" 200 ") && !said.contains(" 500 "), "{said}");
    }
    assert_eq!(bench.http().get("/health").await.status, 200);
    assert_eq!(bench.count().await, 0);
}
