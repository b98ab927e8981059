//! The official server, opensandbox-server, on the Docker engine, with our agent as its execd.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::engine::{Image, remove_marked, remove_volume, unique};
use crate::process::{Process, get};
use crate::python::{KEY, Python, tests};
use crate::support::Tool;

/// How long it may take until it listens.
const START: Duration = Duration::from_secs(60);

/// How long a run of the suite may take.
const RUN: Duration = Duration::from_secs(600);

/// A server with our tool in front of it. Fields are dropped in their order: first the server ends.
pub struct Official {
    server: Process,
    tool: Cleaned,
    _execd: Image,
    address: String,
    /// The folder of everything: `state`, its home, and `hosts`, for volumes.
    folder: TempDir,
}

impl Official {
    /// Builds its execd image, starts it, and waits until it is healthy.
    pub fn start(python: &Python) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["state", "hosts"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let execd = execd(folder.path());
        let port = free_port();
        let state = folder.path().join("state");
        let file = configure(folder.path(), port, &execd.name);
        let mut command = python.command(&["-m", "opensandbox_server.cli", "--config", &file]);
        command.env("HOME", &state).current_dir(&state);
        let mut server = Process::start(command);
        let address = format!("127.0.0.1:{port}");
        server.until(START, |_| {
            get(&address, "/health", None).filter(|(status, _)| *status == 200)
        });
        Self {
            server,
            tool: Cleaned(Tool::new()),
            _execd: execd,
            address,
            folder,
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder below which it allows `host` volumes.
    pub fn hosts(&self) -> PathBuf {
        self.folder.path().join("hosts")
    }

    /// `osb-conformance` with its key, and with a ledger by which what it makes is found again.
    pub fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = self.tool.0.command(arguments);
        command.env("SANDBOX_API_KEY", KEY);
        command
    }

    /// Runs `osb-conformance`, which must find that everything conforms; answers what it prints.
    pub fn conforms(&self, arguments: &[&str]) -> String {
        let mut run = Process::start(self.tool(arguments));
        let code = run.code(RUN);
        assert_eq!(
            code,
            Some(0),
            "{arguments:?}:\n{}\nthe server:\n{}",
            run.told(),
            last(&self.server.told())
        );
        run.out()
    }
}

/// The end of a long text.
fn last(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// An image with our agent in it, as the server takes it.
fn execd(folder: &Path) -> Image {
    let agent = folder.join("execd");
    std::fs::write(&agent, osb_conformance::execd::agent::binary()).unwrap();
    let image = Image {
        name: format!("osb-conformance/execd:{}", unique("execd")),
    };
    let script = tests().join("execd/build.sh");
    let built = Command::new("sh")
        .args([&script, &agent])
        .arg(&image.name)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{script:?}: {told}");
    image
}

/// A port that nobody has now.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Writes its configuration; answers the file.
fn configure(own: &Path, port: u16, execd: &str) -> String {
    let template = std::fs::read_to_string(tests().join("official.toml")).unwrap();
    // The comments name the values too.
    let lines = template.lines().filter(|line| !line.starts_with('#'));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    for (name, value) in [
        ("@PORT@", port.to_string()),
        ("@API_KEY@", KEY.into()),
        ("@EXECD_IMAGE@", execd.into()),
        ("@HOST_PATH@", own.join("hosts").display().to_string()),
        ("@STATE@", own.join("state").display().to_string()),
    ] {
        assert!(text.contains(name), "official.toml has no {name}");
        text = text.replace(name, &value);
    }
    assert!(!text.contains('@'), "official.toml has more values: {text}");
    let file = own.join("official.toml");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// Our tool. What its runs leave on the engine, such as one that was killed, is found by their
/// ledgers and removed.
struct Cleaned(Tool);

impl Drop for Cleaned {
    fn drop(&mut self) {
        let runs = self.0.state.path().join("osb-conformance/runs");
        for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let run = name.trim_end_matches(".jsonl");
            // The server keeps a run's mark as labels of its containers.
            remove_marked(&format!("io.osb-conformance.run={run}"));
            let ledger = std::fs::read_to_string(entry.path()).unwrap_or_default();
            for line in ledger.lines() {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                if let (Some("volume"), Some(name)) = (line["kind"].as_str(), line["name"].as_str())
                {
                    remove_volume(name);
                }
            }
        }
    }
}
