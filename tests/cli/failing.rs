//! Scenarios that must fail, as every report shows them.

use serde_json::json;

use crate::support::{Tool, engine, failing, json_lines, marked, text};

/// Every scenario that must fail: its verdict, the kind of its first finding, and what it says.
const FAILING: [(&str, &str, &str, &str, Option<&str>); 12] = [
    (
        "syntax_error",
        "errored",
        "syntax",
        "unexpected symbol",
        Some("syntax_error.lua:5"),
    ),
    ("endless_loop", "errored", "timeout", "endless loop", None),
    ("endless_pcall", "errored", "timeout", "endless loop", None),
    (
        "costly_pattern",
        "errored",
        "timeout",
        "could not be stopped",
        None,
    ),
    (
        "failed_expectation",
        "failed",
        "expectation",
        "exit code of cat: expected 1 to be 0",
        Some("failed_expectation.lua:10"),
    ),
    (
        "transcript_differs",
        "failed",
        "transcript",
        "differs from transcript_differs.transcript",
        None,
    ),
    (
        "unknown_requirement",
        "errored",
        "unknown_requirement",
        "did you mean VOL-PVC-001?",
        Some("unknown_requirement.lua:3"),
    ),
    (
        "missing_transcript",
        "errored",
        "missing_transcript",
        "--accept",
        None,
    ),
    (
        "refused_request",
        "failed",
        "api_error",
        "400 VOLUME::INVALID_SUB_PATH: volume \"v\": subPath \"../outside\"",
        Some("refused_request.lua:5"),
    ),
    (
        "unknown_field",
        "errored",
        "script",
        "unknown field `mounts`",
        Some("unknown_field.lua:3"),
    ),
    (
        "too_much_memory",
        "errored",
        "script",
        "more than its 64 MiB",
        None,
    ),
    (
        "slow_command",
        "failed",
        "timeout",
        "sandbox.commands:run did not return",
        Some("slow_command.lua:5"),
    ),
];

#[tokio::test]
async fn what_must_fail_fails_as_it_must_and_leaves_nothing() {
    let Some(docker) = engine().await else { return };
    let tool = Tool::new();
    let folder = tempfile::tempdir().unwrap();
    let (root, json, junit) = (
        failing(),
        folder.path().join("r.json"),
        folder.path().join("r.xml"),
    );
    let (json_option, junit_option) = (
        format!("json={}", json.display()),
        format!("junit={}", junit.display()),
    );
    let names: Vec<_> = FAILING
        .iter()
        .map(|(name, ..)| format!("{name}.lua"))
        .collect();
    let root = root.display().to_string();
    let mut arguments = vec![
        "run",
        "--scenarios",
        &root,
        "--timeout",
        "3s",
        "--jobs",
        "6",
    ];
    arguments.extend(["--report", &json_option, "--report", &junit_option]);
    arguments.extend(names.iter().map(String::as_str));
    let output = tool.run(&arguments);
    let shown = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{shown}{}",
        text(&output.stderr)
    );
    let lines = json_lines(&json);
    let run = lines[0]["run"].as_str().unwrap().to_owned();
    for (name, verdict, kind, says, location) in FAILING {
        let path = format!("{name}.lua");
        let report = lines
            .iter()
            .find(|line| line["path"] == path.as_str())
            .unwrap();
        let finding = &report["findings"][0];
        assert_eq!(
            (&report["verdict"], &finding["kind"]),
            (&json!(verdict), &json!(kind)),
            "{report}"
        );
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(says), "{name}: {message}");
        if let Some(location) = location {
            assert_eq!(finding["location"], location, "{name}");
        }
        assert!(
            shown.contains(&format!(
                "rerun: osb-conformance run --target docker --scenarios {root} {path}"
            )),
            "{shown}"
        );
        assert!(shown.contains(says), "{name}: {shown}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(
        summary["verdicts"],
        json!({
            "passed": 0, "failed": 4, "errored": 8, "skipped": 0,
            "known_failure": 0, "unexpected_pass": 0,
        })
    );
    assert_eq!(
        summary["scenarios"].as_object().unwrap().len(),
        FAILING.len()
    );
    assert_eq!(summary["requirements"], json!({"VOL-PVC-001": "failed"}));
    assert_eq!(summary["leaked"], json!([]));
    let xml = std::fs::read_to_string(junit).unwrap();
    assert_eq!(
        (
            xml.matches("<failure").count(),
            xml.matches("<error").count()
        ),
        (4, 8),
        "{xml}"
    );
    assert!(
        shown.contains("0 passed, 4 failed, 8 errored, 0 skipped"),
        "{shown}"
    );
    // The evidence: the diff with its sides labelled, a matched wildcard left alone, the caller's
    // frame, the command that failed unnoticed, and no name of ours.
    for piece in [
        "--- expected",
        "+++ actual",
        "-  old",
        "+  new",
        "   hello ...",
        "at refused_request.lua:11",
        "last command that did not succeed: `cat /mnt/nothing` ended with exit code 1: cat:",
        "requirements: VOL-PVC-001",
        "step: [1] Climbing out:",
    ] {
        assert!(shown.contains(piece), "{piece}: {shown}");
    }
    assert!(
        !shown.contains("__mlua") && !shown.contains("[C]"),
        "{shown}"
    );
    assert_eq!(marked(&docker, Some(&run)).await, Vec::<String>::new());
    assert!(
        std::fs::read_dir(tool.state.path().join("osb-conformance/runs"))
            .unwrap()
            .next()
            .is_none()
    );
}
