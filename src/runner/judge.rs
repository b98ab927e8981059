//! From evidence to a verdict.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use crate::lua::{Failure, FailureKind, Stage};
use crate::report::{Finding, ScenarioReport, Verdict};
use crate::scenario::{Defect, Scenario};
use crate::target::{Capability, TargetError, in_full};
use crate::transcript::{Comparison, accept, compare};

use super::RunnerOptions;
use super::execution::{Ended, Left};

/// What is known about a scenario when it has ended.
pub(super) enum Evidence {
    /// It was not run, for this reason.
    NotRun(Finding),
    /// It was run.
    Run {
        stage: Arc<Stage>,
        ended: Ended,
        left: Left,
        /// How many sandboxes it asked for.
        sandboxes: usize,
    },
}

fn finding(verdict: Verdict, kind: &'static str, message: String) -> Finding {
    Finding {
        verdict,
        kind,
        location: None,
        message,
        detail: None,
    }
}

/// A scenario that cannot be run as it is.
pub(super) fn defect(defect: &Defect) -> Finding {
    Finding {
        location: defect.location.clone(),
        ..finding(Verdict::Errored, defect.kind, defect.message.clone())
    }
}

/// A capability that the target does not have.
pub(super) fn lacks(target: &str, capability: Capability) -> Finding {
    let advice = capability
        .option()
        .map_or_else(String::new, |option| format!("; give {option}"));
    let message = format!("{target} lacks the capability {capability}{advice}");
    finding(Verdict::Skipped, "capability", message)
}

/// A scenario that takes a minute or more, which nobody asked for.
pub(super) fn slow() -> Finding {
    let message = "it takes a minute or more; --slow runs it";
    finding(Verdict::Skipped, "slow", message.into())
}

/// A target that cannot be made ready.
pub(super) fn not_ready(error: &TargetError) -> Finding {
    finding(Verdict::Errored, "target", in_full(error))
}

/// A scenario that the run did not get to.
pub(super) fn not_reached(why: &str) -> Finding {
    finding(Verdict::Skipped, "not_run", format!("not run: {why}"))
}

/// A scenario without anything to compare with.
pub(super) fn missing_transcript(scenario: &Scenario) -> Finding {
    let file = format!("{}.transcript", scenario.name());
    finding(
        Verdict::Errored,
        "missing_transcript",
        format!("there is no expected transcript {file}; record it with --accept, then read it"),
    )
}

/// Judges a scenario.
pub(super) fn report(
    scenario: &Scenario,
    evidence: Evidence,
    options: &RunnerOptions,
    duration: Duration,
    rerun: String,
) -> ScenarioReport {
    let mut report = ScenarioReport {
        scenario: scenario.clone(),
        verdict: Verdict::Passed,
        findings: Vec::new(),
        preamble: Vec::new(),
        transcript: String::new(),
        duration,
        sandboxes: 0,
        step: None,
        rerun,
    };
    match evidence {
        Evidence::NotRun(finding) => report.findings.push(finding),
        Evidence::Run {
            stage,
            ended,
            left,
            sandboxes,
        } => {
            report.sandboxes = sandboxes;
            judge(&mut report, &stage, &ended, options);
            report
                .findings
                .extend(left.into_iter().map(|(resource, error)| {
                    finding(
                        Verdict::Errored,
                        "clean_up",
                        format!("{resource} could not be removed: {}", in_full(&error)),
                    )
                }));
            let recorder = stage.recorder();
            report.preamble = recorder.preamble_lines();
            report.transcript = recorder.text();
            report.step = recorder.current_step();
        }
    }
    if let Some(reason) = options.known_failures.reason(scenario.name()) {
        expect_failure(&mut report.findings, reason);
    }
    // The gravest first; among equals, in the order in which they came.
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    report.verdict = report
        .findings
        .first()
        .map_or(Verdict::Passed, |finding| finding.verdict);
    report
}

/// Takes what failed for the failure that is known, and its absence for a failure.
fn expect_failure(findings: &mut Vec<Finding>, reason: &str) {
    if findings.is_empty() {
        findings.push(finding(
            Verdict::UnexpectedPass,
            "unexpected_pass",
            format!(
                "it passed, but is on the list of known failures: take its line off ({reason})"
            ),
        ));
        return;
    }
    let failed = findings.iter_mut().filter(|f| f.verdict == Verdict::Failed);
    let failed = failed.map(|finding| finding.verdict = Verdict::KnownFailure);
    if failed.count() > 0 {
        let known = finding(Verdict::KnownFailure, "known_failure", reason.into());
        findings.insert(0, known);
    }
}

fn judge(report: &mut ScenarioReport, stage: &Stage, ended: &Ended, options: &RunnerOptions) {
    report
        .findings
        .extend(stage.failures().into_iter().map(failed));
    let is_slow = report.scenario.is_slow();
    report.findings.extend(unfinished(ended, options, is_slow));
    let skipped = stage.skipped();
    if let (Some(reason), true) = (&skipped, report.findings.is_empty()) {
        report
            .findings
            .push(finding(Verdict::Skipped, "script", reason.clone()));
    }
    if report.findings.is_empty() {
        stage.recorder().complete();
        report.findings.extend(compared(
            &report.scenario,
            &stage.recorder().text(),
            options,
        ));
    }
    // A command that failed unnoticed is what most often explains the rest.
    let command = stage
        .last_unsuccessful_command()
        .map(|text| format!("last command that did not succeed: {text}"));
    let request = stage
        .last_exchange()
        .map(|text| format!("last request:\n{text}"));
    if let Some(first) = report.findings.first_mut()
        && first.verdict == Verdict::Failed
    {
        let evidence = [command, request].into_iter().flatten();
        let evidence = evidence.map(|text| stage.recorder().redact(&text));
        let lines: Vec<_> = first.detail.take().into_iter().chain(evidence).collect();
        first.detail = (!lines.is_empty()).then(|| lines.join("\n"));
    }
}

fn failed(failure: Failure) -> Finding {
    let (verdict, kind) = match failure.kind {
        FailureKind::Expectation => (Verdict::Failed, "expectation"),
        FailureKind::Api => (Verdict::Failed, "api_error"),
        FailureKind::Protocol => (Verdict::Failed, "protocol"),
        FailureKind::Target => (Verdict::Errored, "target"),
        FailureKind::Script => (Verdict::Errored, "script"),
    };
    let Failure {
        location,
        message,
        detail,
        ..
    } = failure;
    Finding {
        verdict,
        kind,
        location,
        message,
        detail,
    }
}

fn unfinished(ended: &Ended, options: &RunnerOptions, is_slow: bool) -> Option<Finding> {
    let seconds = options.limit(is_slow).as_secs_f64();
    let errored = |kind, message| Some(finding(Verdict::Errored, kind, message));
    match ended {
        Ended::Finished => None,
        Ended::TimedOut(Some(call)) => Some(Finding {
            location: call.location.clone(),
            ..finding(
                Verdict::Failed,
                "timeout",
                format!(
                    "{} did not return within the scenario's {seconds} s",
                    call.name
                ),
            )
        }),
        Ended::TimedOut(None) => errored(
            "timeout",
            format!(
                "the script did not end within {seconds} s; it was not waiting for the target: is there an endless loop?"
            ),
        ),
        Ended::Stuck => errored(
            "timeout",
            format!(
                "the script did not end within {seconds} s and could not be stopped: is a string pattern too costly?"
            ),
        ),
        Ended::Interrupted => errored("interrupted", "the run was interrupted".into()),
        Ended::Panicked => errored(
            "harness",
            "the harness itself failed; please report this".into(),
        ),
    }
}

/// Compares with the expected transcript, or writes it where that was asked for.
fn compared(scenario: &Scenario, actual: &str, options: &RunnerOptions) -> Option<Finding> {
    let expected = scenario.source.transcript.as_deref();
    let difference = match expected.map(|expected| compare(expected, actual)) {
        Some(Comparison::Match) => return None,
        Some(Comparison::Differs(diff)) => diff.render(),
        None => String::new(),
    };
    if options.accept {
        return match write_transcript(scenario, &accept(expected, actual)) {
            Ok(()) => None,
            Err(error) => Some(finding(
                Verdict::Errored,
                "transcript",
                format!("{}.transcript cannot be written: {error}", scenario.name()),
            )),
        };
    }
    Some(Finding {
        detail: Some(difference),
        ..finding(
            Verdict::Failed,
            "transcript",
            format!(
                "what the scenario printed differs from {}.transcript",
                scenario.name()
            ),
        )
    })
}

fn write_transcript(scenario: &Scenario, text: &str) -> io::Result<()> {
    let Some(file) = &scenario.source.transcript_file else {
        let message = "the scenario is built in; give its folder with --scenarios";
        return Err(io::Error::other(message));
    };
    fs::write(file, text)
}
