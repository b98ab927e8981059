//! The run for a person at a terminal, or in a CI log.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Reporter;
use super::event::{Event, Plan, ScenarioReport, Summary};
use super::explain::{explain, interrupted, refuted_claim};
use super::score::LevelScore;
use super::verdict::Verdict;
use crate::scenario::Level;
use crate::transcript::escaped;

/// What the terminal can show; decided by the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// Whether to show live progress, on standard error.
    pub progress: bool,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalMode {
    /// One line per scenario.
    Brief,
    /// Every transcript in full.
    Transcript,
}

/// Writes a run for a person: what runs, one line or the transcript per scenario, then everything
/// about those that did not pass, and a summary.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    style: Style,
    mode: TerminalMode,
    plan: Option<Plan>,
    progress: ProgressBar,
    /// Explanations of the scenarios that did not pass.
    troubles: Vec<String>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("style", &self.style)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>, style: Style, mode: TerminalMode) -> Self {
        let progress = ProgressBar::hidden();
        Self {
            out,
            style,
            mode,
            plan: None,
            progress,
            troubles: Vec::new(),
        }
    }

    fn start(&mut self, plan: &Plan) -> io::Result<()> {
        if self.style.progress {
            let bar = ProgressBar::with_draw_target(
                Some(plan.scenarios as u64),
                ProgressDrawTarget::stderr(),
            );
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            self.progress = bar;
        }
        self.plan = Some(plan.clone());
        if self.mode == TerminalMode::Brief {
            let scenarios = count(plan.scenarios, "scenario");
            writeln!(
                self.out,
                "{scenarios} on {}",
                escaped(&plan.target_description)
            )?;
            let conditions = conditions(plan.lenient, plan.altered);
            writeln!(
                self.out,
                "image {}, run {}{conditions}\n",
                plan.image, plan.run
            )?;
        }
        Ok(())
    }

    fn scenario(&mut self, report: &ScenarioReport) -> io::Result<()> {
        if !report.verdict.is_good() {
            self.troubles.push(explain(report));
        }
        // Taken away while we write, so that both do not share a line.
        self.progress.inc(1);
        let progress = self.progress.clone();
        progress.suspend(|| match self.mode {
            TerminalMode::Brief => self.line(report),
            TerminalMode::Transcript => self.transcript(report),
        })
    }

    fn line(&mut self, report: &ScenarioReport) -> io::Result<()> {
        let (word, color) = match report.verdict {
            Verdict::Passed => ("PASS", GREEN),
            Verdict::Failed => ("FAIL", RED),
            Verdict::Errored => ("ERROR", RED),
            Verdict::Skipped => ("SKIP", YELLOW),
            Verdict::KnownFailure => ("KNOWN", YELLOW),
            Verdict::UnexpectedPass => ("XPASS", RED),
        };
        let word = self.paint(&format!("{word:<5}"), color);
        let time = format!("{:.2}s", report.duration.as_secs_f64());
        let path = report.scenario.path();
        let reason = match (report.verdict, report.findings.first()) {
            (Verdict::Skipped | Verdict::KnownFailure, Some(finding)) => {
                format!("  {}", escaped(&finding.message))
            }
            _ => String::new(),
        };
        writeln!(self.out, "{word} {time:>7}  {path}{reason}")
    }

    /// The transcript under the header of the specification's example.
    fn transcript(&mut self, report: &ScenarioReport) -> io::Result<()> {
        if report.transcript.is_empty() {
            return self.line(report);
        }
        if let Some(plan) = &self.plan {
            writeln!(
                self.out,
                "{:<19}: {}",
                "OpenSandbox server",
                escaped(&plan.target_description)
            )?;
            writeln!(self.out, "{:<19}: {}", "Sandbox image", plan.image)?;
        }
        for line in &report.preamble {
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out, "\n{}\n", report.transcript)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.progress.finish_and_clear();
        let all_passed = summary.verdicts.passed == summary.verdicts.total();
        if self.mode == TerminalMode::Transcript && summary.is_success() && all_passed {
            let rule = "=".repeat(60);
            writeln!(
                self.out,
                "{rule}\nAll scenarios completed successfully!\n{rule}"
            )?;
        }
        for trouble in std::mem::take(&mut self.troubles) {
            writeln!(self.out)?;
            for line in trouble.lines() {
                let line = self.paint_line(line);
                writeln!(self.out, "{line}")?;
            }
        }
        let leaked = summary.leaked.iter().map(|words| ("LEAK", words));
        let unsettled = summary.unsettled.iter().map(|words| ("ERROR", words));
        for (label, words) in leaked.chain(unsettled) {
            let (label, words) = (self.paint(label, RED), escaped(words));
            writeln!(self.out, "\n{label}  {words}")?;
        }
        writeln!(self.out)?;
        // The usual four always, the others where there are any.
        let counts: Vec<_> = Verdict::ALL
            .iter()
            .enumerate()
            .map(|(index, verdict)| (index, verdict, summary.verdicts.get(*verdict)))
            .filter(|(index, _, count)| *index < 4 || *count > 0)
            .map(|(_, verdict, number)| match verdict {
                Verdict::KnownFailure => count(number, "known failure"),
                Verdict::UnexpectedPass => format!("{number} passed unexpectedly"),
                verdict => format!("{number} {verdict}"),
            })
            .collect();
        writeln!(
            self.out,
            "{} in {:.2}s, {}",
            counts.join(", "),
            summary.duration.as_secs_f64(),
            if summary.sandboxes == 1 {
                "1 sandbox".into()
            } else {
                format!("{} sandboxes", summary.sandboxes)
            }
        )?;
        let levels = &summary.score.levels;
        if !levels.is_empty() {
            let level = |(level, score): (&Level, &LevelScore)| {
                let rest = [(score.failed, "failed"), (score.unknown, "unknown")];
                let rest = rest.iter().filter(|(number, _)| *number > 0);
                let rest: Vec<_> = rest
                    .map(|(number, word)| format!("{number} {word}"))
                    .collect();
                let rest = match rest.is_empty() {
                    true => String::new(),
                    false => format!(" ({})", rest.join(", ")),
                };
                format!("{} of {} {level}{rest}", score.held, score.total())
            };
            let levels: Vec<_> = levels.iter().map(level).collect();
            let of = match &summary.score.profile {
                Some(profile) => format!("requirements of the profile {profile}"),
                None => "covered requirements".into(),
            };
            writeln!(self.out, "{of} that hold: {}", levels.join(", "))?;
        }
        let (sentence, color) = closing(summary);
        let sentence = self.paint(&sentence, color);
        writeln!(self.out, "{sentence}")?;
        self.out.flush()
    }

    fn paint(&self, text: &str, color: &str) -> String {
        if self.style.color {
            format!("{color}{text}{RESET}")
        } else {
            text.into()
        }
    }

    /// A line of an explanation; those of a diff by their first character.
    fn paint_line(&self, line: &str) -> String {
        let color = match line.trim_start_matches("    ").chars().next() {
            Some('-') if line.starts_with("    -") => RED,
            Some('+') if line.starts_with("    +") => GREEN,
            Some('@') if line.starts_with("    @") => CYAN,
            _ if !line.starts_with(' ') => BOLD,
            _ => return line.into(),
        };
        self.paint(line, color)
    }
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const CYAN: &str = "\u{1b}[36m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// The last sentence and its colour.
fn closing(summary: &Summary) -> (String, &'static str) {
    let target = &summary.target;
    let verdicts = &summary.verdicts;
    let conditions = conditions(summary.lenient, summary.altered);
    if summary.interrupted {
        let is_clean = summary.leaked.is_empty() && summary.unsettled.is_empty();
        (interrupted(is_clean).into(), YELLOW)
    } else if verdicts.failed > 0 {
        let failed = count(verdicts.failed, "scenario");
        (format!("{target} does not conform: {failed} failed"), RED)
    } else if verdicts.unexpected_pass > 0 {
        let passed = count(verdicts.unexpected_pass, "scenario");
        let sentence = format!("the list of known failures is out of date: {passed} passed");
        (sentence, RED)
    } else if !summary.leaked.is_empty() {
        let sentence = format!("{target} does not conform: it kept what it was told to remove");
        (sentence, RED)
    } else if verdicts.errored > 0 {
        let errored = count(verdicts.errored, "scenario");
        let sentence = format!("no verdict on {target}: {errored} could not be judged");
        (sentence, RED)
    } else if !summary.unsettled.is_empty() {
        let sentence = format!("no verdict on {target}: what the run left is not known");
        (sentence, RED)
    } else if let Some(sentence) = refuted_claim(summary) {
        (sentence, RED)
    } else if let Some(profile) = &summary.score.profile {
        let sentence = format!("{target} conforms to the profile {profile}{conditions}");
        (sentence, GREEN)
    } else if verdicts.known_failure > 0 {
        let known = count(verdicts.known_failure, "known failure");
        let sentence =
            format!("{target} does not conform: {known}; nothing else is wrong with what was run");
        (sentence, YELLOW)
    } else if summary.is_empty() {
        let sentence = format!("no verdict on {target}: every scenario was skipped");
        (sentence, YELLOW)
    } else {
        let rest = match verdicts.skipped {
            0 => "",
            _ => "; what was skipped is not known",
        };
        let sentence = format!("{target} conforms to what was run{conditions}{rest}");
        (sentence, GREEN)
    }
}

/// What a verdict holds under only, where that is not what the suite ships.
fn conditions(lenient: bool, altered: usize) -> String {
    let mut text = String::new();
    if lenient {
        text.push_str(", lenient");
    }
    if altered > 0 {
        text.push_str(&format!(", {altered} of what ships replaced"));
    }
    text
}

fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::RunStarted(plan) => self.start(plan),
            Event::ScenarioStarted(scenario) => {
                self.progress.set_message(scenario.path().to_owned());
                Ok(())
            }
            Event::ScenarioFinished(report) => self.scenario(report),
            Event::RunFinished(summary) => self.finish(summary),
            // Whoever began the run says it.
            Event::RunImpossible(_) => Ok(()),
        }
    }
}
