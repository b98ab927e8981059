//! Our own execd, the agent, as a program: this package's build script makes it of `src/agent`.

/// The static agent for this machine's architecture; empty where it cannot be built.
pub fn binary() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/osb-agent"))
}

/// The processor of this machine, which the agent is for, as images name it: `amd64`.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether the agent runs on `architecture`, named as an image names it.
pub fn runs_on(architecture: &str) -> bool {
    !binary().is_empty() && architecture == self::architecture()
}
