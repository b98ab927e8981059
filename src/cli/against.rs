//! `run --against`.

use tokio_util::sync::CancellationToken;

use osb_conformance::report::{ScenarioReport, Verdict, explain};
use osb_conformance::runner::{Pair, Runner, Selection, run_both};

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
        println!("{word:<8} {}", runner.target().info().description);
    }
    println!();
    let (mut same, mut different, mut not_compared) = (0, 0, 0);
    let mut errored = false;
    let left = run_both(&one, &other, selection, cancel, &mut |pair: &Pair| {
        let path = pair.one.scenario.path();
        if !pair.is_compared() {
            not_compared += 1;
            println!("SKIP  {path}  {}", reason(pair));
        } else if pair.is_same() {
            same += 1;
            let [one, other] = [&pair.one, &pair.other].map(|r| r.duration.as_secs_f64());
            println!("SAME  {path}  {one:.2}s, {other:.2}s");
        } else {
            different += 1;
            errored |= [&pair.one, &pair.other]
                .iter()
                .any(|r| r.verdict == Verdict::Errored);
            println!("DIFF  {path}");
            show(pair, &names);
        }
    })
    .await;
    for leak in &left {
        println!("\nLEAK  {leak}");
    }
    println!("\n{same} same, {different} different, {not_compared} not compared");
    if cancel.is_cancelled() {
        println!("interrupted; what the run had created is removed");
        return Ok(exit::INTERRUPTED);
    }
    if errored {
        return Err(Failure::unavailable("not every scenario could be judged"));
    }
    if same + different == 0 {
        return Err(Failure::unavailable("nothing was compared"));
    }
    Ok(if different == 0 && left.is_empty() {
        exit::SUCCESS
    } else {
        exit::NOT_CONFORMANT
    })
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
            println!("    {line}");
        }
    }
    let bad = |(_, report): &(&String, &ScenarioReport)| !report.verdict.is_good();
    let both = names.iter().zip([&pair.one, &pair.other]);
    for (name, report) in both.filter(bad) {
        println!("  on {name}:");
        for line in explain(report).lines() {
            println!("    {line}");
        }
    }
}
