//! What the tests of the real thing share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bollard::Docker;
use serde_json::Value;

/// The scenarios of the specification's example.
pub const EXAMPLE: [&str; 4] = [
    "volumes/pvc/read_write.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/sub_path.lua",
];

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
        for name in [
            "SANDBOX_IMAGE",
            "SANDBOX_DOMAIN",
            "SANDBOX_API_KEY",
            "OPEN_SANDBOX_API_KEY",
            "CI",
            "OSB_LOG",
        ] {
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
        skip("docker", "no Docker engine answers");
    }
    docker
}

/// Whether the kernel lets us make local sandboxes; otherwise as with [`engine`].
#[cfg(target_os = "linux")]
pub async fn local() -> bool {
    use osb_conformance::target::local::{LocalConfig, LocalTarget};
    let state = tempfile::tempdir().expect("a state folder");
    let config = LocalConfig {
        state: state.path().into(),
        ..LocalConfig::default()
    };
    let target = LocalTarget::connect(config).await;
    if let Err(error) = &target {
        skip("local", &error.to_string());
    }
    target.is_ok()
}

#[cfg(not(target_os = "linux"))]
pub async fn local() -> bool {
    skip("local", "it is made of Linux namespaces");
    false
}

/// Says that `target` cannot be tested here, and fails where it must be.
pub fn skip(target: &str, reason: &str) {
    let required = std::env::var(osb_conformance::harness::REQUIRE).unwrap_or_default();
    let is_required = required.split(',').any(|name| name.trim() == target);
    assert!(!is_required, "{target} is required, but {reason}");
    eprintln!("skipped: {reason}");
}

/// The descendants of this process with their states, such as `Z` for one that has ended and
/// that nobody has waited for. This process is one of them.
pub fn descendants() -> BTreeMap<i32, String> {
    let look = |pid: i32| -> Option<(i32, (i32, String))> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.to_owned();
        Some((pid, (fields.next()?.parse().ok()?, state)))
    };
    let all: BTreeMap<i32, (i32, String)> = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(look)
        .collect();
    let own = i32::try_from(std::process::id()).expect("a process id");
    let mut found = BTreeMap::from([(own, "R".to_owned())]);
    loop {
        let before = found.len();
        let born: Vec<_> = all
            .iter()
            .filter(|(pid, (parent, _))| found.contains_key(parent) && !found.contains_key(pid))
            .map(|(pid, (_, state))| (*pid, state.clone()))
            .collect();
        found.extend(born);
        if found.len() == before {
            return found;
        }
    }
}

/// Every control group of ours whose name holds `part`.
pub fn control_groups(part: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from("/sys/fs/cgroup")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if name.starts_with("osb-conformance.") && name.contains(part) {
                found.push(entry.path());
            }
            folders.push(entry.path());
        }
    }
    found
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
