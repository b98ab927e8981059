//! The run as JUnit XML.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Reporter;
use super::event::{Event, Plan, ScenarioReport, Summary};
use super::explain::{explain, refuted_claim, sentence, strictness};
use super::verdict::Verdict;

/// Collects the run and writes one XML document at its end. A failed scenario is a `failure`, an
/// errored one an `error`, a skipped one and a known failure `skipped`; what was left behind, and an interruption, are
/// an `error` of a case of their own.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    suite: TestSuite,
}

impl<W: Write + Send> Junit<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            suite: TestSuite::new("osb-conformance"),
        }
    }

    fn start(&mut self, plan: &Plan) {
        self.suite = TestSuite::new(format!("osb-conformance.{}", plan.target));
        for (name, value) in [
            ("run", &plan.run),
            ("target", &plan.target_description),
            ("image", &plan.image),
            ("refusals", &strictness(plan.lenient).to_owned()),
        ] {
            self.suite.add_property((name, value.as_str()));
        }
    }

    fn add(&mut self, report: &ScenarioReport) {
        let mut status = match report.verdict {
            Verdict::Passed => TestCaseStatus::success(),
            Verdict::Skipped | Verdict::KnownFailure => TestCaseStatus::skipped(),
            Verdict::Failed | Verdict::UnexpectedPass => {
                TestCaseStatus::non_success(NonSuccessKind::Failure)
            }
            Verdict::Errored => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        if let Some(finding) = report.findings.first() {
            status.set_type(finding.kind);
            status.set_message(sentence(finding));
        }
        if !report.verdict.is_good() {
            status.set_description(explain(report));
        }
        let path = report.scenario.path();
        let mut case = TestCase::new(path, status);
        case.set_classname(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        case.set_time(report.duration);
        case.set_system_out(report.transcript.as_str());
        self.suite.add_test_case(case);
    }

    fn add_error(&mut self, name: &str, message: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(message);
        self.suite.add_test_case(TestCase::new(name, status));
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        if !summary.leaked.is_empty() {
            self.add_error("clean-up", &summary.leaked.join("; "));
        }
        if let Some(sentence) = refuted_claim(summary) {
            self.add_error("profile", &sentence);
        }
        if summary.interrupted {
            self.add_error("interrupted", "the run was interrupted");
        }
        self.suite.set_time(summary.duration);
        let mut document = Report::new("osb-conformance");
        document.set_time(summary.duration);
        document.add_test_suite(self.suite.clone());
        document
            .serialize(&mut self.out)
            .map_err(io::Error::other)?;
        self.out.flush()
    }
}

impl<W: Write + Send> Reporter for Junit<W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::RunStarted(plan) => self.start(plan),
            Event::ScenarioStarted(_) => {}
            Event::ScenarioFinished(report) => self.add(report),
            Event::RunFinished(summary) => return self.finish(summary),
        }
        Ok(())
    }
}
