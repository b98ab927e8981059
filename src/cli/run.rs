//! `run`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use osb_conformance::report::{
    Event, Json, Junit, Reporter, Style, Summary, Terminal, TerminalMode,
};
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::scenario::Filter;
use osb_conformance::signal::cancel_on_signal;
use osb_conformance::target::Target;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};

use super::args::{Choice, ReportChoice, RunArguments, TargetChoice};
use super::{Failure, exit};

/// How many scenarios run at once by default. More than the cores of a small machine: a scenario
/// mostly waits for the engine.
const JOBS: u16 = 4;

pub(super) async fn run(arguments: RunArguments) -> Result<u8, Failure> {
    if arguments.accept && std::env::var_os("CI").is_some() {
        return Err(Failure::usage(
            "--accept is not for CI: it would accept whatever the target does",
        ));
    }
    let (suite, selection) = choose(&arguments.choice)?;
    if arguments.accept
        && let Some(built_in) = selection
            .iter()
            .find(|s| s.source.transcript_file.is_none())
    {
        return Err(Failure::usage(format!(
            "{} is built in and cannot be changed: give --accept together with --scenarios DIR and a FILTER",
            built_in.path()
        )));
    }
    let mut reporters = reporters(&arguments)?;
    let cancel = CancellationToken::new();
    tokio::spawn(cancel_on_signal(cancel.clone()));
    let config = DockerConfig {
        image: arguments.image.clone(),
        allowed_host_paths: arguments.allow_host_path.clone(),
        progress: Some(Arc::new(|text: &str| eprintln!("{text}"))),
    };
    let target = match connect(arguments.target, config, &cancel).await {
        Some(target) => target?,
        None => return Ok(exit::INTERRUPTED),
    };
    let options = RunnerOptions {
        jobs: usize::from(arguments.jobs.unwrap_or(JOBS)),
        timeout: arguments.timeout,
        fail_fast: arguments.fail_fast,
        accept: arguments.accept,
        rerun: rerun(&arguments, target.as_ref()),
        ..RunnerOptions::default()
    };
    let runner = Runner::new(Arc::new(suite), target, options)?;
    let ready = tokio::select! {
        ready = runner.prepare() => ready,
        () = cancel.cancelled() => Ok(()),
    };
    if let Err(error) = ready {
        runner.finish().await;
        return Err(error.into());
    }
    let mut trouble = None;
    let summary = runner
        .run(&selection, &cancel, &mut |event: &Event<'_>| {
            for (name, reporter) in &mut reporters {
                // One report that cannot be written does not starve the others.
                match reporter.event(event) {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                        trouble.get_or_insert_with(|| format!("{name} cannot be written: {error}"));
                    }
                    _ => {}
                }
            }
        })
        .await;
    match trouble {
        Some(trouble) => Err(Failure::unavailable(trouble)),
        None => Ok(code(&summary)),
    }
}

/// The exit code of a run. A definite failure weighs more than one that could not be judged.
fn code(summary: &Summary) -> u8 {
    if summary.interrupted {
        exit::INTERRUPTED
    } else if summary.verdicts.failed > 0 || !summary.leaked.is_empty() {
        exit::NOT_CONFORMANT
    } else if summary.verdicts.errored > 0 {
        exit::UNAVAILABLE
    } else {
        exit::SUCCESS
    }
}

/// The suite and the scenarios that the command line selects.
pub(super) fn choose(
    choice: &Choice,
) -> Result<(Suite, Vec<osb_conformance::scenario::Scenario>), Failure> {
    let suite = match &choice.scenarios {
        Some(folder) => Suite::shipped_and(folder)?,
        None => Suite::shipped()?,
    };
    let filters = choice
        .filters
        .iter()
        .map(|text| Filter::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let selection = suite.select(&filters)?;
    Ok((suite, selection))
}

/// Connects to the target, or answers `None` when the run is interrupted meanwhile.
async fn connect(
    choice: TargetChoice,
    config: DockerConfig,
    cancel: &CancellationToken,
) -> Option<Result<Arc<dyn Target>, Failure>> {
    let connected = tokio::select! {
        connected = DockerTarget::connect(config) => connected,
        () = cancel.cancelled() => return None,
    };
    Some(match connected {
        Ok(target) => Ok(Arc::new(target)),
        Err(error) if choice == TargetChoice::Auto => Err(Failure::unavailable(format!(
            "no target can run here: {error}"
        ))),
        Err(error) => Err(error.into()),
    })
}

/// The command that reruns one scenario, with `{path}` in its place.
fn rerun(arguments: &RunArguments, target: &dyn Target) -> String {
    let mut words = vec![
        "osb-conformance run --target".to_owned(),
        target.info().name.clone(),
    ];
    if let Some(image) = arguments.image.as_ref().filter(|image| !image.is_empty()) {
        words.extend(["--image".into(), quoted(image)]);
    }
    if let Some(folder) = &arguments.choice.scenarios {
        words.extend(["--scenarios".into(), quoted(&folder.display().to_string())]);
    }
    for folder in &arguments.allow_host_path {
        words.extend([
            "--allow-host-path".into(),
            quoted(&folder.display().to_string()),
        ]);
    }
    words.push("{path}".into());
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

type Named = (String, Box<dyn Reporter>);

fn reporters(arguments: &RunArguments) -> Result<Vec<Named>, Failure> {
    let mode = if arguments.transcript {
        TerminalMode::Transcript
    } else {
        TerminalMode::Brief
    };
    let terminal = Terminal::new(Box::new(io::stdout()), style(), mode);
    let mut reporters: Vec<Named> = vec![("the terminal".into(), Box::new(terminal))];
    for report in &arguments.report {
        let (file, reporter): (_, Box<dyn Reporter>) = match report {
            ReportChoice::Junit(file) => (file, Box::new(Junit::new(create(file)?))),
            ReportChoice::Json(file) => (file, Box::new(Json::new(create(file)?))),
        };
        reporters.push((file.display().to_string(), reporter));
    }
    Ok(reporters)
}

fn create(file: &Path) -> Result<impl Write + Send + use<>, Failure> {
    File::create(file).map(BufWriter::new).map_err(|error| {
        Failure::usage(format!(
            "--report {} cannot be written: {error}",
            file.display()
        ))
    })
}

/// What the terminal can show. `NO_COLOR` (<https://no-color.org>) wins over everything.
fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let terminal = io::stdout().is_terminal();
    Style {
        color: terminal && !plain,
        progress: terminal && io::stderr().is_terminal(),
    }
}
