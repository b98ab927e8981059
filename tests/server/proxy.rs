//! `/sandboxes/{id}/proxy/{port}`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use osb_conformance::execd::protocol::FileMetadata;
use serde_json::{Value, json};

use crate::bench::{Bench, KEY, shell};
use crate::echo::Echo;

over! {
    docker {
        an_event_arrives_before_the_command_ends,
        bodies_and_queries_are_passed_on,
    }
    local {
        an_event_arrives_before_the_command_ends,
        bodies_and_queries_are_passed_on,
        a_client_that_leaves_ends_its_command,
        what_nobody_listens_to_is_502,
        a_paused_sandbox_is_409,
    }
}

async fn an_event_arrives_before_the_command_ends(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let execd = bench.execd(&id);
    let waits = "echo first; until test -e /tmp/go; do sleep 0.01; done; echo second";
    let mut events = execd.stream(&shell(waits)).await.unwrap();
    let mut output = Vec::new();
    let mut next = async || -> Option<String> {
        loop {
            let event = events.next().await.unwrap()?;
            match event.kind.as_str() {
                "stdout" => return Some(event.text.unwrap_or_default()),
                "init" | "ping" => {}
                other => assert_eq!(other, "execution_complete"),
            }
        }
    };
    output.extend(next().await);
    // Nothing but this ends the command, and nothing but its first event has told us to do it.
    bench.out(&id, "touch /tmp/go").await;
    while let Some(text) = next().await {
        output.push(text);
    }
    let lines: Vec<_> = output.iter().map(|text| text.trim()).collect();
    assert_eq!(lines, ["first", "second"]);
}

async fn bodies_and_queries_are_passed_on(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let execd = bench.execd(&id);
    let large: Vec<u8> = (0..5_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let path = "/tmp/a b/ü&?%2F+#.bin".to_owned();
    let metadata = FileMetadata {
        path: path.clone(),
        ..FileMetadata::default()
    };
    execd
        .upload(&[(metadata, large.clone().into())])
        .await
        .unwrap();
    assert_eq!(execd.download(&path).await.unwrap(), large);
    assert_eq!(
        execd.file_info(&[&path]).await.unwrap()[&path].size,
        5_000_000
    );
    // What execd refuses is passed on as it refuses it.
    let http = bench.http();
    let answer = http
        .get(&format!(
            "/v1/sandboxes/{id}/proxy/44772/files/info?path=/nope"
        ))
        .await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["code"], "FILE_NOT_FOUND");
    let answer = http
        .get(&format!("/v1/sandboxes/{id}/proxy/44772/no/such/route"))
        .await;
    assert_eq!(answer.status, 404);
    let fails = shell("echo out; echo err >&2; exit 7");
    assert_eq!(execd.run(&fails).await.unwrap().exit_code, 7);
}

async fn a_client_that_leaves_ends_its_command(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let mut events = bench
        .execd(&id)
        .stream(&shell("echo $$; sleep 600"))
        .await
        .unwrap();
    let pid = loop {
        let event = events.next().await.unwrap().unwrap();
        if event.kind == "stdout" {
            break event.text.unwrap().trim().to_owned();
        }
    };
    assert_eq!(
        bench
            .out(&id, &format!("test -e /proc/{pid} && echo there"))
            .await,
        "there\n"
    );
    drop(events);
    let patience = Instant::now() + Duration::from_secs(10);
    let look = format!("test -e /proc/{pid} && echo there || echo gone");
    while bench.out(&id, &look).await != "gone\n" {
        assert!(Instant::now() < patience, "it runs on");
    }
}

async fn what_nobody_listens_to_is_502(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let http = bench.http();
    for port in ["1", "80", "8080", "44771", "65535"] {
        for path in ["", "/", "/x/y?z"] {
            let path = format!("/v1/sandboxes/{id}/proxy/{port}{path}");
            let answer = http.get(&path).await;
            let message = answer.refused(502, "BACKEND_CONNECTION_FAILED");
            assert!(message.contains(port), "{message}");
        }
    }
    for (port, code) in [
        ("0", "DOCKER::INVALID_PORT"),
        ("65536", "DOCKER::INVALID_PORT"),
        ("http", "SANDBOX::INVALID_PARAMETER"),
        ("+1", "SANDBOX::INVALID_PARAMETER"),
    ] {
        let answer = http
            .get(&format!("/v1/sandboxes/{id}/proxy/{port}/x"))
            .await;
        answer.refused(400, code);
    }
}

async fn a_paused_sandbox_is_409(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let http = bench.http();
    let path = format!("/v1/sandboxes/{id}");
    assert_eq!(
        http.send("POST", &format!("{path}/pause"), &[], "")
            .await
            .status,
        202
    );
    let answer = http.get(&format!("{path}/proxy/44772/ping")).await;
    answer.refused(409, "DOCKER::SANDBOX_NOT_RUNNING");
    assert_eq!(
        http.send("POST", &format!("{path}/resume"), &[], "")
            .await
            .status,
        202
    );
    assert_eq!(
        http.get(&format!("{path}/proxy/44772/ping")).await.status,
        200
    );
}

#[tokio::test]
async fn what_is_about_one_connection_or_one_server_is_not_passed_on() {
    let echo = Echo::new();
    echo.gate.add_permits(1);
    let bench = Bench::over(echo, tempfile::tempdir().unwrap(), |_| ()).await;
    let id = bench.create(json!({})).await;
    let path = format!("/v1/sandboxes/{id}/proxy/8080//a%20b/../c?d=%2F&e=1&e=2");
    let headers = [
        ("connection", "keep-alive, x-mine"),
        ("x-mine", "secret"),
        ("keep-alive", "timeout=9"),
        ("proxy-authorization", "Basic x"),
        ("te", "trailers"),
        ("trailer", "x-t"),
        ("upgrade", "websocket"),
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("open-sandbox-api-key", KEY),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "gopher"),
        ("x-request-id", "mine"),
        ("x-kept", "1"),
        ("content-type", "text/x-test"),
    ];
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
        let answer = bench.http().send(method, &path, &headers, "the body").await;
        assert_eq!(answer.status, 418);
        let seen = answer.json();
        assert_eq!(seen["method"], method);
        assert_eq!(seen["target"], "//a%20b/../c?d=%2F&e=1&e=2");
        assert_eq!(
            (&seen["port"], &seen["body"]),
            (&json!(8080), &json!("the body"))
        );
        let Value::Object(passed) = &seen["headers"] else {
            panic!("{seen}")
        };
        let names: Vec<_> = passed.keys().map(String::as_str).collect();
        let kept = [
            "content-length",
            "content-type",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-kept",
            "x-request-id",
        ];
        assert_eq!(names, kept, "{seen}");
        assert_eq!(passed["x-forwarded-for"], "127.0.0.1");
        assert_eq!(passed["x-forwarded-host"], bench.address.to_string());
        assert_eq!(passed["x-forwarded-proto"], "http");
        // Back the same.
        assert_eq!(answer.header("x-answered"), Some("yes"));
        for dropped in ["x-hop", "keep-alive", "connection"] {
            assert_eq!(answer.header(dropped), None, "{dropped}");
        }
    }
    for method in ["OPTIONS", "TRACE", "BREW"] {
        let answer = bench.http().send(method, &path, &[], "").await;
        answer.refused(405, "GENERAL::METHOD_NOT_ALLOWED");
    }
    let head = bench.http().open("HEAD", &path, &[], "").await.unwrap();
    assert_eq!(head.status(), 405);
    // However large, and of no known length.
    let answer = bench
        .http()
        .send("POST", &path, &[], vec![b'x'; 3 << 20])
        .await;
    assert_eq!(answer.json()["body"].as_str().unwrap().len(), 3 << 20);
    // A root without a slash has one.
    let root = bench
        .http()
        .get(&format!("/v1/sandboxes/{id}/proxy/8080?q"))
        .await;
    assert_eq!(root.json()["target"], "/?q");
    let gone = bench
        .http()
        .open("GET", &path, &[("connection", "close")], "")
        .await
        .unwrap();
    gone.into_body().collect().await.unwrap();
    bench.end().await;
}
