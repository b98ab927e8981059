//! The run as JUnit XML.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Reporter;
use super::event::{Event, Plan, ScenarioReport, Summary};
use super::explain::{explain, refuted_claim, sentence, strictness};
use super::verdict::Verdict;

/// Collects the run and writes one XML document at its end. A failed scenario is a `failure`, an
/// errored one an `error`, a skipped one and a known failure `skipped`. What is about the whole run
/// is a case of its own: what was left behind and a claim that does not hold are a `failure`, an
/// interruption and a run that could not begin an `error`.
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
            ("replaced", &plan.altered.to_string()),
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

    /// A case for what is about the run and no scenario of it.
    fn add_case(&mut self, name: &str, kind: NonSuccessKind, message: &str) {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        self.suite.add_test_case(TestCase::new(name, status));
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        use NonSuccessKind::{Error, Failure};
        if !summary.leaked.is_empty() {
            self.add_case("clean-up", Failure, &summary.leaked.join("; "));
        }
        if !summary.unsettled.is_empty() {
            self.add_case("clean-up", Error, &summary.unsettled.join("; "));
        }
        if let Some(sentence) = refuted_claim(summary) {
            self.add_case("profile", Failure, &sentence);
        }
        if summary.is_empty() && !summary.interrupted {
            self.add_case("run", Error, "every scenario was skipped");
        }
        if summary.interrupted {
            self.add_case("interrupted", Error, "the run was interrupted");
        }
        self.write(summary.duration)
    }

    fn write(&mut self, duration: Duration) -> io::Result<()> {
        self.suite.set_time(duration);
        let mut document = Report::new("osb-conformance");
        document.set_time(duration);
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
            Event::RunImpossible(why) => {
                self.add_case("run", NonSuccessKind::Error, why);
                return self.write(Duration::ZERO);
            }
        }
        Ok(())
    }
}
