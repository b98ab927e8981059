//! The command line. Raw flags are read in [`args`]; what they mean is resolved once, here, and
//! done through the library's public API.

mod against;
mod args;
mod clean;
mod coverage;
mod doctor;
mod failure;
mod list;
mod new;
mod run;
mod serve;
mod target;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
pub(crate) use failure::Failure;

/// Exit codes, as the README documents them.
pub(crate) mod exit {
    /// The target conforms to what was run.
    pub(crate) const SUCCESS: u8 = 0;
    /// It does not.
    pub(crate) const NOT_CONFORMANT: u8 = 1;
    /// The command line or a file that it names is wrong.
    pub(crate) const USAGE: u8 = 2;
    /// The target cannot be reached, or the harness could not judge.
    pub(crate) const UNAVAILABLE: u8 = 3;
    /// Interrupted.
    pub(crate) const INTERRUPTED: u8 = 130;
}

/// Does what the process's arguments say.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            return ExitCode::from(if wrong { exit::USAGE } else { exit::SUCCESS });
        }
    };
    trace();
    let result = tokio::runtime::Runtime::new()
        .map_err(|error| {
            Failure::unavailable(format!(
                "the asynchronous runtime cannot be started: {error}"
            ))
        })
        .and_then(|runtime| runtime.block_on(dispatch(arguments.command)));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.code)
        }
    }
}

async fn dispatch(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Run(arguments) => run::run(arguments).await,
        Command::List(arguments) => list::list(&arguments),
        Command::Coverage(arguments) => coverage::coverage(arguments).await,
        Command::New(arguments) => new::new(&arguments),
        Command::Doctor => doctor::doctor().await,
        Command::Clean => clean::clean().await,
        Command::Serve(arguments) => serve::serve(arguments).await,
    }
}

/// Diagnostics of the libraries below, for those who ask with `OSB_LOG=debug`.
fn trace() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("OSB_LOG") {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
}
