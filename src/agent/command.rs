//! `/command`: commands in the foreground and in the background.

use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use nix::sys::signal::Signal;
use osb_conformance::execd::protocol::{CHUNKS, CommandStatus, RunCommandRequest, TAIL_CURSOR};

use crate::error::{Refusal, json};
use crate::event;
use crate::execution::{self, Sink};
use crate::process::Program;
use crate::record::Record;
use crate::server::{Agent, Pairs, first};

/// How long a command that was interrupted may take to end by itself.
const MERCY: Duration = Duration::from_secs(3);

/// `POST /command`.
pub(crate) async fn run(
    State(agent): State<Arc<Agent>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: RunCommandRequest = json(&body)?;
    agent.check_thawed()?;
    check_command(&request.command)?;
    check_timeout(request.timeout)?;
    check_cwd(request.cwd.as_deref())?;
    if request.gid.is_some() && request.uid.is_none() {
        return Err(Refusal::body("gid needs uid"));
    }
    check_id("uid", request.uid)?;
    check_id("gid", request.gid)?;
    let record = agent.records.begin(&request.command, request.background);
    let program = Program {
        program: "sh".into(),
        arguments: vec!["-c".into(), request.command],
        cwd: request.cwd,
        envs: request.envs,
        uid: request.uid,
        gid: request.gid,
        captured: true,
        ..Program::default()
    };
    let (events, answer) = event::stream(headers.contains_key(CHUNKS));
    let limit = request.timeout;
    tokio::spawn(async move {
        // A client that has gone already is noticed below.
        let _ = events.init(&record.id).await;
        if record.is_background {
            // Told at once, and says no more than that it was begun.
            let _ = events.complete(0).await;
            drop(events);
            execution::run(&agent.processes, program, limit, &Sink::Log, &record).await;
        } else {
            let sink = Sink::Events(events);
            execution::run(&agent.processes, program, limit, &sink, &record).await;
        }
    });
    Ok(answer)
}

/// Refuses a command line that cannot be one.
pub(crate) fn check_command(command: &str) -> Result<(), Refusal> {
    if command.is_empty() {
        return Err(Refusal::body("command is required"));
    }
    if command.contains('\0') {
        return Err(Refusal::body("command must not hold a NUL character"));
    }
    Ok(())
}

pub(crate) fn check_timeout(timeout: Option<i64>) -> Result<(), Refusal> {
    match timeout {
        Some(timeout) if timeout < 0 => Err(Refusal::body("timeout must not be negative")),
        _ => Ok(()),
    }
}

/// Refuses a user or group that cannot be in the sandbox: an ordinary user's has root alone.
fn check_id(kind: &str, id: Option<u32>) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    // Where there is no `/proc`, the attempt will tell.
    let map = fs::read_to_string(format!("/proc/self/{kind}_map")).unwrap_or_default();
    if map.is_empty() || is_mapped(&map, id) {
        return Ok(());
    }
    Err(Refusal::body(format!(
        "there is no {kind} {id} in this sandbox"
    )))
}

/// Whether a map of users or groups (man 7 user_namespaces) holds `id`.
fn is_mapped(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), Some(Ok(count))) = (fields.next(), fields.nth(1)) else {
            return false;
        };
        (first..first.saturating_add(count)).contains(&u64::from(id))
    })
}

/// Refuses a working directory that is none.
pub(crate) fn check_cwd(cwd: Option<&str>) -> Result<(), Refusal> {
    match cwd.filter(|cwd| !FilePath::new(cwd).is_dir()) {
        Some(cwd) => Err(Refusal::body(format!("cwd \"{cwd}\" is no directory"))),
        None => Ok(()),
    }
}

/// `DELETE /command?id=`: SIGTERM, and SIGKILL for one that does not listen.
pub(crate) async fn interrupt(
    State(agent): State<Arc<Agent>>,
    Query(query): Query<Pairs>,
) -> Result<StatusCode, Refusal> {
    let id = first(&query, "id").ok_or_else(|| Refusal::query("id"))?;
    let record = agent.records.find(id);
    let running = record.and_then(|record| Some((record.group()?, record)));
    let Some((group, record)) = running else {
        return Err(Refusal::runtime(format!("no command {id} runs")));
    };
    group.signal(Signal::SIGTERM);
    tokio::spawn(async move {
        tokio::time::sleep(MERCY).await;
        if record.group().is_some() {
            group.kill_tree();
        }
    });
    Ok(StatusCode::OK)
}

/// `GET /command/status/{id}`.
pub(crate) async fn status(
    State(agent): State<Arc<Agent>>,
    Path(id): Path<String>,
) -> Result<Json<CommandStatus>, Refusal> {
    Ok(Json(find(&agent, &id)?.status()))
}

/// `GET /command/{id}/logs`: what a command in the background has printed.
pub(crate) async fn logs(
    State(agent): State<Arc<Agent>>,
    Path(id): Path<String>,
    Query(query): Query<Pairs>,
) -> Result<Response, Refusal> {
    let record = find(&agent, &id)?;
    if !record.is_background {
        let message = format!("command {id} runs in the foreground: its output is in its events");
        return Err(Refusal::body(message));
    }
    let cursor = match first(&query, "cursor") {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::body(format!("cursor \"{text}\" is no number")))?,
    };
    let (text, end) = record.tail(cursor);
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (HeaderName::from_static(TAIL_CURSOR), end.to_string()),
    ];
    Ok((headers, text).into_response())
}

fn find(agent: &Agent, id: &str) -> Result<Arc<Record>, Refusal> {
    agent.records.find(id).ok_or_else(|| {
        let message = format!("there is no command {id}");
        Refusal::new(StatusCode::NOT_FOUND, "INVALID_REQUEST_BODY", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_a_map_can_be() {
        let all = "         0          0 4294967295\n";
        let (one, two) = ("0 1000 1\n", "0 1000 1\n1 100000 65536\n");
        assert!(is_mapped(all, 65534) && is_mapped(one, 0) && is_mapped(two, 65536));
        assert!(!is_mapped(one, 1) && !is_mapped(two, 65537) && !is_mapped("", 0));
    }
}
