//! How a scenario ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The verdict on one scenario, in ascending order of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The target did what the scenario demands.
    Passed,
    /// The target lacks a capability that the scenario requires, or the scenario itself asked to be
    /// skipped. Never counted as a pass.
    Skipped,
    /// The harness could not judge.
    Errored,
    /// The target is wrong.
    Failed,
}

impl Verdict {
    /// Every verdict, in the order in which counts are shown.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Errored, Self::Skipped];

    /// The verdict's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the run can still be a success.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Skipped)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many scenarios got each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// See [`Verdict::Passed`].
    pub passed: usize,
    /// See [`Verdict::Failed`].
    pub failed: usize,
    /// See [`Verdict::Errored`].
    pub errored: usize,
    /// See [`Verdict::Skipped`].
    pub skipped: usize,
}

impl VerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Errored => &mut self.errored,
            Verdict::Skipped => &mut self.skipped,
        } += 1;
    }

    /// How many got `verdict`.
    pub fn get(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Passed => self.passed,
            Verdict::Failed => self.failed,
            Verdict::Errored => self.errored,
            Verdict::Skipped => self.skipped,
        }
    }

    /// How many there are in all.
    pub fn total(&self) -> usize {
        self.passed + self.failed + self.errored + self.skipped
    }
}
