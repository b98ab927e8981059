//! Builds the agent: this package's own `osb-agent`, static and small, which the suite embeds.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What cargo and its linters tell the build script, and what must not reach the agent's build:
/// there it would be taken for a wish, such as for the features of the outer build.
const OUTER: [&str; 9] = [
    "CARGO_BUILD_",
    "CARGO_CFG_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_FEATURE_",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CLIPPY_",
    "RUST",
];

/// Static, also in its addresses, and without the index of the tables that [`shrink`] takes out.
const FLAGS: [&str; 3] = [
    "-Ctarget-feature=+crt-static",
    "-Crelocation-model=static",
    "-Clink-arg=-Wl,--no-eh-frame-hdr",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-changed=src/agent");
    println!("cargo::rerun-if-changed=src/execd/enclosure.rs");
    println!("cargo::rerun-if-changed=src/execd/protocol.rs");
    // The agent's own build comes through here too, without the suite.
    if env::var_os("CARGO_FEATURE_SUITE").is_none() {
        return;
    }
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let (out, target) = (PathBuf::from(variable("OUT_DIR")), variable("TARGET"));
    let agent = out.join("osb-agent");
    if !target.contains("linux") {
        // Sandboxes are Linux; from elsewhere commands take the engine's own way.
        std::fs::write(&agent, []).expect("OUT_DIR is writable");
        return;
    }
    let folder = out.join("agent");
    let mut build = Command::new(variable("CARGO"));
    build
        .args(["build", "--bin", "osb-agent", "--no-default-features"])
        .args(["--features", "agent", "--profile", "agent"])
        .args(["--target", &target, "--target-dir"])
        .arg(&folder)
        .current_dir(variable("CARGO_MANIFEST_DIR"));
    for (name, _) in env::vars_os() {
        let is_outer = |name: &str| OUTER.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(is_outer)
            && name != "RUSTUP_TOOLCHAIN"
            && name != "RUSTUP_HOME"
        {
            build.env_remove(&name);
        }
    }
    build.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    let status = build.status().expect("cargo can be started");
    assert!(status.success(), "the agent cannot be built: {build:?}");
    let built = folder.join(&target).join("agent/osb-agent");
    std::fs::copy(&built, &agent).expect("the agent was built");
    shrink(&agent, &out);
}

/// Takes out what unwinding would need, a tenth of the program: it aborts where it panics, but the
/// standard library comes compiled for both. Eight bytes of zero are left, the end of an empty
/// table, since the C library's start code registers it. Without objcopy the program stays larger.
fn shrink(agent: &Path, out: &Path) {
    let (end, small) = (out.join("end-of-frames"), out.join("osb-agent-small"));
    std::fs::write(&end, [0; 8]).expect("OUT_DIR is writable");
    let status = Command::new("objcopy")
        .arg("--update-section")
        .arg(format!(".eh_frame={}", end.display()))
        .args([agent, &small])
        .status();
    if status.is_ok_and(|status| status.success()) {
        std::fs::rename(&small, agent).expect("OUT_DIR is writable");
    }
}
