//! Runs one command to its end: its output, its deadline, its exit.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{interval_at, sleep_until, timeout};

use crate::event::{Events, Gone, Stream};
use crate::process::{Ended, Group, Processes, Program, Started};
use crate::record::Record;
use nix::sys::signal::Signal;

/// Most bytes that are read at once.
const CHUNK: usize = 32 << 10;

/// How long output is waited for after the command has ended, while nothing comes: what a process
/// in the background writes later is not.
const LAG: Duration = Duration::from_millis(20);

/// Most bytes that are read after the command has ended: as much as a pipe holds.
const LEFT: usize = 1 << 20;

/// How often a client that hears nothing is told that the command lives.
const PING: Duration = Duration::from_secs(3);

/// Where a command's output goes.
pub(crate) enum Sink {
    /// To a client that waits for it.
    Events(Events),
    /// Into the command's log.
    Log,
}

/// How a command ended: its exit code, -1 after a signal; and why, for a person.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) why: Option<String>,
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Exited(0) => Self { code: 0, why: None },
            Ended::Exited(code) => Self {
                code,
                why: Some(format!("exit status {code}")),
            },
            Ended::Unnamed => Self {
                code: -1,
                why: Some("signal: real-time".into()),
            },
            Ended::Signalled(Signal::SIGKILL) => Self {
                code: -1,
                why: Some("signal: killed".into()),
            },
            Ended::Signalled(signal) => {
                let name = signal.as_str().trim_start_matches("SIG").to_lowercase();
                Self {
                    code: -1,
                    why: Some(format!("signal: {name}")),
                }
            }
        }
    }
}

/// Kills a command when it is given up.
struct Guard(Option<Group>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            group.kill_tree();
        }
    }
}

/// Runs `program` and ends with its last event. `record` is told how it went.
pub(crate) async fn run(
    processes: &Processes,
    program: Program,
    limit: Option<i64>,
    sink: &Sink,
    record: &Record,
) {
    let begun = Instant::now();
    let outcome = match processes.spawn(program) {
        Ok(started) => {
            record.started(started.group);
            drive(started, limit, sink, record).await
        }
        Err(error) => not_started(&error, sink, record).await,
    };
    // The client has gone when an event cannot be sent: the command was killed then.
    let outcome = outcome.unwrap_or(Outcome {
        code: -1,
        why: Some("signal: killed".into()),
    });
    record.ended(&outcome);
    if let Sink::Events(events) = sink {
        let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or_default();
        let _ = match &outcome.why {
            None => events.complete(took).await,
            Some(why) => events.failed(outcome.code, why).await,
        };
    }
}

/// A command whose shell cannot be started ends as one that a shell does not find.
async fn not_started(error: &io::Error, sink: &Sink, record: &Record) -> Result<Outcome, Gone> {
    let text = format!("sh: {error}\n");
    put(
        sink,
        record,
        Stream::Stderr,
        text.as_bytes(),
        &mut Vec::new(),
    )
    .await?;
    Ok(Ended::Exited(127).into())
}

async fn put(
    sink: &Sink,
    record: &Record,
    stream: Stream,
    bytes: &[u8],
    line: &mut Vec<u8>,
) -> Result<(), Gone> {
    match sink {
        Sink::Events(events) => events.output(stream, bytes, line).await,
        Sink::Log => {
            record.log(bytes);
            Ok(())
        }
    }
}

async fn drive(
    mut started: Started,
    limit: Option<i64>,
    sink: &Sink,
    record: &Record,
) -> Result<Outcome, Gone> {
    let mut guard = Guard(Some(started.group));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let stdout = started.stdout.take().map(OwnedFd::from);
    let stderr = started.stderr.take().map(OwnedFd::from);
    let output = async {
        tokio::try_join!(
            copy(Stream::Stdout, stdout, sink, record, stopped.clone()),
            copy(Stream::Stderr, stderr, sink, record, stopped.clone()),
        )
        .map(drop)
    };
    tokio::pin!(output);
    let limit = limit.and_then(|limit| u64::try_from(limit).ok());
    let deadline = limit
        .filter(|limit| *limit > 0)
        .map(|limit| tokio::time::Instant::now() + Duration::from_millis(limit));
    let expired = async {
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(expired);
    let gone = async {
        match sink {
            Sink::Events(events) => events.gone().await,
            Sink::Log => std::future::pending().await,
        }
    };
    tokio::pin!(gone);
    let mut pings = interval_at(tokio::time::Instant::now() + PING, PING);
    let (mut is_drained, mut is_late) = (false, false);
    let ended = loop {
        tokio::select! {
            biased;
            done = &mut output, if !is_drained => {
                done?;
                is_drained = true;
            }
            ended = &mut started.ended => break ended.unwrap_or(Ended::Exited(-1)),
            () = &mut expired, if !is_late => {
                started.group.kill_tree();
                is_late = true;
            }
            () = &mut gone => return Err(Gone),
            _ = pings.tick() => if let Sink::Events(events) = sink {
                events.ping().await?;
            }
        }
    };
    // What it left in the background goes on, as it does under any execd.
    guard.0 = None;
    stop.send_replace(true);
    if !is_drained {
        output.await?;
    }
    Ok(ended.into())
}

/// Takes what comes out of a pipe until it is closed, or, once `stopped`, until nothing comes.
async fn copy(
    stream: Stream,
    pipe: Option<OwnedFd>,
    sink: &Sink,
    record: &Record,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) -> Result<(), Gone> {
    let Some(Ok(mut pipe)) = pipe.map(pipe::Receiver::from_owned_fd) else {
        return Ok(());
    };
    let (mut buffer, mut line, mut left) = (vec![0; CHUNK], Vec::new(), LEFT);
    loop {
        let is_over = *stopped.borrow();
        let read = if is_over {
            match timeout(LAG, pipe.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => break,
            }
        } else {
            tokio::select! {
                read = pipe.read(&mut buffer) => read,
                // Looked at again, with bounds.
                _ = stopped.changed() => continue,
            }
        };
        let read = match read {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        put(sink, record, stream, &buffer[..read], &mut line).await?;
        if is_over {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    }
    put(sink, record, stream, &[], &mut line).await
}
