//! The same run as libtest trials: scenarios under `cargo test` and cargo-nextest, here and in
//! other projects.
//!
//! One trial per scenario and target, named `docker::volumes/pvc/read_only`. A target that cannot
//! run here shows its trials as ignored, with the reason; [`REQUIRE`] turns that into a failure.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::report::{Verdict, explain};
use crate::runner::{Runner, RunnerOptions, Suite};
use crate::scenario::Scenario;
use crate::signal;
use crate::target::{Capability, Target, TargetError};

/// Environment variable with the names of targets that must run, separated by commas: an ignored
/// trial of theirs is a failed one. For CI, where a target that silently stopped running would
/// otherwise look like success. [`Harness::without`] names what may be missing all the same.
pub const REQUIRE: &str = "OSB_CONFORMANCE_REQUIRE";

type Connect = Pin<Box<dyn Future<Output = Result<Arc<dyn Target>, TargetError>> + Send>>;

/// Scenarios as libtest trials. See the [crate documentation](crate) for an example.
#[must_use = "a harness does nothing until main() is called"]
pub struct Harness {
    suite: Arc<Suite>,
    options: RunnerOptions,
    targets: Vec<(String, Connect)>,
    /// Capabilities that a target is known to lack, by its name.
    lacking: Vec<(String, Capability)>,
}

impl std::fmt::Debug for Harness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harness")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Harness {
    /// A harness for the scenarios of `suite`.
    pub fn new(suite: Suite) -> Self {
        let options = RunnerOptions::default();
        Self {
            suite: Arc::new(suite),
            options,
            targets: Vec::new(),
            lacking: Vec::new(),
        }
    }

    /// Sets how scenarios are run. `jobs` and `rerun` have no meaning here: libtest's own
    /// arguments take their place.
    pub fn options(mut self, options: RunnerOptions) -> Self {
        self.options = options;
        self
    }

    /// Adds a target under the name that its trials carry. `connect` is awaited once; where it
    /// fails, the target's trials are ignored with that error as the reason.
    pub fn target<T: Target + 'static>(
        mut self,
        name: impl Into<String>,
        connect: impl Future<Output = Result<T, TargetError>> + Send + 'static,
    ) -> Self {
        let connect = async {
            connect
                .await
                .map(|target| Arc::new(target) as Arc<dyn Target>)
        };
        self.targets.push((name.into(), Box::pin(connect)));
        self
    }

    /// Says that the target of this name lacks a capability: trials that require it are ignored
    /// also where [`REQUIRE`] demands the target. So are slow ones.
    pub fn without(mut self, name: impl Into<String>, capability: Capability) -> Self {
        self.lacking.push((name.into(), capability));
        self
    }

    /// Runs the trials that the process's arguments select, and answers the exit code for `main`.
    /// SIGINT and SIGTERM stop what runs; what it created is removed all the same.
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        let runtime = match Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("error: the asynchronous runtime cannot be started: {error}");
                return ExitCode::from(3);
            }
        };
        let required = required();
        let cancel = CancellationToken::new();
        runtime.spawn(signal::cancel_on_signal(cancel.clone()));
        let runtime = Arc::new(runtime);
        let (mut trials, mut runners) = (Vec::new(), Vec::new());
        for (name, connect) in self.targets {
            let ready = runtime
                .block_on(connect)
                .map_err(|error| error.to_string())
                .and_then(|target| {
                    let rerun = format!("cargo test -- --exact {name}::{{name}}");
                    let options = RunnerOptions {
                        rerun,
                        ..self.options.clone()
                    };
                    Runner::new(Arc::clone(&self.suite), target, options).map_err(|e| e.to_string())
                });
            let runner = match ready {
                Ok(runner) => Ok(Arc::new(runner)),
                Err(reason) => Err(reason),
            };
            runners.extend(runner.iter().cloned());
            for scenario in self.suite.scenarios() {
                let trial = Job {
                    scenario: scenario.clone(),
                    runner: runner.clone(),
                    runtime: Arc::clone(&runtime),
                    cancel: cancel.clone(),
                    must_run: required.contains(&name)
                        && !scenario.is_slow()
                        && !lacks(&self.lacking, &name, scenario),
                };
                trials.push(trial.trial(&name, arguments.list));
            }
        }
        let conclusion = libtest_mimic::run(&arguments, trials);
        let mut clean = true;
        for runner in runners {
            for leak in runtime.block_on(runner.finish()).words() {
                eprintln!("error: {leak}");
                clean = false;
            }
        }
        if cancel.is_cancelled() {
            return ExitCode::from(130);
        }
        if clean {
            conclusion.exit_code()
        } else {
            ExitCode::from(101)
        }
    }
}

/// Whether the target of this name is known to lack what the scenario requires.
fn lacks(lacking: &[(String, Capability)], name: &str, scenario: &Scenario) -> bool {
    let requires = scenario
        .metadata
        .iter()
        .flat_map(|metadata| &metadata.requires);
    let requires: Vec<Capability> = requires.filter_map(|name| name.parse().ok()).collect();
    lacking
        .iter()
        .any(|(other, capability)| other == name && requires.contains(capability))
}

fn required() -> BTreeSet<String> {
    let names = std::env::var(REQUIRE).unwrap_or_default();
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// One trial's work.
struct Job {
    scenario: Scenario,
    runner: Result<Arc<Runner>, String>,
    runtime: Arc<Runtime>,
    cancel: CancellationToken,
    must_run: bool,
}

impl Job {
    fn trial(self, target: &str, listing: bool) -> Trial {
        let name = format!("{target}::{}", self.scenario.name());
        // In a list the flag tells cargo-nextest not to run it; in a run, the reason is shown.
        let ignored = listing && self.runner.is_err() && !self.must_run;
        Trial::ignorable_test(name, move || self.run()).with_ignored_flag(ignored)
    }

    fn run(self) -> Result<Completion, Failed> {
        let runner = match &self.runner {
            Ok(runner) => runner,
            Err(reason) => return self.ignored(reason),
        };
        if self.cancel.is_cancelled() {
            return Err("the run was interrupted".into());
        }
        let report = self
            .runtime
            .block_on(runner.run_scenario(&self.scenario, &self.cancel));
        match report.verdict {
            Verdict::Passed => Ok(Completion::Completed),
            Verdict::Skipped | Verdict::KnownFailure => {
                let reason = report
                    .findings
                    .first()
                    .map_or("", |finding| finding.message.as_str());
                self.ignored(reason)
            }
            Verdict::Failed | Verdict::Errored | Verdict::UnexpectedPass => {
                Err(explain(&report).into())
            }
        }
    }

    fn ignored(&self, reason: &str) -> Result<Completion, Failed> {
        if self.must_run {
            return Err(format!("{REQUIRE} demands that this runs, but: {reason}").into());
        }
        Ok(Completion::ignored_with(reason))
    }
}
