//! A command's events, on their way to the client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use osb_conformance::execd::protocol::{CHUNKS, Event, ExecutionError};
use tokio::time::timeout;

use crate::body::{self, Pieces};

/// How many events may wait for the client; then the command waits.
const BACKLOG: usize = 16;

/// Longest line that is sent as one event, in bytes.
const LINE: usize = 32 << 10;

/// One of a command's two outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn kind(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The client does not listen any more.
pub(crate) struct Gone;

/// Where events are sent.
#[derive(Clone)]
pub(crate) struct Events {
    sender: Pieces,
    /// Output as it is, instead of one event per line.
    in_chunks: bool,
}

/// A new stream of events, and the answer that carries it.
pub(crate) fn stream(in_chunks: bool) -> (Events, Response) {
    let (sender, body) = body::channel(BACKLOG);
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    let chunks = in_chunks.then_some([(CHUNKS, "1")]);
    let answer = match chunks {
        Some(chunks) => (kind, chunks, body).into_response(),
        None => (kind, body).into_response(),
    };
    (Events { sender, in_chunks }, answer)
}

impl Events {
    /// Waits until the client does not listen any more.
    pub(crate) async fn gone(&self) {
        self.sender.closed().await;
    }

    /// The first event, with the command's id.
    pub(crate) async fn init(&self, id: &str) -> Result<(), Gone> {
        self.send("init", |event| event.text = Some(id.into()))
            .await
    }

    /// A sign of life, which clients ignore.
    pub(crate) async fn ping(&self) -> Result<(), Gone> {
        self.send("ping", |event| event.text = Some("pong".into()))
            .await
    }

    /// Output. `line` keeps what is no whole line yet between calls; an empty `bytes` is the end.
    pub(crate) async fn output(
        &self,
        stream: Stream,
        bytes: &[u8],
        line: &mut Vec<u8>,
    ) -> Result<(), Gone> {
        if self.in_chunks {
            if bytes.is_empty() {
                return Ok(());
            }
            return self
                .send(stream.kind(), |event| match std::str::from_utf8(bytes) {
                    Ok(text) => event.text = Some(text.to_owned()),
                    Err(_) => event.base64 = Some(BASE64_STANDARD.encode(bytes)),
                })
                .await;
        }
        for byte in bytes {
            let is_end = matches!(byte, b'\n' | b'\r');
            if is_end || line.len() >= LINE {
                self.line(stream, std::mem::take(line)).await?;
            }
            if !is_end {
                line.push(*byte);
            }
        }
        if bytes.is_empty() && !line.is_empty() {
            self.line(stream, std::mem::take(line)).await?;
        }
        Ok(())
    }

    /// One line without its end; an empty one is an event with a line feed.
    async fn line(&self, stream: Stream, line: Vec<u8>) -> Result<(), Gone> {
        let text = if line.is_empty() {
            "\n".into()
        } else {
            String::from_utf8_lossy(&line).into_owned()
        };
        self.send(stream.kind(), |event| event.text = Some(text))
            .await
    }

    /// The last event of a command that exited with 0.
    pub(crate) async fn complete(&self, milliseconds: i64) -> Result<(), Gone> {
        self.linger();
        self.send("execution_complete", |event| {
            event.execution_time = Some(milliseconds);
        })
        .await
    }

    /// The last event of any other command: its exit code, and why for a person.
    pub(crate) async fn failed(&self, code: i32, why: &str) -> Result<(), Gone> {
        let error = ExecutionError {
            ename: "CommandExecError".into(),
            evalue: code.to_string(),
            traceback: vec![why.into()],
        };
        self.linger();
        self.send("error", |event| event.error = Some(error)).await
    }

    /// Keeps the stream open for a while after its last event, where execd's own setting asks for
    /// that, or until the client leaves.
    fn linger(&self) {
        let Some(grace) = grace() else { return };
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let _ = timeout(grace, sender.closed()).await;
        });
    }

    async fn send(&self, kind: &str, fill: impl FnOnce(&mut Event)) -> Result<(), Gone> {
        let mut event = Event {
            kind: kind.into(),
            timestamp: Some(now()),
            ..Event::default()
        };
        fill(&mut event);
        let mut bytes = serde_json::to_vec(&event).unwrap_or_default();
        bytes.extend_from_slice(b"\n\n");
        self.sender.send(Ok(bytes.into())).await.map_err(|_| Gone)
    }
}

/// execd's setting for how long a stream stays open, such as `1s`; here it does not unless that is
/// set.
fn grace() -> Option<Duration> {
    let text = std::env::var("EXECD_API_GRACE_SHUTDOWN").ok()?;
    let grace = match text.strip_suffix("ms") {
        Some(millis) => Duration::from_millis(millis.parse().ok()?),
        None => Duration::from_secs(text.strip_suffix('s')?.parse().ok()?),
    };
    (!grace.is_zero()).then_some(grace)
}

/// Unix milliseconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or_default()
    })
}
