//! Any bytes at all: the agent's parsers, and those of its client, survive them.
//!
//! The agent is alone in an empty root, where no request that happens to be valid does any harm.
//! `OSB_FUZZ_SECONDS` says how long each test goes on; CI gives them a minute.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use osb_conformance::execd::{Client, agent};
use osb_conformance::harness::REQUIRE;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Agent, SOON};

/// How many inputs are sent before the agent is asked whether it still answers.
const BATCH: usize = 64;

/// How long a connection is read that the agent has not closed.
const PATIENCE: Duration = Duration::from_millis(200);

/// The end of a test's time.
fn deadline() -> Instant {
    let seconds = std::env::var("OSB_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(3);
    Instant::now() + Duration::from_secs(seconds)
}

/// Values of `strategy` until `deadline`, in batches.
fn batches<T: std::fmt::Debug>(
    strategy: impl Strategy<Value = T>,
    deadline: Instant,
) -> impl Iterator<Item = Vec<T>> {
    let mut runner = TestRunner::default();
    std::iter::from_fn(move || {
        let mut value = || strategy.new_tree(&mut runner).unwrap().current();
        (Instant::now() < deadline).then(|| (0..BATCH).map(|_| value()).collect())
    })
}

/// A request of HTTP/1.1 that is nearly one.
fn http1() -> impl Strategy<Value = Vec<u8>> {
    let route = prop::sample::select(vec![
        ("GET", "/ping"),
        ("POST", "/command"),
        ("DELETE", "/command?id=%ff&id="),
        ("GET", "/command/status/x"),
        ("GET", "/command/x/logs?cursor=-1"),
        ("POST", "/proxy/1/command?x=/"),
        ("POST", "/session"),
        ("POST", "/session/x/run"),
        ("GET", "/files/info?path=%2F&path=/a%00b"),
        ("POST", "/files/upload"),
        ("POST", "/files/mv"),
        ("POST", "/files/replace?verbose=true"),
        ("POST", "/files/permissions"),
        ("GET", "/files/search?path=/&pattern=**%2F*?"),
        ("GET", "/files/download?path=/osb-agent&offset=0"),
        ("POST", "/directories"),
        ("GET", "/directories/list?path=/&depth=99999999999999999999"),
        ("GET", "/metrics"),
    ]);
    let header = prop::sample::select(vec![
        "Range: bytes=5-2,-9,99999999999999999999-",
        "Content-Type: multipart/form-data; boundary=b",
        "Content-Type: multipart/form-data; boundary=",
        "Transfer-Encoding: chunked",
        "Content-Length: 18446744073709551616",
        "Expect: 100-continue",
        "Upgrade: h2c",
        "x-osb-output-chunks: 1",
    ]);
    let body = prop::sample::select(vec![
        r#"{"command":"echo","envs":{"A=B":"\u0000"},"uid":4294967295,"timeout":9223372036854775807}"#,
        r#"{"command":"x","cwd":"/\ud800","background":true}"#,
        r#"{"/a":{"mode":99999,"owner":"-1","group":""},"/b":{"old":"","new":"x"}}"#,
        r#"[{"src":"/osb-agent/x","dest":""}]"#,
        "--b\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"m\"\r\n\r\n{\"path\":\"/x\",\"mode\":644}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\u{0}\r\n--b--\r\n",
        "ffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ]);
    (route, vec(header, 0..4), body).prop_map(|((method, target), headers, body)| {
        let length = if headers
            .iter()
            .any(|h| h.contains("Length") || h.contains("chunked"))
        {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let headers = headers.join("\r\n");
        let gap = if headers.is_empty() { "" } else { "\r\n" };
        format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{length}{headers}{gap}\r\n{body}")
            .into_bytes()
    })
}

/// Frames of HTTP/2 behind its preface.
fn http2() -> impl Strategy<Value = Vec<u8>> {
    let frame = (0_u8..12, any::<u8>(), 0_u32..8, vec(any::<u8>(), 0..64));
    let frame = frame.prop_map(|(kind, flags, stream, payload)| {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    });
    vec(frame, 0..12).prop_map(|frames| {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        [preface.to_vec(), frames.concat()].concat()
    })
}

/// Any of those with some bytes changed and the end cut off, or noise.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let valid = prop_oneof![http1(), http2()];
    let edits = vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let changed = (valid, edits, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut bytes, edits, end, cut)| {
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        },
    );
    prop_oneof![4 => changed, 1 => vec(any::<u8>(), 0..2000)]
}

/// An agent in an empty root; `None` where none can be made, which is said.
async fn alone(folder: &tempfile::TempDir) -> Option<Agent> {
    let program = folder.path().join("osb-agent");
    std::fs::write(&program, agent::binary()).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = tokio::process::Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "chroot"])
        .arg(folder.path())
        .arg("/osb-agent");
    let agent = Agent::start(command).await;
    if agent.is_none() {
        let required = std::env::var(REQUIRE).unwrap_or_default();
        assert!(!required.contains("local"), "no user namespace can be made");
        eprintln!("skipped: no user namespace can be made");
    }
    agent
}

async fn send(address: &str, input: &[u8]) {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(input).await?;
        stream.shutdown().await?;
        let mut answer = Vec::new();
        // One that streams for ever, such as a watch, is left.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        std::io::Result::Ok(())
    };
    // The agent may hang up on what it does not understand.
    let _ = timeout(SOON, exchange).await.unwrap();
}

#[tokio::test]
async fn the_agent_answers_after_any_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut agent) = alone(&folder).await else {
        return;
    };
    let address = agent.address().to_owned();
    for batch in batches(input(), deadline()) {
        let sent = batch.iter().map(|input| send(&address, input));
        futures_util::future::join_all(sent).await;
        let answers = timeout(SOON, agent.client.ping()).await;
        let alive = agent.child.try_wait().unwrap();
        if alive.is_some() || !matches!(answers, Ok(Ok(()))) {
            let shown: Vec<_> = batch
                .iter()
                .map(|input| input.escape_ascii().to_string())
                .collect();
            panic!("after one of these: {shown:#?}\nthe agent: {alive:?}, {answers:?}");
        }
    }
    agent.end().await;
}

/// A client whose execd answers everything with these bytes.
fn answered(answer: Vec<u8>) -> Client {
    let connect = move || {
        let (near, mut far) = tokio::io::duplex(64 << 10);
        let answer = answer.clone();
        tokio::spawn(async move {
            // Then its end is dropped: the answer is over.
            let _ = far.write_all(&answer).await;
        });
        async { Ok(near) }
    };
    Client::with("http://execd", &Default::default(), connect).unwrap()
}

#[tokio::test]
async fn the_client_takes_any_answer() {
    for batch in batches(input(), deadline()) {
        for answer in batch {
            let client = answered(answer.clone());
            let _ = timeout(SOON, client.metrics()).await.unwrap();
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let client = answered([head.as_slice(), &answer].concat());
            let command = crate::support::sh("true");
            let result = timeout(SOON, client.run(&command)).await.unwrap();
            assert!(result.is_err(), "{}: {result:?}", answer.escape_ascii());
        }
    }
}
