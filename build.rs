//! Builds the agent: this package's own `osb-agent`, static and small, which the suite embeds.

use std::env;
use std::path::PathBuf;
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

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-changed=src/agent");
    println!("cargo::rerun-if-changed=src/execd");
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
    build.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let status = build.status().expect("cargo can be started");
    assert!(status.success(), "the agent cannot be built: {build:?}");
    let built = folder.join(&target).join("agent/osb-agent");
    std::fs::copy(&built, &agent).expect("the agent was built");
}
