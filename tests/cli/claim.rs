//! What a run claims, and that it says it wherever it ends.

use std::process::Stdio;

use crate::NO_ENGINE;
use crate::support::{Tool, json_lines, local, text};

#[test]
fn a_run_that_cannot_begin_leaves_a_report_that_says_why() {
    let tool = Tool::new();
    let folder = tempfile::tempdir().unwrap();
    let report = |kind: &str| folder.path().join(kind);
    for kind in ["junit", "json"] {
        let option = format!("{kind}={}", report(kind).display());
        let mut command = tool.command(&["run", "--target", "docker", "--report", &option]);
        let output = command.env("DOCKER_HOST", NO_ENGINE).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
    }
    let junit = std::fs::read_to_string(report("junit")).unwrap();
    assert!(
        junit.contains("<error ") && junit.contains("start Docker"),
        "{junit}"
    );
    let lines = json_lines(&report("json"));
    assert_eq!(lines[0]["event"], "run_impossible");
}

/// Whoever reads may stop early; what was made is removed all the same.
#[tokio::test]
async fn a_reader_that_goes_away_stops_no_run() {
    if !local().await {
        return;
    }
    let tool = Tool::new();
    let both = [
        "run",
        "--target",
        "local",
        "--against",
        "local",
        "volumes/pvc",
    ];
    for arguments in [&both[..], &both[..3]] {
        let mut child = tool
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

/// A claim is about every scenario of its requirements, and about what ships.
#[tokio::test]
async fn a_claim_is_not_made_of_a_part_nor_of_something_else() {
    if !local().await {
        return;
    }
    let tool = Tool::new();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("volumes/pvc");
    std::fs::create_dir_all(&other).unwrap();
    let scenario = "scenario { title = \"x\", covers = { \"VOL-PVC-001\" } }\n";
    std::fs::write(other.join("read_write.lua"), scenario).unwrap();
    std::fs::write(other.join("read_write.transcript"), "...\n").unwrap();
    let scenarios = folder.path().display().to_string();
    let run = |more: &[&str]| {
        let output = tool.run(&[&["run", "--target", "local"][..], more].concat());
        text(&output.stdout)
    };
    let part = run(&["--profile", "volumes", "volumes/pvc/read_write.lua"]);
    assert!(
        part.contains("requirements of the profile volumes that hold: 0 of "),
        "{part}"
    );
    let replaced = run(&["--scenarios", &scenarios, "volumes/pvc/read_write.lua"]);
    let sentence = "local conforms to what was run, 1 of what ships replaced\n";
    assert!(replaced.ends_with(sentence), "{replaced}");
    let lenient = run(&["--lenient", "volumes/pvc/read_write.lua"]);
    assert!(lenient.ends_with("what was run, lenient\n"), "{lenient}");
}
