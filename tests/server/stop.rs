//! The end of a server.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::bench::{Bench, shell};
use crate::client::Http;
use crate::echo::Echo;
use crate::support::{Tool, text};

over! {
    docker { everything_goes_while_a_stream_is_open }
    local {
        everything_goes_while_a_stream_is_open,
        a_sandbox_that_is_being_made_goes_too,
        connections_that_say_nothing_hold_up_nobody,
        what_comes_late_makes_nothing,
        the_command_ends_with_a_signal_and_leaves_nothing,
    }
}

const NOTHING: Vec<String> = Vec::new();

async fn everything_goes_while_a_stream_is_open(bench: Arc<Bench>) {
    let claim =
        |name: &str| json!({"claimName": format!("stop-{}-{name}", uuid::Uuid::new_v4().simple())});
    let volumes = json!([
        {"name": "a", "mountPath": "/mnt/a", "pvc": claim("a")},
        {"name": "b", "mountPath": "/mnt/b", "pvc": claim("b")},
    ]);
    let id = bench.create(json!({"volumes": volumes})).await;
    let paused = bench.create(json!({})).await;
    let pause = format!("/v1/sandboxes/{paused}/pause");
    assert_eq!(bench.http().send("POST", &pause, &[], "").await.status, 202);
    let waits = shell("echo x > /mnt/a/x; echo begun; sleep 600");
    let mut events = bench.execd(&id).stream(&waits).await.unwrap();
    while events.next().await.unwrap().unwrap().kind != "stdout" {}
    // The stream ends, well or not.
    let reading = tokio::spawn(async move { while let Ok(Some(_)) = events.next().await {} });
    let begun = Instant::now();
    assert_eq!(bench.stop().await, NOTHING);
    println!("ended within {:?}", begun.elapsed());
    tokio::time::timeout(Duration::from_secs(2), reading)
        .await
        .unwrap()
        .unwrap();
    bench.assert_empty().await;
    assert!(TcpStream::connect(bench.address).await.is_err());
}

async fn a_sandbox_that_is_being_made_goes_too(bench: Arc<Bench>) {
    let (http, body) = (bench.http(), bench.body(json!({})));
    let making = (0..8).map(|_| http.post("/v1/sandboxes", body.clone()));
    for answer in futures_util::future::join_all(making).await {
        assert_eq!(answer.status, 202);
    }
    assert_eq!(bench.stop().await, NOTHING);
    bench.assert_empty().await;
}

/// Asks for nothing yet, or for half of something.
async fn connected(bench: &Bench, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

async fn connections_that_say_nothing_hold_up_nobody(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let mut held = Vec::new();
    for said in [
        "",
        "GET /hea",
        "GET /health HTTP/1.1\r\nhost: localhost\r\n",
        "POST /v1/sandboxes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    ] {
        held.push(connected(&bench, said).await);
    }
    // One that has asked once, and may ask again.
    let mut asked =
        BufReader::new(connected(&bench, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
    let mut line = String::new();
    asked.read_line(&mut line).await.unwrap();
    assert!(line.contains("200"), "{line}");
    // One that reads nothing of an answer without an end.
    let large = format!(
        "POST /v1/sandboxes/{id}/proxy/44772/command HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\ncontent-length: 22\r\n\r\n{{\"command\":\"yes yes\"}} ",
    );
    held.push(connected(&bench, &large).await);
    let begun = Instant::now();
    assert_eq!(bench.stop().await, NOTHING);
    println!("ended within {:?}", begun.elapsed());
    bench.assert_empty().await;
}

/// A create request whose head is there and whose body is not: answers the connection once the
/// server waits for the body.
async fn half_asked(bench: &Bench, body: &str) -> TcpStream {
    let head = format!(
        "POST /v1/sandboxes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = connected(bench, &head).await;
    let mut said = [0; 25];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Waits until nobody listens at the server's address any more.
async fn closed(bench: &Bench) {
    while TcpStream::connect(bench.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

async fn what_comes_late_makes_nothing(bench: Arc<Bench>) {
    let body = bench.body(json!({})).to_string();
    let mut stream = half_asked(&bench, &body).await;
    bench.cancel();
    closed(&bench).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Refused, or cut off.
    let _ = stream.read_to_string(&mut answer).await;
    assert!(!answer.contains(" 202 "), "{answer}");
    assert_eq!(bench.stop().await, NOTHING);
    bench.assert_empty().await;
}

#[tokio::test]
async fn what_comes_after_the_end_makes_nothing() {
    let echo = Echo::new();
    echo.gate.add_permits(9);
    let bench = Bench::over(Arc::clone(&echo) as _, tempfile::tempdir().unwrap(), |_| ()).await;
    let body = bench.body(json!({})).to_string();
    let mut stream = half_asked(&bench, &body).await;
    assert_eq!(bench.stop().await, NOTHING);
    // The connection may be gone by now.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(!answer.contains(" 202 "), "{answer}");
    assert_eq!(echo.names(), NOTHING);
    bench.assert_empty().await;
}

/// `serve` as a process of its own, on a free port, and where it says that it listens.
fn serve(tool: &Tool, listen: &str) -> (Child, String) {
    let mut child = tool
        .command(&["serve", "--target", "local", "--listen", listen])
        .env_remove("SANDBOX_API_KEY")
        .env_remove("OPEN_SANDBOX_API_KEY")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<_> = output.lines().map(Result::unwrap).take(3).collect();
    let address = lines
        .last()
        .and_then(|line| line.strip_prefix("listening on http://"));
    let address = address.unwrap_or_else(|| panic!("{lines:?}")).to_owned();
    (child, address)
}

async fn the_command_ends_with_a_signal_and_leaves_nothing(bench: Arc<Bench>) {
    for (signal, code) in [("-INT", Some(0)), ("-TERM", Some(0)), ("-KILL", None)] {
        let tool = Tool::new();
        let (mut child, address) = serve(&tool, "127.0.0.1:0");
        let http = Http::at(address.parse().unwrap());
        for _ in 0..2 {
            let answer = http.post("/v1/sandboxes", bench.body(json!({}))).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
        }
        let kill = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), code, "{signal}");
        if code.is_none() {
            let cleaned = tool.run(&["clean"]);
            assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
        }
        let state = tool.state.path().join("osb-conformance");
        for folder in ["runs", "sandboxes", "volumes"] {
            let left = std::fs::read_dir(state.join(folder))
                .into_iter()
                .flatten()
                .count();
            assert_eq!(left, 0, "{folder} after {signal}");
        }
    }
    // Open to everybody it does not even begin.
    let tool = Tool::new();
    let mut command = tool.command(&["serve", "--target", "local", "--listen", "0.0.0.0:0"]);
    let refused = command
        .env_remove("SANDBOX_API_KEY")
        .env_remove("OPEN_SANDBOX_API_KEY");
    let refused = refused.output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("SANDBOX_API_KEY"),
        "{}",
        text(&refused.stderr)
    );
}
