//! What the tests of the real thing share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bollard::Docker;
use serde_json::Value;

/// The binary under test, with a state folder of its own and nothing of the caller's settings.
pub struct Tool {
    pub state: tempfile::TempDir,
}

impl Tool {
    pub fn new() -> Self {
        Self {
            state: tempfile::tempdir().expect("a state folder"),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osb-conformance"));
        command
            .args(arguments)
            .env("XDG_STATE_HOME", self.state.path());
        for name in ["SANDBOX_IMAGE", "CI", "OSB_LOG"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the tool starts")
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The engine, or `None` where none answers: then the test is skipped, visibly, unless
/// `OSB_CONFORMANCE_REQUIRE` demands Docker.
pub async fn engine() -> Option<Docker> {
    let docker = Docker::connect_with_defaults().ok();
    let docker = match docker {
        Some(docker) => docker.negotiate_version().await.ok(),
        None => None,
    };
    if docker.is_none() {
        let required = std::env::var(osb_conformance::harness::REQUIRE).unwrap_or_default();
        assert!(
            !required.contains("docker"),
            "Docker is required, but no engine answers"
        );
        eprintln!("skipped: no Docker engine answers");
    }
    docker
}

/// The lines of a JSON report.
pub fn json_lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a report");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

pub fn failing() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failing")
}

/// Names of all containers and volumes that carry the label of any run, or of `run`.
pub async fn marked(docker: &Docker, run: Option<&str>) -> Vec<String> {
    use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder};
    use std::collections::HashMap;
    let label = run.map_or_else(
        || "io.osb-conformance.run".into(),
        |run| format!("io.osb-conformance.run={run}"),
    );
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let containers = docker
        .list_containers(Some(options))
        .await
        .expect("containers");
    let options = ListVolumesOptionsBuilder::default()
        .filters(&filters)
        .build();
    let volumes = docker.list_volumes(Some(options)).await.expect("volumes");
    let mut names: Vec<_> = containers
        .into_iter()
        .flat_map(|c| c.names.unwrap_or_default())
        .collect();
    names.extend(
        volumes
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(|volume| volume.name),
    );
    names
}
