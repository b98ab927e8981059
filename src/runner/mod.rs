//! Runs scenarios against a target: concurrency, deadlines, clean-up, verdicts.
//!
//! The runner prints nothing; it emits [`Event`](crate::report::Event)s. [`Suite`] is what can be
//! run, [`Runner`] runs it: all of a selection with [`Runner::run`], or one scenario at a time with
//! [`Runner::run_scenario`], as the libtest harness does.

mod differential;
mod execution;
mod judge;
mod plan;
mod suite;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::scenario::{KnownFailures, Profile, Scenario};
use crate::target::{
    Ledger, LedgerError, Owner, Remainder, Target, TargetError, settle, state_folder,
};

pub use differential::{Pair, run_both};
pub use suite::{Selection, Suite, SuiteError};

/// How much more time a slow scenario has.
const SLOW: Duration = Duration::from_secs(120);

/// How a run is to go.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// How many scenarios run at once, at least 1.
    pub jobs: usize,
    /// How long one scenario may take, clean-up not counted; a slow one two minutes more.
    pub timeout: Duration,
    /// Whether scenarios run that take a minute or more.
    pub slow: bool,
    /// Whether to begin no further scenario after the first that is not passed or skipped.
    pub fail_fast: bool,
    /// Whether to write the transcripts of scenarios that ran to their end.
    pub accept: bool,
    /// Whether any refusal of a wrong request counts that makes nothing, whatever its status and
    /// form: for implementations that check what a request looks like in a way of their own.
    pub lenient: bool,
    /// The profile that the run makes a claim about.
    pub profile: Option<Profile>,
    /// Scenarios that fail on this target.
    pub known_failures: KnownFailures,
    /// Folder for ledgers, see [`state_folder`].
    pub state: PathBuf,
    /// The command that reruns one scenario: `{path}` stands for its path, `{name}` for its name.
    pub rerun: String,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            jobs: 4,
            timeout: Duration::from_secs(60),
            slow: false,
            fail_fast: false,
            accept: false,
            lenient: false,
            profile: None,
            known_failures: KnownFailures::default(),
            state: state_folder(),
            rerun: "osb-conformance run {path}".into(),
        }
    }
}

impl RunnerOptions {
    /// How long a scenario may take.
    fn limit(&self, is_slow: bool) -> Duration {
        match is_slow {
            true => self.timeout + SLOW,
            false => self.timeout,
        }
    }
}

/// Runs scenarios of one suite against one target, as one run with one ledger.
pub struct Runner {
    suite: Arc<Suite>,
    target: Arc<dyn Target>,
    ledger: Arc<Ledger>,
    counter: Arc<AtomicU32>,
    options: RunnerOptions,
    prepared: OnceCell<()>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Runner {
    /// Begins a run: opens its ledger.
    ///
    /// # Errors
    /// When the ledger cannot be written; nothing can be created then.
    pub fn new(
        suite: Arc<Suite>,
        target: Arc<dyn Target>,
        options: RunnerOptions,
    ) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(
            &options.state,
            &target.info().locator,
            Owner::this_process(),
        )?;
        Ok(Self {
            suite,
            target,
            ledger: Arc::new(ledger),
            counter: Arc::default(),
            options,
            prepared: OnceCell::new(),
        })
    }

    /// The target.
    pub fn target(&self) -> &dyn Target {
        self.target.as_ref()
    }

    /// The command that reruns just `scenario`.
    fn rerun(&self, scenario: &Scenario) -> String {
        self.options
            .rerun
            .replace("{path}", scenario.path())
            .replace("{name}", scenario.name())
    }

    /// Gets the target ready, once: the first scenario does it where nobody did before.
    ///
    /// # Errors
    /// When the target cannot be made ready, such as for want of an image.
    pub async fn prepare(&self) -> Result<(), TargetError> {
        self.prepared
            .get_or_try_init(|| self.target.prepare())
            .await
            .copied()
    }

    /// Ends the run: compares the target with the ledger, removes what is left, and answers what
    /// that was.
    pub async fn finish(&self) -> Remainder {
        settle(self.target.as_ref(), &self.ledger).await
    }
}
