//! The agent: a small static execd of our own, the first process of a sandbox.
//!
//! `osb-agent [--] ENTRYPOINT…` starts the entrypoint and serves execd's API on its standard input
//! and output: one line that says that it is ready, then HTTP/2, so that one stream of bytes
//! carries many requests at once. It ends with the entrypoint's exit code when that ends, and with
//! everything it runs when its input ends, so that a harness that died leaves no sandbox behind.
//!
//! `osb-agent --listen ADDRESS [--] [ENTRYPOINT…]` serves on a TCP port instead, as a plain execd.
//!
//! `osb-agent enclose` first makes the sandbox, of namespaces; see [`enclose`].

mod body;
mod command;
mod directory;
mod enclose;
mod error;
mod event;
mod execution;
mod file;
mod id;
mod metric;
mod process;
mod record;
mod server;
mod session;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use osb_conformance::execd::enclosure::Greeting;
use tokio::sync::Notify;
use tokio::time::timeout;

use process::{Ended, Processes, Program};
use server::Agent;

/// Exit code where the entrypoint cannot be started.
const NOT_STARTED: u8 = 127;

/// How long an agent whose entrypoint ended at once waits for its client's first word.
const MEETING: Duration = Duration::from_secs(1);

const USAGE: &str = "usage: osb-agent [--listen ADDRESS] [--] [ENTRYPOINT…]";

/// What to serve, and on what.
struct Service {
    /// Standard input and output where `None`.
    listen: Option<SocketAddr>,
    entrypoint: Vec<String>,
    /// Environment of everything that is started; the agent's own where `None`.
    env: Option<BTreeMap<String, String>>,
}

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1);
    let mut arguments = words
        .map(|word| word.to_string_lossy().into_owned())
        .peekable();
    if arguments.next_if(|word| word == enclose::OUTER).is_some() {
        return enclose::outer(arguments.map(Into::into));
    }
    if arguments.next_if(|word| word == enclose::INNER).is_some() {
        return enclose::inner(arguments.next().and_then(|length| length.parse().ok()));
    }
    let mut listen = None;
    if arguments.next_if(|word| word == "--listen").is_some() {
        listen = arguments.next().and_then(|address| address.parse().ok());
        if listen.is_none() {
            eprintln!("{USAGE}; ADDRESS is such as 127.0.0.1:44772");
            return ExitCode::from(2);
        }
    }
    arguments.next_if(|word| word == "--");
    let entrypoint: Vec<_> = arguments.collect();
    if entrypoint.is_empty() && listen.is_none() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    run(Service {
        listen,
        entrypoint,
        env: None,
    })
}

fn run(service: Service) -> ExitCode {
    // Not for those inside to look into: they would reach the pipes that it is spoken to over.
    let _ = nix::sys::prctl::set_dumpable(false);
    // The thread for blocking calls is there from the start and stays: where a fork bomb has taken
    // every process there may be, none could be started, and tokio would panic.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(u64::from(u32::MAX)))
        .build();
    let served = runtime.and_then(|runtime| {
        let code = runtime.block_on(serve(service));
        // What still looks through files for a client is not waited for.
        runtime.shutdown_background();
        code
    });
    match served {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("osb-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until the entrypoint or the input ends; answers the exit code.
async fn serve(service: Service) -> std::io::Result<u8> {
    let _ = tokio::task::spawn_blocking(|| {}).await;
    let agent = Arc::new(Agent {
        processes: Processes::start(service.env)?,
        ..Agent::default()
    });
    let mut words = service.entrypoint.into_iter();
    let entrypoint = words.next().map(|program| Program {
        program,
        arguments: words.collect(),
        ..Program::default()
    });
    let started = match entrypoint.map(|entrypoint| {
        let name = entrypoint.program.clone();
        let started = agent.processes.spawn(entrypoint);
        started.map_err(|error| format!("\"{name}\": {error}"))
    }) {
        Some(Err(why)) => {
            eprintln!("osb-agent: {why}");
            if service.listen.is_none() {
                server::greet(&Greeting::NotStarted(why))?;
            }
            return Ok(NOT_STARTED);
        }
        Some(Ok(started)) => Some(started),
        None => None,
    };
    if service.listen.is_none() {
        // Before the entrypoint's end is looked for: one that ends at once has begun all the same.
        server::greet(&Greeting::Ready)?;
    }
    let ended = async {
        match started {
            Some(started) => started.ended.await.unwrap_or(Ended::Exited(1)),
            None => std::future::pending().await,
        }
    };
    let router = server::router(Arc::clone(&agent));
    let met = Arc::new(Notify::new());
    let served = async {
        match service.listen {
            Some(address) => server::serve_tcp(router, address).await,
            None => server::serve_stdio(router, Arc::clone(&met)).await,
        }
    };
    let mut served = pin!(served);
    let code = tokio::select! {
        ended = ended => {
            if service.listen.is_none() {
                // A client that was just greeted must not find the pipe closed.
                tokio::select! {
                    _ = timeout(MEETING, met.notified()) => {}
                    _ = served.as_mut() => {}
                }
            }
            ended.shell_code()
        }
        served = served.as_mut() => served.map(|()| 0)?,
    };
    agent.processes.kill_all();
    Ok(code)
}
