//! `/session`: runs that share their exported variables and their working directory.
//!
//! Each run is a shell of its own. As it ends it tells its working directory and environment over
//! a pipe, and the next one begins with them: so a session outlives `exit`, a failed run and a
//! killed one.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use osb_conformance::execd::protocol::{
    CHUNKS, CreateSessionRequest, CreateSessionResponse, RunInSessionRequest,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use crate::command::{check_command, check_cwd, check_timeout};
use crate::error::{Refusal, json};
use crate::event;
use crate::execution::{self, Sink};
use crate::id::new_id;
use crate::process::Program;
use crate::record::Record;
use crate::server::Agent;

/// Runs its first argument; as it ends, the working directory and the environment go to what was
/// its standard input.
const WRAPPER: &str = r#"exec 9>&0 </dev/null
trap 'osb_code=$?; { pwd; printf "\0"; cat /proc/self/environ; } >&9 2>/dev/null; exit $osb_code' EXIT
eval "$1""#;

/// Most bytes that a run may tell.
const LARGEST: usize = 4 << 20;

/// The sessions, by their ids.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One session.
pub(crate) struct Session {
    /// Held by a run to its end: a session's runs are one after the other.
    turn: Arc<tokio::sync::Mutex<()>>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    cwd: Option<String>,
    /// The whole environment; the sandbox's own before the first run.
    env: Option<BTreeMap<String, String>>,
    running: Option<Arc<Record>>,
}

impl Memory {
    /// Takes what a run told as it ended: its directory, then its environment. One that was
    /// killed told nothing, and changes nothing.
    fn take(&mut self, dump: &[u8]) {
        let text = String::from_utf8_lossy(dump);
        let Some((cwd, env)) = text.split_once('\0') else {
            return;
        };
        let pairs = env.split('\0').filter_map(|pair| pair.split_once('='));
        self.cwd = Some(cwd.trim_end_matches('\n').to_owned()).filter(|cwd| !cwd.is_empty());
        self.env = Some(
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        );
    }
}

impl Session {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /session`.
pub(crate) async fn create(
    State(agent): State<Arc<Agent>>,
    body: Bytes,
) -> Result<Json<CreateSessionResponse>, Refusal> {
    let request: CreateSessionRequest = if body.is_empty() {
        CreateSessionRequest::default()
    } else {
        json(&body)?
    };
    if let Some(cwd) = &request.cwd {
        std::fs::create_dir_all(cwd)
            .map_err(|error| Refusal::body(format!("cwd \"{cwd}\" cannot be made: {error}")))?;
    }
    let session_id = new_id();
    let session = Session {
        turn: Arc::default(),
        memory: Mutex::new(Memory {
            cwd: request.cwd,
            ..Memory::default()
        }),
    };
    agent
        .sessions
        .all()
        .insert(session_id.clone(), Arc::new(session));
    Ok(Json(CreateSessionResponse { session_id }))
}

/// `POST /session/{id}/run`.
pub(crate) async fn run(
    State(agent): State<Arc<Agent>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: RunInSessionRequest = json(&body)?;
    agent.check_thawed()?;
    check_command(&request.command)?;
    check_timeout(request.timeout)?;
    check_cwd(request.cwd.as_deref())?;
    let session = agent.sessions.all().get(&id).cloned();
    let session = session.ok_or_else(|| not_found(&id))?;
    let turn = Arc::clone(&session.turn).lock_owned().await;
    let (told, tell) = std::io::pipe()
        .and_then(|(told, tell)| Ok((pipe::Receiver::from_owned_fd(told.into())?, tell)))
        .map_err(|error| Refusal::runtime(format!("no pipe can be made: {error}")))?;
    let record = agent.records.begin(&request.command, false);
    let program = {
        let mut memory = session.memory();
        if request.cwd.is_some() {
            memory.cwd.clone_from(&request.cwd);
        }
        memory.running = Some(Arc::clone(&record));
        Program {
            program: "sh".into(),
            arguments: ["-c", WRAPPER, "sh", &request.command]
                .map(String::from)
                .to_vec(),
            // One that was removed meanwhile is left, as a shell would leave it.
            cwd: memory
                .cwd
                .clone()
                .filter(|cwd| check_cwd(Some(cwd)).is_ok()),
            fresh: memory.env.is_some(),
            envs: memory.env.clone().unwrap_or_default(),
            captured: true,
            input: Some(tell.into()),
            ..Program::default()
        }
    };
    let (events, answer) = event::stream(headers.contains_key(CHUNKS));
    tokio::spawn(async move {
        let _turn = turn;
        let _ = events.init(&record.id).await;
        let sink = Sink::Events(events);
        let run = execution::run(&agent.processes, program, request.timeout, &sink, &record);
        let dump = read_during(told, run).await;
        session.memory().take(&dump);
    });
    Ok(answer)
}

/// What is told over the pipe until `run` has ended.
async fn read_during(mut pipe: pipe::Receiver, run: impl Future<Output = ()>) -> Vec<u8> {
    let mut dump = Vec::new();
    tokio::pin!(run);
    loop {
        tokio::select! {
            biased;
            read = pipe.read_buf(&mut dump) => match read {
                Ok(read) if read > 0 && dump.len() < LARGEST => {}
                _ => {
                    run.await;
                    break;
                }
            },
            () = &mut run => {
                // What is in the pipe is read; what a process in the background holds it open
                // for is not waited for.
                while let Ok(read) = pipe.try_read_buf(&mut dump)
                    && read > 0
                    && dump.len() < LARGEST
                {}
                break;
            }
        }
    }
    dump
}

/// `DELETE /session/{id}`: also kills what runs in it.
pub(crate) async fn delete(
    State(agent): State<Arc<Agent>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let session = agent.sessions.all().remove(&id);
    let session = session.ok_or_else(|| not_found(&id))?;
    if let Some(group) = session.memory().running.as_ref().and_then(|r| r.group()) {
        group.kill_tree();
    }
    Ok(StatusCode::OK)
}

fn not_found(id: &str) -> Refusal {
    let message = format!("there is no session {id}");
    Refusal::new(StatusCode::NOT_FOUND, "CONTEXT_NOT_FOUND", message)
}
