//! A scenario's verdict in plain text, for people.

use super::event::{Finding, ScenarioReport};

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
    lines.join("\n")
}

/// A finding's place and message in one line.
pub(super) fn sentence(finding: &Finding) -> String {
    match &finding.location {
        Some(location) => format!("{location}: {}", finding.message),
        None => finding.message.clone(),
    }
}
