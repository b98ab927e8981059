//! The command as a person or a pipeline uses it.

#![allow(clippy::unwrap_used)]

mod claim;
mod failing;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

use std::process::Stdio;

use bollard::query_parameters::{RemoveImageOptions, TagImageOptionsBuilder};
use serde_json::Value;
use support::{EXAMPLE, Tool, engine, failing, local, text};

/// Where no engine answers.
const NO_ENGINE: &str = "unix:///no/such.sock";

/// What must be said on standard error for a wrong command line, and exit code 2.
#[test]
fn a_wrong_command_line_says_what_to_do() {
    let tool = Tool::new();
    for (arguments, says) in [
        (&["run", "--taregt", "docker"][..], "--target"),
        (&["run", "--target", "dokcer"], "there is: auto, docker"),
        (&["run", "--target", "local", "--image", "a"], "no images"),
        (&["run", "--target", "ftp://host"], "http://HOST:PORT"),
        (
            &["run", "--target", "local", "--allow-host-path", "/no/such"],
            "/no/such is no directory",
        ),
        (
            &["run", "--known-failures", "opensandbox-server-0.1"],
            "lists that ship: opensandbox-server-1.1",
        ),
        (&["run", "--jobs", "0"], "--jobs"),
        (&["run", "--timeout", "soon"], "90s"),
        (
            &["run", "volumes/pvc/read_onyl.lua"],
            "did you mean volumes/pvc/read_only.lua?",
        ),
        (&["run", "VOL-PCV-001"], "did you mean VOL-PVC-001?"),
        (&["run", "volumes/["], "not a glob"),
        (
            &["run", "--scenarios", "/no/such/folder"],
            "/no/such/folder",
        ),
        (&["run", "--report", "xml=a"], "junit=FILE"),
        (
            &["run", "--report", "json=/no/such/folder/a"],
            "/no/such/folder/a",
        ),
        (&["run", "--accept"], "--scenarios"),
        (&["list", "nothing/like/it"], "selects no scenario"),
        (&["new", "scenario.txt"], ".lua"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let output = tool.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?} says: {said}");
    }
    let output = tool
        .command(&["run", "--scenarios", "tests/failing", "--accept"])
        .env("CI", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("CI"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn without_an_engine_run_ends_with_3_and_one_sentence() {
    let tool = Tool::new();
    let mut command = tool.command(&["run", "--target", "docker"]);
    let output = command.env("DOCKER_HOST", NO_ENGINE).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("start Docker, or set DOCKER_HOST"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let output = tool
        .command(&["run", "--target", "docker"])
        .env("DOCKER_HOST", "ssh://host")
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("ssh -L"), "{said}");
}

/// What cannot run here at all is tested in tests/target/user.rs.
#[tokio::test]
async fn without_an_engine_auto_takes_the_local_target() {
    if !local().await {
        return;
    }
    let tool = Tool::new();
    let without = |arguments: &[&str]| {
        let mut command = tool.command(arguments);
        command.env("DOCKER_HOST", NO_ENGINE).output().unwrap()
    };
    let output = without(&["run", "volumes/pvc/read_only.lua"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let first = said.lines().next().unwrap_or_default();
    assert!(first.starts_with("auto: local, because "), "{said}");
    assert!(first.contains("start Docker, or set DOCKER_HOST"), "{said}");
    let output = without(&["doctor"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let lines = ["docker  no ", "local   yes "];
    let starts = |line: &&str| shown.lines().any(|shown| shown.starts_with(line));
    assert!(lines.iter().all(starts), "{shown}");
    assert!(shown.ends_with("\nosb-conformance run --target local\n"));
}

#[test]
fn list_names_every_scenario_and_catches_unknown_requirements() {
    let tool = Tool::new();
    let output = tool.run(&["list", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let paths: Vec<_> = rows
        .iter()
        .map(|row| row["path"].as_str().unwrap())
        .filter(|path| path.starts_with("volumes/pvc/"))
        .collect();
    assert_eq!(
        paths[..4],
        [
            "read_write",
            "read_only",
            "cross_sandbox_sharing",
            "sub_path"
        ]
        .map(|name| format!("volumes/pvc/{name}.lua"))
    );
    let folder = failing().display().to_string();
    let output = tool.run(&["list", "--scenarios", &folder, "unknown_requirement.lua"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("unknown_requirement.lua:3: covers names the unknown requirement \"VOL-PCV-001\"; did you mean VOL-PVC-001?"), "{said}");
}

#[tokio::test]
async fn a_new_scenario_is_recorded_and_passes() {
    if engine().await.is_none() {
        return;
    }
    let (tool, folder) = (Tool::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("mine/first_try.lua");
    let root = folder.path().display().to_string();
    assert_eq!(
        tool.run(&["new", &file.display().to_string()])
            .status
            .code(),
        Some(0)
    );
    let again = tool.run(&["new", &file.display().to_string()]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("exists already"));
    let run = |more: &[&str]| {
        let arguments = [&["run", "--scenarios", &root, "mine"], more].concat();
        tool.run(&arguments)
    };
    let missing = run(&[]);
    assert_eq!(missing.status.code(), Some(3), "{}", text(&missing.stdout));
    assert!(
        text(&missing.stdout).contains("--accept"),
        "{}",
        text(&missing.stdout)
    );
    assert_eq!(run(&["--accept"]).status.code(), Some(0));
    let transcript = std::fs::read_to_string(file.with_extension("transcript")).unwrap();
    assert!(
        transcript.contains("Scenario: first try\n") && transcript.contains("  hello\n"),
        "{transcript}"
    );
    assert_eq!(run(&[]).status.code(), Some(0));
}

/// Takes out what differs from run to run.
fn comparable(output: &[u8]) -> String {
    let time = |word: &str| {
        let word = word.trim_end_matches(',');
        let digits = word.trim_end_matches('s');
        word.ends_with('s') && digits.parse::<f64>().is_ok()
    };
    let line = |line: &str| {
        let line = line.split(", run ").next().unwrap_or_default().to_owned();
        line.split_whitespace()
            .filter(|word| !time(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    text(output)
        .lines()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn jobs_change_nothing_but_time() {
    if engine().await.is_none() {
        return;
    }
    let tool = Tool::new();
    let root = failing().display().to_string();
    let run = |jobs| {
        let options = [
            "run",
            "--scenarios",
            &root,
            "--timeout",
            "20s",
            "--jobs",
            jobs,
        ];
        let failing = [
            "failed_expectation.lua",
            "transcript_differs.lua",
            "refused_request.lua",
        ];
        let output = tool.run(&[&options[..], &EXAMPLE, &failing].concat());
        assert_eq!(output.status.code(), Some(1));
        comparable(&output.stdout)
    };
    assert_eq!(run("1"), run("4"));
}

/// Whether every line of the specification's example is found in `shown`, in order, under the
/// example's own wildcards. The line with the server names the target instead.
fn find_seed(shown: &str) {
    let seed = include_str!("../seed_output.txt");
    let mut lines = shown.lines();
    for expected in seed
        .lines()
        .filter(|line| !line.starts_with("OpenSandbox server") && line.trim() != "...")
    {
        let matches = |line: &str| match expected
            .split_once("...")
            .filter(|_| expected.contains(" ... "))
        {
            Some((start, end)) => line.starts_with(start) && line.ends_with(end),
            None => line.trim_end() == expected.trim_end(),
        };
        assert!(
            lines.any(matches),
            "not found in order: {expected:?}\n{shown}"
        );
    }
}

#[tokio::test]
async fn the_specifications_example_is_what_is_printed() {
    let Some(docker) = engine().await else { return };
    let tool = Tool::new();
    let first = tool.run(&["run", "--transcript", "volumes/pvc/read_only.lua"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let shown = text(&first.stdout);
    let default = shown
        .lines()
        .find_map(|line| line.strip_prefix("Sandbox image      : "))
        .unwrap();
    // The example's image has another name; it is the run's only setting here.
    let tag = TagImageOptionsBuilder::default()
        .repo("ubuntu")
        .tag("osb-conformance-test")
        .build();
    docker.tag_image(default, Some(tag)).await.unwrap();
    let output = tool
        .command(&[&["run", "--transcript", "--jobs", "2"][..], &EXAMPLE].concat())
        .env("SANDBOX_IMAGE", "ubuntu:osb-conformance-test")
        .output()
        .unwrap();
    docker
        .remove_image(
            "ubuntu:osb-conformance-test",
            None::<RemoveImageOptions>,
            None,
        )
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    find_seed(&text(&output.stdout).replace("ubuntu:osb-conformance-test", "ubuntu"));
}

#[tokio::test]
async fn two_runs_at_once_do_not_disturb_each_other() {
    if engine().await.is_none() {
        return;
    }
    let tool = Tool::new();
    let spawn = || {
        tool.command(&[&["run"][..], &EXAMPLE].concat())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let (mut a, mut b) = (spawn(), spawn());
    assert_eq!(
        (a.wait().unwrap().code(), b.wait().unwrap().code()),
        (Some(0), Some(0))
    );
}

#[test]
fn the_list_of_requirements_is_what_coverage_writes() {
    let tool = Tool::new();
    let output = tool.run(&["coverage", "--format", "markdown"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/REQUIREMENTS.md");
    let kept = std::fs::read_to_string(file).unwrap();
    assert!(
        text(&output.stdout) == kept,
        "write it anew: osb-conformance coverage --format markdown > scenarios/REQUIREMENTS.md"
    );
}

#[test]
fn a_requirement_without_a_scenario_fails_coverage() {
    let tool = Tool::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.lua",
        "scenario { title = \"a\", covers = { \"VOL-PVC-001\" } }\n",
    );
    let row = "level = \"MUST\"\ntext = \"t\"\nsource = \"s\"\n";
    let untestable = format!("[NEW-001]\n{row}untestable = \"why\"\n");
    let scenarios = folder.path().display().to_string();
    let coverage = ["coverage", "--scenarios", &scenarios];
    write("requirements.toml", &untestable);
    assert_eq!(tool.run(&coverage).status.code(), Some(0));
    write(
        "requirements.toml",
        &format!("{untestable}[NEW-002]\n{row}"),
    );
    let output = tool.run(&coverage);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(said.contains("NEW-002"), "{said}");
}
