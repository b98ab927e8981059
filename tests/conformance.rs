//! Every shipped scenario as a libtest trial, on every target that can run here.

use std::process::ExitCode;

use osb_conformance::harness::Harness;
use osb_conformance::runner::Suite;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::local::{LocalConfig, LocalTarget};

fn main() -> ExitCode {
    let suite = match Suite::shipped() {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    Harness::new(suite)
        .target("docker", DockerTarget::connect(DockerConfig::default()))
        .target("local", LocalTarget::connect(LocalConfig::default()))
        .main()
}
