//! `run --against`.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use osb_conformance::report::{ScenarioReport, Verdict, explain, interrupted};
use osb_conformance::runner::{Pair, Runner, Selection, run_both};
use osb_conformance::transcript::escaped;

use super::run::prepare;
use super::{Failure, exit};

/// Runs `selection` on two targets and shows where they differ.
pub(super) async fn against(
    (one, other): (Runner, Runner),
    selection: &Selection,
    cancel: &CancellationToken,
) -> Result<u8, Failure> {
    for (runner, waiting) in [(&one, &other), (&other, &one)] {
        if let Err(error) = prepare(runner, cancel).await {
            waiting.finish().await;
            return Err(error);
        }
    }
    let names = [&one, &other].map(|runner| runner.target().info().name.clone());
    for (word, runner) in [("on", &one), ("against", &other)] {
        let description = escaped(&runner.target().info().description);
        tell(&format!("{word:<8} {description}"));
    }
    tell("");
    let (mut same, mut alike, mut different, mut not_compared) = (0, 0, 0, 0);
    let mut errored = false;
    let left = run_both(&one, &other, selection, cancel, &mut |pair: &Pair| {
        let path = pair.one.scenario.path();
        if !pair.is_compared() {
            not_compared += 1;
            tell(&format!("SKIP  {path}  {}", escaped(reason(pair))));
        } else if pair.is_same() {
            same += 1;
            let [one, other] = [&pair.one, &pair.other].map(|r| r.duration.as_secs_f64());
            tell(&format!("SAME  {path}  {one:.2}s, {other:.2}s"));
        } else if pair.difference.is_none() && pair.one.verdict == pair.other.verdict {
            let verdict = pair.one.verdict;
            if verdict.is_good() {
                same += 1;
                tell(&format!("SAME  {path}  {verdict} on both"));
                return;
            }
            alike += 1;
            errored |= verdict == Verdict::Errored;
            tell(&format!("BOTH  {path}  {verdict} on both, and alike"));
            show(pair, &names);
        } else {
            different += 1;
            errored |= [&pair.one, &pair.other]
                .iter()
                .any(|r| r.verdict == Verdict::Errored);
            tell(&format!("DIFF  {path}"));
            show(pair, &names);
        }
    })
    .await;
    for words in &left.leaked {
        tell(&format!("\nLEAK  {}", escaped(words)));
    }
    for words in &left.unknown {
        tell(&format!("\nERROR  {}", escaped(words)));
    }
    let on_both = match alike {
        0 => String::new(),
        alike => format!(", {alike} failed on both"),
    };
    tell(&format!(
        "\n{same} same, {different} different, {not_compared} not compared{on_both}"
    ));
    if cancel.is_cancelled() {
        tell(interrupted(left.is_nothing()));
        return Ok(exit::INTERRUPTED);
    }
    if errored || !left.unknown.is_empty() {
        return Err(Failure::unavailable("not every scenario could be judged"));
    }
    if same + alike + different == 0 {
        return Err(Failure::unavailable("nothing was compared"));
    }
    Ok(if alike + different == 0 && left.leaked.is_empty() {
        exit::SUCCESS
    } else {
        exit::NOT_CONFORMANT
    })
}

/// Writes a line. A reader that has gone does not stop the run: it must clean up.
fn tell(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Why a scenario did not run on both.
fn reason(pair: &Pair) -> &str {
    let skipped = [&pair.one, &pair.other]
        .into_iter()
        .find(|report| report.verdict == Verdict::Skipped);
    skipped
        .and_then(|report| report.findings.first())
        .map_or("", |finding| finding.message.as_str())
}

fn show(pair: &Pair, names: &[String; 2]) {
    if let Some(difference) = &pair.difference {
        for line in difference.lines() {
            tell(&format!("    {line}"));
        }
    }
    let bad = |(_, report): &(&String, &ScenarioReport)| !report.verdict.is_good();
    let both = names.iter().zip([&pair.one, &pair.other]);
    for (name, report) in both.filter(bad) {
        tell(&format!("  on {name}:"));
        for line in explain(report).lines() {
            tell(&format!("    {line}"));
        }
    }
}
