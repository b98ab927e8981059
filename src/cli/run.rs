//! `run`.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use osb_conformance::report::{
    Event, Json, Junit, Reporter, Style, Summary, Terminal, TerminalMode,
};
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::scenario::{Filter, KnownFailures, KnownFailuresError};
use osb_conformance::signal::cancel_on_signal;
use osb_conformance::target::Target;

use super::args::{Choice, ReportChoice, RunArguments, VolumesChoice};
use super::target::{Setting, connect};
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
    let (suite, mut selection) = choose(&arguments.choice)?;
    if let Some(profile) = &arguments.profile {
        selection = suite.narrow(selection, profile)?;
    }
    let known_failures = match &arguments.known_failures {
        Some(file) => known_failures(file, &suite)?,
        None => KnownFailures::default(),
    };
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
    let setting = Setting {
        image: arguments.image.clone().filter(|image| !image.is_empty()),
        allowed_host_paths: arguments.allow_host_path.clone(),
        any_image: false,
        proxy: arguments.proxy,
        volumes: arguments.volumes.into(),
    };
    let connected = async {
        let target = connect(arguments.target.clone(), &setting).await?;
        let other = match arguments.against.clone() {
            Some(other) => Some(connect(other, &setting).await?),
            None => None,
        };
        Ok::<_, Failure>((target, other))
    };
    let (target, other) = tokio::select! {
        connected = connected => connected.map_err(|failure| cannot_begin(&mut reporters, failure))?,
        () = cancel.cancelled() => {
            tell(&mut reporters, &Event::RunImpossible("interrupted"));
            return Ok(exit::INTERRUPTED);
        }
    };
    let options = |target: &dyn Target| RunnerOptions {
        jobs: usize::from(arguments.jobs.unwrap_or(JOBS)),
        timeout: arguments.timeout,
        slow: arguments.slow,
        fail_fast: arguments.fail_fast,
        accept: arguments.accept,
        lenient: arguments.lenient,
        profile: arguments.profile,
        known_failures: known_failures.clone(),
        rerun: rerun(&arguments, target),
        ..RunnerOptions::default()
    };
    let suite = Arc::new(suite);
    let begin = |target: Arc<dyn Target>| {
        let options = options(target.as_ref());
        Runner::new(Arc::clone(&suite), target, options)
    };
    if let Some(other) = other {
        let pair = (begin(target)?, begin(other)?);
        return super::against::against(pair, &selection, &cancel).await;
    }
    let runner = begin(target).map_err(|error| cannot_begin(&mut reporters, error.into()))?;
    let ready = prepare(&runner, &cancel).await;
    ready.map_err(|failure| cannot_begin(&mut reporters, failure))?;
    let mut trouble = None;
    let summary = runner
        .run(&selection, &cancel, &mut |event: &Event<'_>| {
            trouble = trouble.take().or(tell(&mut reporters, event));
        })
        .await;
    match trouble {
        Some(trouble) => Err(Failure::unavailable(trouble)),
        None => Ok(code(&summary)),
    }
}

/// Tells every report of an event; answers what is wrong with one that cannot be written. It does
/// not starve the others.
fn tell(reporters: &mut [Named], event: &Event<'_>) -> Option<String> {
    let mut trouble = None;
    for (name, reporter) in reporters {
        match reporter.event(event) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                trouble.get_or_insert_with(|| format!("{name} cannot be written: {error}"));
            }
            _ => {}
        }
    }
    trouble
}

/// Tells every report why the run cannot begin: an empty file would be no report.
fn cannot_begin(reporters: &mut [Named], failure: Failure) -> Failure {
    tell(reporters, &Event::RunImpossible(failure.why()));
    failure
}

/// The exit code of a run. A definite failure weighs more than one that could not be judged.
fn code(summary: &Summary) -> u8 {
    let verdicts = &summary.verdicts;
    if summary.interrupted {
        exit::INTERRUPTED
    } else if verdicts.failed + verdicts.unexpected_pass > 0 || !summary.leaked.is_empty() {
        exit::NOT_CONFORMANT
    } else if verdicts.errored > 0 || !summary.unsettled.is_empty() || summary.is_empty() {
        exit::UNAVAILABLE
    } else if summary.is_success() {
        exit::SUCCESS
    } else {
        exit::NOT_CONFORMANT
    }
}

/// The list of known failures in a file, or that ships under that name.
fn known_failures(file: &Path, suite: &Suite) -> Result<KnownFailures, Failure> {
    let wrong = |why: String| Failure::usage(format!("--known-failures {}: {why}", file.display()));
    let shipped = file.to_str().and_then(Suite::shipped_known_failures);
    let text = match shipped.filter(|_| !file.exists()) {
        Some(text) => text.to_owned(),
        None => fs::read_to_string(file).map_err(|error| {
            let lists: Vec<_> = Suite::shipped_lists().collect();
            wrong(format!("{error}; lists that ship: {}", lists.join(", ")))
        })?,
    };
    let known: KnownFailures = text
        .parse()
        .map_err(|error: KnownFailuresError| wrong(error.to_string()))?;
    suite
        .check_known(&known)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(known)
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

/// Gets the target ready before the first scenario, or ends the run.
pub(super) async fn prepare(runner: &Runner, cancel: &CancellationToken) -> Result<(), Failure> {
    let ready = tokio::select! {
        ready = runner.prepare() => ready,
        () = cancel.cancelled() => Ok(()),
    };
    if let Err(error) = ready {
        runner.finish().await;
        return Err(error.into());
    }
    Ok(())
}

/// The command that reruns one scenario, with `{path}` in its place.
fn rerun(arguments: &RunArguments, target: &dyn Target) -> String {
    let mut words = vec![
        "osb-conformance run --target".to_owned(),
        quoted(&target.info().locator),
    ];
    words.extend(arguments.lenient.then(|| "--lenient".into()));
    words.extend(arguments.slow.then(|| "--slow".into()));
    if target.info().name == "server" {
        words.extend(arguments.proxy.then(|| "--proxy".into()));
        words.extend(match arguments.volumes {
            VolumesChoice::Auto => None,
            VolumesChoice::Docker => Some("--volumes docker".into()),
            VolumesChoice::Api => Some("--volumes api".into()),
        });
    }
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
pub(super) fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let terminal = io::stdout().is_terminal();
    Style {
        color: terminal && !plain,
        progress: terminal && io::stderr().is_terminal(),
    }
}
