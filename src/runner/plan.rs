//! Runs a selection: bounded concurrency, and events in an order that does not depend on it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::report::{Event, Plan, ScenarioReport, Score, Summary, Verdict, VerdictCounts};
use crate::scenario::Scenario;

use super::judge::{self, Evidence};
use super::{Runner, Selection};

impl Runner {
    /// Runs `selection` and ends the run. Every selected scenario is reported once, in order.
    pub async fn run(
        &self,
        selection: &Selection,
        cancel: &CancellationToken,
        emit: &mut (dyn FnMut(&Event<'_>) + Send),
    ) -> Summary {
        let start = Instant::now();
        let info = self.target.info();
        let jobs = self.options.jobs.max(1);
        emit(&Event::RunStarted(&Plan {
            run: self.ledger.owner().run.to_string(),
            target: info.name.clone(),
            target_description: info.description.clone(),
            image: info.image.clone(),
            volume_kind: info.volume_kind.clone(),
            scenarios: selection.len(),
            jobs,
            lenient: self.options.lenient,
            altered: self.suite.altered(),
        }));
        let mut tally = Tally::default();
        let mut waiting = selection.iter().enumerate();
        let mut running = FuturesUnordered::new();
        // Reports that came before their turn.
        let mut early = BTreeMap::new();
        let mut next = 0;
        loop {
            while running.len() < jobs && !self.is_over(cancel, &tally) {
                let Some((index, scenario)) = waiting.next() else {
                    break;
                };
                emit(&Event::ScenarioStarted(scenario));
                running.push(async move { (index, self.run_scenario(scenario, cancel).await) });
            }
            let Some((index, report)) = running.next().await else {
                break;
            };
            tally.bad |= !report.verdict.is_good();
            early.insert(index, report);
            while let Some(report) = early.remove(&next) {
                tally.take(&report);
                emit(&Event::ScenarioFinished(&report));
                next += 1;
            }
        }
        let why = if cancel.is_cancelled() {
            "interrupted"
        } else {
            "--fail-fast"
        };
        for (_, scenario) in waiting {
            let report = self.not_run(scenario, why);
            tally.take(&report);
            emit(&Event::ScenarioFinished(&report));
        }
        let remainder = self.finish().await;
        let summary = Summary {
            target: info.name.clone(),
            verdicts: tally.counts,
            score: self.score(&tally),
            scenarios: tally.scenarios,
            requirements: tally.requirements,
            leaked: remainder.leaked,
            unsettled: remainder.unknown,
            lenient: self.options.lenient,
            altered: self.suite.altered(),
            sandboxes: tally.sandboxes,
            interrupted: cancel.is_cancelled(),
            duration: start.elapsed(),
        };
        emit(&Event::RunFinished(&summary));
        summary
    }

    fn is_over(&self, cancel: &CancellationToken, tally: &Tally) -> bool {
        cancel.is_cancelled() || (self.options.fail_fast && tally.bad)
    }

    /// How the requirements stand. A claim is about every scenario of a requirement, also about
    /// those that were not selected.
    fn score(&self, tally: &Tally) -> Score {
        let mut known = tally.requirements.clone();
        let profile = self.options.profile.as_ref();
        if profile.is_some() {
            let was_selected = |s: &Scenario| tally.scenarios.contains_key(s.path());
            let scenarios = self.suite.scenarios().iter();
            let others = scenarios.filter(|scenario| !was_selected(scenario));
            for id in others.flat_map(Scenario::covers) {
                if let Some(verdict) = known.get_mut(id) {
                    *verdict = verdict.joined(Verdict::Skipped);
                }
            }
        }
        Score::new(&known, self.suite.catalogue(), profile)
    }

    fn not_run(&self, scenario: &Scenario, why: &str) -> ScenarioReport {
        let rerun = self.rerun(scenario);
        let evidence = Evidence::NotRun(judge::not_reached(why));
        judge::report(scenario, evidence, &self.options, Duration::ZERO, rerun)
    }
}

/// The verdicts so far.
#[derive(Default)]
struct Tally {
    counts: VerdictCounts,
    scenarios: BTreeMap<String, Verdict>,
    requirements: BTreeMap<String, Verdict>,
    sandboxes: usize,
    bad: bool,
}

impl Tally {
    fn take(&mut self, report: &ScenarioReport) {
        self.counts.add(report.verdict);
        self.sandboxes += report.sandboxes;
        self.scenarios
            .insert(report.scenario.path().into(), report.verdict);
        for id in report.scenario.covers() {
            let known = self
                .requirements
                .entry(id.clone())
                .or_insert(report.verdict);
            *known = known.joined(report.verdict);
        }
    }
}
