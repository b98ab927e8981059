//! The whole volume profile with default options, beside the number of sandboxes that it makes, on
//! Docker and on this machine alone. Every figure is a whole process, from its start to its end.
//!
//! `cargo bench --bench profile`

#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

const ROUNDS: usize = 5;

/// One run: seconds, scenarios that passed, and sandboxes.
fn run(target: &str, state: &str, allowed: &str) -> (f64, u64, u64) {
    let report = format!("{state}/report.json");
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_osb-conformance"))
        .args(["run", "--profile", "volumes", "--target", target])
        .args(["--allow-host-path", allowed, "--report"])
        .arg(format!("json={report}"))
        .env("XDG_STATE_HOME", state)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{target}:\n{shown}");
    let report = std::fs::read_to_string(report).unwrap();
    let summary: Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let passed = number(&summary["verdicts"]["passed"]);
    (seconds, passed, number(&summary["sandboxes"]))
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path.display().to_string()
    };
    let (state, allowed) = (path("state"), path("allowed"));
    println!("medians of {ROUNDS} rounds, the volume profile:");
    for target in ["docker", "local"] {
        // The first round makes what later ones find, such as images.
        let mut rounds: Vec<_> = (0..=ROUNDS)
            .map(|_| run(target, &state, &allowed))
            .skip(1)
            .collect();
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, passed, sandboxes) = rounds[ROUNDS / 2];
        println!("{target:<8} {seconds:>7.2} s   {passed} scenarios passed, {sandboxes} sandboxes");
    }
}
