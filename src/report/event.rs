//! The events of a run: the contract between the runner and every report.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::scenario::Scenario;

use super::score::Score;
use super::verdict::{Verdict, VerdictCounts};

/// One event of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins.
    RunStarted(&'a Plan),
    /// A scenario begins. Live: the order of these depends on timing, so they are for progress
    /// display only.
    ScenarioStarted(&'a Scenario),
    /// A scenario has ended, in the order of the plan.
    ScenarioFinished(&'a ScenarioReport),
    /// The run has ended; the last event.
    RunFinished(&'a Summary),
    /// The run could not begin, for this reason; the only event.
    RunImpossible(&'a str),
}

/// What a run is about to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Run id.
    pub run: String,
    /// Short name of the target: `docker`.
    pub target: String,
    /// One line about the target.
    pub target_description: String,
    /// The default image, as a person would name it.
    pub image: String,
    /// What a volume is called on the target, before "volume": `Docker`.
    pub volume_kind: String,
    /// How many scenarios were selected.
    pub scenarios: usize,
    /// How many run at once.
    pub jobs: usize,
    /// Whether refusals count that are not what the specification has, but refuse all the same.
    pub lenient: bool,
    /// How many of the shipped scenarios, modules and requirements a folder of the user's has
    /// replaced by different ones.
    pub altered: usize,
}

/// How one scenario ended.
#[derive(Debug, Clone)]
pub struct ScenarioReport {
    /// The scenario.
    pub scenario: Scenario,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, for every verdict but a pass; the gravest first.
    pub findings: Vec<Finding>,
    /// What happened before the banner, such as volumes that were prepared: for display, never
    /// compared.
    pub preamble: Vec<String>,
    /// The transcript as it was recorded, normalised, without a trailing newline.
    pub transcript: String,
    /// Wall-clock time, clean-up included.
    pub duration: Duration,
    /// How many sandboxes it asked for.
    pub sandboxes: usize,
    /// The last step that the scenario had begun: its heading.
    pub step: Option<String>,
    /// The command that reruns just this scenario.
    pub rerun: String,
}

/// One reason for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The verdict that this reason alone would give.
    pub verdict: Verdict,
    /// Machine-readable kind: `expectation`, `transcript`, `api_error`, `protocol`, `timeout`, `script`,
    /// `syntax`, `missing_transcript`, `unknown_requirement`, `target`, `clean_up`, `capability`,
    /// `slow`, `known_failure`, `unexpected_pass`, `not_run`, `interrupted`, `harness`, `declaration`,
    /// `unknown_capability`.
    pub kind: &'static str,
    /// `file:line` of the scenario, where one is known.
    pub location: Option<String>,
    /// One sentence that says what was wrong and, where it helps, what to do next.
    pub message: String,
    /// More lines: a diff with its sides labelled, a traceback.
    pub detail: Option<String>,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Short name of the target.
    pub target: String,
    /// Verdicts counted; their total is the number of selected scenarios.
    pub verdicts: VerdictCounts,
    /// Verdict of each scenario by its path.
    pub scenarios: BTreeMap<String, Verdict>,
    /// Verdict of each covered requirement by its id: of the scenarios that cover it, one
    /// that failed counts most, then one that could not be judged or was skipped.
    pub requirements: BTreeMap<String, Verdict>,
    /// How the requirements stand, by their level.
    pub score: Score,
    /// What the run left on the target although it was told to remove it, in words.
    pub leaked: Vec<String>,
    /// What could not be looked at or removed for want of the target, in words.
    pub unsettled: Vec<String>,
    /// Whether refusals counted that are not what the specification has.
    pub lenient: bool,
    /// See [`Plan::altered`].
    pub altered: usize,
    /// How many sandboxes were asked for in all.
    pub sandboxes: usize,
    /// Whether the run was interrupted, so that not every scenario ran.
    pub interrupted: bool,
    /// Wall-clock time of the whole run.
    pub duration: Duration,
}

impl Summary {
    /// Whether nothing was judged at all: every scenario was skipped.
    pub fn is_empty(&self) -> bool {
        self.verdicts.skipped == self.verdicts.total()
    }

    /// Whether every selected scenario ran, not all were skipped, none ended badly, nothing was
    /// left behind, and the claim that was asked for, if any, holds.
    pub fn is_success(&self) -> bool {
        self.verdicts.bad() == 0
            && !self.is_empty()
            && self.leaked.is_empty()
            && self.unsettled.is_empty()
            && !self.interrupted
            && self.score.claim() != Some(false)
    }
}
