//! Every shipped scenario as a libtest trial, on every target that can run here.

use std::process::ExitCode;

use osb_conformance::harness::Harness;
use osb_conformance::runner::Suite;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};

fn main() -> ExitCode {
    let suite = match Suite::shipped() {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let harness = Harness::new(suite);
    let harness = harness.target("docker", DockerTarget::connect(DockerConfig::default()));
    #[cfg(target_os = "linux")]
    let harness = harness.target("local", LocalTarget::connect(LocalConfig::default()));
    harness.main()
}
