//! The events of a run as JSON lines.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::Reporter;
use super::event::{Event, Finding, Plan, ScenarioReport, Summary};
use super::score::Score;
use super::verdict::{Verdict, VerdictCounts};

/// Writes one JSON object per line: `run_started`, a `scenario` for each in the plan's order, and
/// last a `summary`; or one `run_impossible`.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
}

impl<W: Write + Send> Json<W> {
    /// Writes to `out`, which is flushed after every line.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

impl<W: Write + Send> Reporter for Json<W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::RunStarted(plan) => self.line(&Line::started(plan)),
            // Its order depends on timing; the report's must not.
            Event::ScenarioStarted(_) => Ok(()),
            Event::ScenarioFinished(report) => self.line(&Line::scenario(report)),
            Event::RunFinished(summary) => self.line(&Line::summary(summary)),
            Event::RunImpossible(why) => self.line(&Line::RunImpossible { why }),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    RunStarted {
        run: &'a str,
        target: &'a str,
        target_description: &'a str,
        image: &'a str,
        scenarios: usize,
        jobs: usize,
        lenient: bool,
        altered: usize,
    },
    Scenario {
        path: &'a str,
        title: &'a str,
        verdict: Verdict,
        covers: &'a [String],
        duration_ms: u128,
        step: Option<&'a str>,
        findings: &'a [Finding],
        transcript: &'a str,
        rerun: &'a str,
    },
    Summary {
        target: &'a str,
        verdicts: VerdictCounts,
        scenarios: &'a BTreeMap<String, Verdict>,
        requirements: &'a BTreeMap<String, Verdict>,
        score: &'a Score,
        success: bool,
        claim: Option<bool>,
        lenient: bool,
        altered: usize,
        leaked: &'a [String],
        unsettled: &'a [String],
        sandboxes: usize,
        interrupted: bool,
        duration_ms: u128,
    },
    RunImpossible {
        why: &'a str,
    },
}

impl<'a> Line<'a> {
    fn started(plan: &'a Plan) -> Self {
        Self::RunStarted {
            run: &plan.run,
            target: &plan.target,
            target_description: &plan.target_description,
            image: &plan.image,
            scenarios: plan.scenarios,
            jobs: plan.jobs,
            lenient: plan.lenient,
            altered: plan.altered,
        }
    }

    fn scenario(report: &'a ScenarioReport) -> Self {
        Self::Scenario {
            path: report.scenario.path(),
            title: report.scenario.title(),
            verdict: report.verdict,
            covers: report.scenario.covers(),
            duration_ms: report.duration.as_millis(),
            step: report.step.as_deref(),
            findings: &report.findings,
            transcript: &report.transcript,
            rerun: &report.rerun,
        }
    }

    fn summary(summary: &'a Summary) -> Self {
        Self::Summary {
            target: &summary.target,
            verdicts: summary.verdicts,
            scenarios: &summary.scenarios,
            requirements: &summary.requirements,
            score: &summary.score,
            success: summary.is_success(),
            claim: summary.score.claim(),
            lenient: summary.lenient,
            altered: summary.altered,
            leaked: &summary.leaked,
            unsettled: &summary.unsettled,
            sandboxes: summary.sandboxes,
            interrupted: summary.interrupted,
            duration_ms: summary.duration.as_millis(),
        }
    }
}
