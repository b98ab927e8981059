//! How a scenario ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The verdict on one scenario, in ascending order of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The target did what the scenario demands.
    Passed,
    /// The target is wrong, and whoever runs this knows it.
    KnownFailure,
    /// The target lacks a capability that the scenario requires, or the scenario itself asked to be
    /// skipped. Never counted as a pass.
    Skipped,
    /// The harness could not judge.
    Errored,
    /// The target does what it is known to do wrong: the list of known failures is out of date.
    UnexpectedPass,
    /// The target is wrong.
    Failed,
}

impl Verdict {
    /// Every verdict, in the order in which counts are shown.
    pub const ALL: [Self; 6] = [
        Self::Passed,
        Self::Failed,
        Self::Errored,
        Self::Skipped,
        Self::KnownFailure,
        Self::UnexpectedPass,
    ];

    /// The verdict's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
            Self::KnownFailure => "known failure",
            Self::UnexpectedPass => "unexpected pass",
        }
    }

    /// What is known of a requirement that one scenario gives this verdict and another `other`: that
    /// it does not hold, where it fails in either; that it holds, where both passed.
    pub(crate) fn joined(self, other: Self) -> Self {
        let weight = |verdict: &Self| match verdict {
            Self::Passed => 0,
            Self::UnexpectedPass => 1,
            Self::Skipped => 2,
            Self::Errored => 3,
            Self::KnownFailure => 4,
            Self::Failed => 5,
        };
        std::cmp::max_by_key(self, other, weight)
    }

    /// Whether the run can still be a success.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Skipped | Self::KnownFailure)
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
    /// See [`Verdict::KnownFailure`].
    pub known_failure: usize,
    /// See [`Verdict::UnexpectedPass`].
    pub unexpected_pass: usize,
}

impl VerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Errored => &mut self.errored,
            Verdict::Skipped => &mut self.skipped,
            Verdict::KnownFailure => &mut self.known_failure,
            Verdict::UnexpectedPass => &mut self.unexpected_pass,
        } += 1;
    }

    /// How many got `verdict`.
    pub fn get(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Passed => self.passed,
            Verdict::Failed => self.failed,
            Verdict::Errored => self.errored,
            Verdict::Skipped => self.skipped,
            Verdict::KnownFailure => self.known_failure,
            Verdict::UnexpectedPass => self.unexpected_pass,
        }
    }

    /// How many there are in all.
    pub fn total(&self) -> usize {
        Verdict::ALL.iter().map(|verdict| self.get(*verdict)).sum()
    }

    /// How many mean that the run is no success.
    pub fn bad(&self) -> usize {
        let bad = Verdict::ALL.iter().filter(|verdict| !verdict.is_good());
        bad.map(|verdict| self.get(*verdict)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::*;

    #[test]
    fn a_requirement_holds_only_where_nothing_speaks_against_it() {
        for (one, other, both) in [
            (Passed, UnexpectedPass, UnexpectedPass),
            (UnexpectedPass, KnownFailure, KnownFailure),
            (UnexpectedPass, Skipped, Skipped),
            (Skipped, KnownFailure, KnownFailure),
            (Errored, KnownFailure, KnownFailure),
            (KnownFailure, Failed, Failed),
        ] {
            assert_eq!((one.joined(other), other.joined(one)), (both, both));
        }
    }
}
