//! A scenario's verdict in plain text, for people.

use super::event::{Finding, ScenarioReport, Summary};
use crate::scenario::Level;
use crate::transcript::escaped;

/// Why a scenario did not pass: its requirements and step, every finding with its place and
/// detail, and last the command that reruns just this scenario. No newline at its end.
pub fn explain(report: &ScenarioReport) -> String {
    let scenario = &report.scenario;
    let mut lines = vec![format!("{} {}", report.verdict, scenario.path())];
    if let Ok(metadata) = &scenario.metadata {
        lines[0].push_str(&format!(" ({})", metadata.title));
    }
    if !scenario.covers().is_empty() {
        lines.push(format!("  requirements: {}", scenario.covers().join(", ")));
    }
    if let Some(step) = &report.step {
        lines.push(format!("  step: {step}"));
    }
    for finding in &report.findings {
        lines.push(format!("  {}", sentence(finding)));
        let detail = finding.detail.iter().flat_map(|detail| detail.lines());
        lines.extend(detail.map(|line| format!("    {line}").trim_end().to_owned()));
    }
    lines.push(format!("  rerun: {}", report.rerun));
    // A target that answers something for a terminal steers none. A message may have several lines.
    let lines = lines.iter().flat_map(|line| line.lines());
    lines.map(escaped).collect::<Vec<_>>().join("\n")
}

/// A finding's place and message in one line.
pub(super) fn sentence(finding: &Finding) -> String {
    match &finding.location {
        Some(location) => format!("{location}: {}", finding.message),
        None => finding.message.clone(),
    }
}

/// The last sentence of a run that was interrupted.
pub fn interrupted(is_clean: bool) -> &'static str {
    match is_clean {
        true => "interrupted; what the run had created is removed",
        false => "interrupted; something may be left: osb-conformance clean removes it",
    }
}

/// What counts as a refusal.
pub(super) fn strictness(lenient: bool) -> &'static str {
    match lenient {
        true => "lenient",
        false => "strict",
    }
}

/// Why the run's claim does not hold, where one was asked for.
pub(super) fn refuted_claim(summary: &Summary) -> Option<String> {
    const SHOWN: usize = 8;
    let score = &summary.score;
    let profile = score
        .profile
        .as_ref()
        .filter(|_| score.claim() == Some(false))?;
    let must = score.levels.get(&Level::Must).copied().unwrap_or_default();
    let mut text = format!(
        "{} is not shown to conform to the profile {profile}: of {} MUST, {} failed and {} are unknown",
        summary.target,
        must.total(),
        must.failed,
        must.unknown
    );
    if !score.unknown.is_empty() {
        let ids: Vec<_> = score
            .unknown
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        let more = if score.unknown.len() > SHOWN {
            ", …"
        } else {
            ""
        };
        text.push_str(&format!(" ({}{more})", ids.join(", ")));
    }
    Some(text)
}
