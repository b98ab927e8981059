//! `run --against`: two targets, and what they print differently.

use std::process::Output;

use crate::bench::Bench;
use crate::support::{EXAMPLE, Tool, text};

/// Runs on both targets where both are there, and answers what it printed.
fn both(arguments: &[&str]) -> Option<(Output, String)> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Benches say why a target cannot run here, or fail where it must.
    let there = runtime
        .block_on(async { Bench::docker().await.is_some() && Bench::local().await.is_some() });
    there.then(|| {
        let pair = ["run", "--target", "docker", "--against", "local"];
        let output = Tool::new().run(&[&pair, arguments].concat());
        let printed = text(&output.stdout);
        (output, printed)
    })
}

#[test]
fn the_shipped_scenarios_print_the_same_on_both() {
    let Some((output, printed)) = both(&EXAMPLE) else {
        return;
    };
    assert!(output.status.success(), "{printed}");
    assert!(
        printed.contains("SAME  volumes/pvc/sub_path.lua"),
        "{printed}"
    );
    assert!(
        printed.contains("4 same, 0 different, 0 not compared"),
        "{printed}"
    );
}

#[test]
fn what_differs_is_shown_with_the_targets_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/different");
    let Some((output, printed)) =
        both(&["--scenarios", folder, "both.lua", "image.lua", "images.lua"])
    else {
        return;
    };
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for line in [
        "DIFF  image.lua",
        "    --- docker",
        "    +++ local",
        "    -  It is called osb-conformance/default",
        "    +  It is called host",
        "SKIP  images.lua  local lacks the capability images",
        "BOTH  both.lua  failed on both, and alike",
        "0 same, 1 different, 1 not compared, 1 failed on both",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
}

#[test]
fn it_takes_no_report_and_accepts_nothing() {
    for option in [
        "--accept",
        "--transcript",
        "--fail-fast",
        "--report=json=/dev/null",
    ] {
        let output = Tool::new().run(&["run", "--against", "local", option]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(text(&output.stderr).contains("--against"), "{option}");
    }
}
