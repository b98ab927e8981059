//! The same scenarios on two targets, and where what they print differs.

use futures_util::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::report::{ScenarioReport, Verdict};
use crate::target::Remainder;
use crate::transcript::{Comparison, accept, compare};

use super::{Runner, Selection};

/// One scenario on two targets.
#[derive(Debug, Clone)]
pub struct Pair {
    /// How it ended on the one.
    pub one: ScenarioReport,
    /// How it ended on the other.
    pub other: ScenarioReport,
    /// What they printed differently, as a unified diff whose sides are the targets' names; `None`
    /// where nothing did.
    pub difference: Option<String>,
}

impl Pair {
    /// Whether both ran, so that there is something to compare.
    pub fn is_compared(&self) -> bool {
        let ran = |report: &ScenarioReport| report.verdict != Verdict::Skipped;
        ran(&self.one) && ran(&self.other)
    }

    /// Whether both passed and printed the same.
    pub fn is_same(&self) -> bool {
        let passed = |report: &ScenarioReport| report.verdict == Verdict::Passed;
        passed(&self.one) && passed(&self.other) && self.difference.is_none()
    }
}

/// Runs every scenario of `selection` on both targets at the same time, as many scenarios at once
/// as `one` has jobs, and emits the pairs in order. Ends both runs; answers what they left behind.
pub async fn run_both(
    one: &Runner,
    other: &Runner,
    selection: &Selection,
    cancel: &CancellationToken,
    emit: &mut (dyn FnMut(&Pair) + Send),
) -> Remainder {
    let names = (&one.target.info().name, &other.target.info().name);
    let pairs = stream::iter(selection).map(|scenario| async move {
        let (one, other) = tokio::join!(
            one.run_scenario(scenario, cancel),
            other.run_scenario(scenario, cancel)
        );
        let difference = difference(&one, &other, names);
        Pair {
            one,
            other,
            difference,
        }
    });
    let mut pairs = std::pin::pin!(pairs.buffered(one.options.jobs.max(1)));
    while let Some(pair) = pairs.next().await {
        emit(&pair);
    }
    let mut left = one.finish().await;
    left.extend(other.finish().await);
    left
}

fn difference(
    one: &ScenarioReport,
    other: &ScenarioReport,
    names: (&String, &String),
) -> Option<String> {
    // What the expected transcript leaves open, such as a date, is no difference.
    let expected = one.scenario.source.transcript.as_deref();
    let printed = |report: &ScenarioReport| accept(expected, &report.transcript);
    match compare(&printed(one), &printed(other)) {
        Comparison::Match => None,
        Comparison::Differs(diff) => Some(diff.render_as(names.0, names.1)),
    }
}
