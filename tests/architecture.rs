//! One dependency, one home; and dependencies run downward only.

use std::fs;
use std::path::{Path, PathBuf};

/// Crates and the only places below `src` that may name them.
const HOMES: [(&str, &[&str]); 15] = [
    ("axum", &["agent", "serve"]),
    ("caps", &["agent"]),
    ("hyper", &["agent", "execd", "target/server"]),
    ("rustls_native_certs", &["target/server"]),
    ("tokio_rustls", &["target/server"]),
    ("nix", &["agent", "target/directory.rs", "target/local"]),
    ("bollard", &["target/docker"]),
    ("mlua", &["lua"]),
    ("similar", &["transcript"]),
    ("regex", &["transcript"]),
    ("libtest_mimic", &["harness"]),
    ("quick_junit", &["report"]),
    ("indicatif", &["report"]),
    ("clap", &["cli"]),
    ("include_dir", &["runner"]),
];

/// Modules and those of ours that they must not use.
const WALLS: [(&str, &[&str]); 9] = [
    (
        "serve",
        &[
            "scenario",
            "lua",
            "transcript",
            "runner",
            "report",
            "harness",
        ],
    ),
    (
        "sandbox",
        &[
            "execd",
            "target",
            "scenario",
            "lua",
            "transcript",
            "runner",
            "report",
            "harness",
        ],
    ),
    (
        "execd",
        &[
            "sandbox",
            "target",
            "scenario",
            "lua",
            "transcript",
            "runner",
            "report",
            "harness",
        ],
    ),
    (
        "transcript",
        &[
            "sandbox", "execd", "target", "scenario", "lua", "runner", "report", "harness",
        ],
    ),
    (
        "scenario",
        &[
            "sandbox",
            "execd",
            "target",
            "lua",
            "transcript",
            "runner",
            "report",
            "harness",
        ],
    ),
    (
        "target",
        &[
            "scenario",
            "lua",
            "transcript",
            "runner",
            "report",
            "harness",
        ],
    ),
    ("lua", &["runner", "report", "harness"]),
    (
        "report",
        &["sandbox", "execd", "target", "lua", "runner", "harness"],
    ),
    ("runner", &["harness"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `folder`: its path below `src`, and its lines of code.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file");
            let code = |line: &&str| !line.trim_start().starts_with("//");
            let name = path
                .strip_prefix(source())
                .expect("below src")
                .display()
                .to_string();
            found.push((
                name,
                text.lines().filter(code).collect::<Vec<_>>().join("\n"),
            ));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    assert!(found.len() > 40);
    found
}

#[test]
fn every_dependency_has_one_home() {
    for (name, code) in all() {
        for (dependency, homes) in HOMES {
            let path = format!("{dependency}::");
            // As a whole word: axum's name begins other names, too.
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let uses = code
                .match_indices(&path)
                .any(|(at, _)| !code[..at].chars().next_back().is_some_and(is_part));
            let at_home = homes.iter().any(|home| name.starts_with(home));
            assert!(
                !uses || at_home,
                "{name} uses {dependency}, whose home is {homes:?}"
            );
        }
    }
}

#[test]
fn dependencies_run_downward() {
    for (name, code) in all() {
        for (module, forbidden) in WALLS {
            if name.starts_with(&format!("{module}/")) {
                for other in forbidden {
                    assert!(
                        !code.contains(&format!("crate::{other}::")),
                        "{name} must not use {other}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_agent_knows_nothing_of_the_suite() {
    for (name, code) in all() {
        let uses = code.match_indices("osb_conformance::").map(|(at, _)| at);
        for at in uses.filter(|_| name.starts_with("agent/")) {
            let rest = &code[at..];
            assert!(
                rest.starts_with("osb_conformance::execd::enclosure::")
                    || rest.starts_with("osb_conformance::execd::protocol::"),
                "{name} uses more than the protocol"
            );
        }
    }
}

#[test]
fn files_stay_readable() {
    for (name, _) in all() {
        let lines = fs::read_to_string(source().join(&name))
            .expect("a file")
            .lines()
            .count();
        assert!(lines <= 500, "{name} has {lines} lines");
    }
}
