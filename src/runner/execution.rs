//! Runs one scenario: its thread, its deadline, its clean-up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::lua::{self, Operation, Script, Stage};
use crate::report::{Finding, ScenarioReport};
use crate::scenario::{Metadata, Scenario};
use crate::target::{Capability, Resource, Scope, TargetError};
use crate::transcript::Recorder;

use super::Runner;
use super::judge::{self, Evidence};

/// How long past its deadline a script is waited for: it ends there unless it is inside a function
/// of Lua's own that cannot be stopped, such as a pathological string pattern.
const GRACE: Duration = Duration::from_secs(2);

/// How long the removal of one scenario's resources may take.
const TEAR_DOWN: Duration = Duration::from_secs(120);

/// How a script's run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It came to its end, by itself or by an error.
    Finished,
    /// The deadline passed, while the call to the target, if any, was in flight.
    TimedOut(Option<Operation>),
    /// The run was interrupted.
    Interrupted,
    /// The deadline passed and the script could not be stopped; its thread is abandoned.
    Stuck,
    /// The harness broke.
    Panicked,
}

/// What could not be removed, and why.
pub(super) type Left = Vec<(Resource, TargetError)>;

impl Runner {
    /// Runs one scenario to its verdict and removes what it created. When `cancel` is cancelled,
    /// the script is stopped, and removal still takes place.
    pub async fn run_scenario(
        &self,
        scenario: &Scenario,
        cancel: &CancellationToken,
    ) -> ScenarioReport {
        let mut start = Instant::now();
        let evidence = match &scenario.metadata {
            Err(defect) => Evidence::NotRun(judge::defect(defect)),
            Ok(metadata) => match self.obstacle(scenario, metadata).await {
                Some(finding) => Evidence::NotRun(finding),
                None => {
                    start = Instant::now();
                    self.execute(scenario, metadata, start, cancel).await
                }
            },
        };
        let rerun = self.rerun(scenario);
        judge::report(scenario, evidence, &self.options, start.elapsed(), rerun)
    }

    /// Why a scenario is not run although it could be read.
    async fn obstacle(&self, scenario: &Scenario, metadata: &Metadata) -> Option<Finding> {
        let info = self.target.info();
        if metadata.slow && !self.options.slow {
            return Some(judge::slow());
        }
        let required = metadata.requires.iter().flat_map(|name| name.parse());
        let mut lacking =
            required.filter(|capability: &Capability| !info.capabilities.contains(capability));
        if let Some(capability) = lacking.next() {
            return Some(judge::lacks(&info.name, capability));
        }
        if scenario.source.transcript.is_none() && !self.options.accept {
            return Some(judge::missing_transcript(scenario));
        }
        self.prepare()
            .await
            .err()
            .map(|error| judge::not_ready(&error))
    }

    async fn execute(
        &self,
        scenario: &Scenario,
        metadata: &Metadata,
        start: Instant,
        cancel: &CancellationToken,
    ) -> Evidence {
        let stage = Arc::new(Stage::new(Recorder::new(&metadata.title, metadata.number)));
        let scope = Arc::new(Scope::new(
            Arc::clone(&self.target),
            Arc::clone(&self.ledger),
            Arc::clone(&self.counter),
        ));
        let deadline = start + self.options.limit(metadata.slow);
        let ended = self.drive(scenario, &stage, &scope, deadline, cancel).await;
        let left = match timeout(TEAR_DOWN, scope.tear_down()).await {
            Ok(left) => left,
            Err(_) => vec![(
                Resource::Sandbox("of this scenario".into()),
                TargetError::failed(
                    format!("removal took longer than {} s", TEAR_DOWN.as_secs()),
                    "gave up; run: osb-conformance clean",
                ),
            )],
        };
        Evidence::Run {
            stage,
            ended,
            left,
            sandboxes: scope.sandboxes(),
        }
    }

    /// Runs the script on a thread of its own: one that cannot be stopped holds up no other.
    async fn drive(
        &self,
        scenario: &Scenario,
        stage: &Arc<Stage>,
        scope: &Arc<Scope>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Ended {
        let (tell, told) = oneshot::channel();
        let (source, modules) = (scenario.source.clone(), Arc::clone(self.suite.modules()));
        let (stage, scope, cancel) = (Arc::clone(stage), Arc::clone(scope), cancel.clone());
        let (runtime, lenient) = (Handle::current(), self.options.lenient);
        let work = move || {
            let ended = runtime.block_on(async {
                let seen = Arc::clone(&stage);
                let script = lua::run(Script { source: &source, modules, scope, stage, lenient, deadline });
                tokio::pin!(script);
                tokio::select! {
                    () = &mut script => Ended::Finished,
                    // Asked before the script is dropped, which takes its calls off the stage.
                    () = tokio::time::sleep_until(deadline.into()) => Ended::TimedOut(seen.in_flight()),
                    () = cancel.cancelled() => Ended::Interrupted,
                }
            });
            // The receiver has gone when the thread was given up.
            let _ = tell.send(ended);
        };
        let thread = std::thread::Builder::new()
            .name(scenario.name().into())
            .spawn(work);
        if thread.is_err() {
            return Ended::Panicked;
        }
        let patience = deadline.saturating_duration_since(Instant::now()) + GRACE;
        match timeout(patience, told).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => Ended::Panicked,
            Err(_) => Ended::Stuck,
        }
    }
}
