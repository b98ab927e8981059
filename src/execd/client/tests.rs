//! The client against answers that our agent never gives, byte for byte.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

use super::*;
use crate::execd::api::Command;

/// A client of a server that answers every request with `answer` and closes; and what it was asked.
fn scripted(answer: impl Into<Vec<u8>>) -> (Client, Arc<Mutex<String>>) {
    server(answer, false)
}

/// As [`scripted`]; `stays` open until the client closes.
fn server(answer: impl Into<Vec<u8>>, stays: bool) -> (Client, Arc<Mutex<String>>) {
    let (answer, asked) = (answer.into(), Arc::new(Mutex::new(String::new())));
    let heard = Arc::clone(&asked);
    let connect = move || {
        let (ours, mut theirs) = duplex(64 << 10);
        let (answer, heard) = (answer.clone(), Arc::clone(&heard));
        tokio::spawn(async move {
            let mut request = vec![0; 32 << 10];
            let length = theirs.read(&mut request).await.expect("a request");
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            *heard.lock().expect("a lock") = text;
            // A client that has heard enough goes.
            let _ = theirs.write_all(&answer).await;
            if stays {
                let _ = theirs.read(&mut request).await;
            }
        });
        async move { Ok(ours) }
    };
    let headers = [("X-Token".to_owned(), "secret".to_owned())].into();
    let client = Client::with("http://execd:44772/proxy/1/", &headers, connect);
    (client.expect("a client"), asked)
}

fn stream(events: &str) -> String {
    let length = events.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{events}")
}

fn echo() -> Command {
    Command {
        command: "echo".into(),
        ..Command::default()
    }
}

/// An error with its cause.
fn whole(error: &ExecdError) -> String {
    let source = error.source().map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[tokio::test]
async fn requests_have_the_prefix_the_host_and_the_headers() {
    let (client, asked) = scripted("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let found = client.file_info(&["/a b"]).await.expect("an answer");
    assert!(found.is_empty());
    let asked = asked.lock().expect("a lock").clone();
    let first = "GET /proxy/1/files/info?path=%2Fa%20b HTTP/1.1\r\n";
    assert!(asked.starts_with(first), "{asked}");
    assert!(asked.contains("host: execd:44772\r\n"), "{asked}");
    assert!(asked.contains("x-token: secret\r\n"), "{asked}");
    assert!(!format!("{client:?}").contains("secret"));
}

#[tokio::test]
async fn a_stream_of_another_execd_is_read() {
    let events = "data: {\"type\":\"init\",\"text\":\"i\"}\n\ndata: {\"type\":\"ping\",\"text\":\"pong\"}\n\n\
        data: {\"type\":\"stdout\",\"text\":\"a\"}\n\ndata: {\"type\":\"stdout\",\"text\":\"\\n\"}\n\n\
        data: {\"type\":\"later\",\"x\":[1]}\n\ndata: {\"type\":\"stderr\",\"text\":\"e\"}\n\n\
        data: {\"type\":\"execution_complete\",\"execution_time\":3}\n\ndata: {\"type\":\"ping\"}\n\ngarbage\n";
    let (client, _) = scripted(stream(events));
    let result = client.run(&echo()).await.expect("a result");
    assert_eq!(result.stdout, b"a\n\n");
    assert_eq!(result.stderr, b"e\n");
    assert_eq!(result.exit_code, 0);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_success() {
    let begun = "{\"type\":\"init\",\"text\":\"i\"}\n\n{\"type\":\"stdout\",\"text\":\"a\"}\n\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{begun}\r\n", begun.len());
    for answer in [
        stream(""),
        stream(begun),
        // To the end of the connection, and in chunks without the last.
        format!("HTTP/1.1 200 OK\r\n\r\n{begun}"),
        format!("{chunked}{chunk}"),
        format!("{chunked}{chunk}0\r\n\r\n"),
        stream(&format!("{begun}{{\"type\":\"execution_com")),
    ] {
        let (client, _) = scripted(answer.clone());
        let error = client.run(&echo()).await.expect_err(&answer);
        assert!(matches!(error, ExecdError::Transport { .. }), "{error}");
        assert!(error.to_string().contains("broke off"), "{error}");
    }
    for answer in ["", "HTTP/1.1 200 O", "<html>"] {
        let (client, _) = scripted(answer);
        let error = client.run(&echo()).await.expect_err(answer);
        assert_eq!(error.to_string(), "POST /command failed");
    }
}

#[tokio::test]
async fn a_last_event_without_its_line_end_counts() {
    let events = "{\"type\":\"init\"}\n{\"type\":\"execution_complete\"}";
    let (client, _) = scripted(format!("HTTP/1.1 200 OK\r\n\r\n{events}"));
    assert_eq!(client.run(&echo()).await.expect("a result").exit_code, 0);
}

#[tokio::test]
async fn a_terminal_event_ends_a_run_before_its_stream() {
    // Servers keep the stream open for a while.
    let event = "{\"type\":\"execution_complete\"}\n";
    let (client, _) = server(format!("HTTP/1.1 200 OK\r\n\r\n{event}"), true);
    let command = echo();
    let run = timeout(Duration::from_secs(5), client.run(&command));
    assert_eq!(run.await.expect("in time").expect("a result").exit_code, 0);
}

#[tokio::test]
async fn a_launch_needs_an_id() {
    let launched = "{\"type\":\"init\",\"text\":\"abc\"}\n{\"type\":\"execution_complete\"}\n";
    let (client, asked) = scripted(stream(launched));
    assert_eq!(client.start(&echo()).await.expect("an id"), "abc");
    let asked = asked.lock().expect("a lock").clone();
    assert!(asked.contains("\"background\":true"), "{asked}");
    for events in [
        "",
        "{\"type\":\"execution_complete\"}\n",
        "{\"type\":\"init\",\"text\":\"\"}\n",
        "{\"type\":\"init\",\"text\":\"a\"}\n{\"code\":\"RUNTIME_ERROR\"}\n",
        "{\"type\":\"error\",\"error\":{\"ename\":\"E\",\"evalue\":\"no\"}}\n",
    ] {
        let (client, _) = scripted(stream(events));
        client.start(&echo()).await.expect_err(events);
    }
}

#[tokio::test]
async fn errors_are_what_execd_told() {
    let page = format!("<html>{}", "å".repeat(100_000));
    let answer = format!(
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );
    let (client, _) = scripted(answer);
    let error = client.ping().await.expect_err("refused");
    let ExecdError::Api {
        status,
        code,
        message,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((status, code.as_str()), (502, "UNKNOWN"));
    assert_eq!(message.chars().count(), 200);
    assert!(message.starts_with("<html>å"), "{message}");

    // Half of an error is still one.
    let (client, _) = scripted("HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\noops");
    let error = client.ping().await.expect_err("refused");
    assert_eq!(error.to_string(), "500 UNKNOWN: oops");
}

#[tokio::test]
async fn an_answer_of_another_schema_is_shown() {
    let (client, _) = scripted("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"cpu\":[]}");
    let error = whole(&client.metrics().await.expect_err("no metrics"));
    assert!(
        error.starts_with("the answer to GET /metrics cannot be read: {\"cpu\":[]}: missing field"),
        "{error}"
    );
    let (client, _) = scripted("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    let error = whole(&client.logs("x", None).await.expect_err("no cursor"));
    assert!(error.contains("execd-commands-tail-cursor"), "{error}");
}

#[tokio::test]
async fn answers_have_bounds() {
    let large = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        (16 << 20) + 1
    );
    let (client, _) = scripted(large);
    let error = whole(&client.metrics().await.expect_err("too large"));
    assert!(error.contains("it is longer than 16 MiB"), "{error}");
    // And where the length is not told before.
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(17 << 20, b' ');
    let (client, _) = scripted(endless);
    let error = whole(&client.metrics().await.expect_err("too large"));
    assert!(error.contains("it is longer than 16 MiB"), "{error}");
    let large = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        (1 << 30) + 1
    );
    let (client, _) = scripted(large);
    let error = whole(&client.download("/x").await.expect_err("too large"));
    assert!(error.contains("it is longer than 1024 MiB"), "{error}");
}

#[tokio::test]
async fn a_file_that_breaks_off_is_no_file() {
    let (client, _) = scripted("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    let error = client.download("/x").await.expect_err("half a file");
    assert_eq!(
        error.to_string(),
        "reading the answer to GET /files/download"
    );
    let (client, _) = scripted("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfull");
    assert_eq!(client.download("/x").await.expect("a file"), "full");
    let error = whole(
        &client
            .download_range("/x", "bytes=0-1")
            .await
            .expect_err("all of it"),
    );
    assert!(error.contains("200 instead of 206"), "{error}");
}

#[tokio::test]
async fn metrics_come_in_both_framings() {
    let metrics = "{\"cpu_count\":2,\"cpu_used_pct\":1.5,\"mem_total_mib\":3,\"mem_used_mib\":1,\"timestamp\":7}";
    let (client, _) = scripted(stream(&format!("{metrics}\ndata: {metrics}\n\n")));
    let mut stream = client.watch_metrics().await.expect("a stream");
    for _ in 0..2 {
        let metrics = stream.next().await.expect("metrics").expect("not the end");
        assert_eq!(metrics.timestamp, 7);
    }
    assert!(stream.next().await.expect("the end").is_none());
}

#[tokio::test]
async fn a_client_over_a_stream_that_ends_fails() {
    let (ours, theirs) = duplex(4096);
    let client = Client::over(ours).await.expect("a client");
    drop(theirs);
    let error = client.ping().await.expect_err("nobody there");
    assert_eq!(error.to_string(), "GET /ping failed");
}
