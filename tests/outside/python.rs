//! The Python that has the official packages, and the official SDK driven by it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::engine::Volume;
use crate::process::Process;
use crate::support::{skip, text};

/// The API key of servers here that have one.
pub const KEY: &str = "key-of-the-outside-tests";

/// Names that Python.
const VARIABLE: &str = "OSB_OUTSIDE_PYTHON";

/// How long the SDK may take for its four scenarios.
const SEED: Duration = Duration::from_secs(300);

/// Tells which package of the file that is its argument is not there as it is pinned.
const PINS: &str = r"
import sys
from importlib.metadata import PackageNotFoundError, version
for line in open(sys.argv[1]):
    name, _, pin = line.partition('#')[0].strip().partition('==')
    if name:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = 'nothing'
        if found != pin:
            sys.exit(f'{sys.executable} has {found} of {name}, not {pin}')
";

/// The folder of these tests.
pub fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside")
}

pub struct Python(PathBuf);

impl Python {
    /// `None` where none is named: then the test is skipped, visibly, unless
    /// `OSB_CONFORMANCE_REQUIRE` demands it. One without the packages is a failure.
    pub fn find() -> Option<Self> {
        let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
        let Some(named) = named else {
            let reason = format!(
                "{VARIABLE} names no Python with the packages of tests/outside/requirements.txt"
            );
            skip("outside", &reason);
            return None;
        };
        let python = Self(named.into());
        let mut pins = python.command(&["-c", PINS]);
        let output = pins.arg(tests().join("requirements.txt")).output();
        let output = output.unwrap_or_else(|error| panic!("{VARIABLE}: {pins:?}: {error}"));
        assert!(
            output.status.success(),
            "{VARIABLE}: {}",
            text(&output.stderr)
        );
        Some(python)
    }

    /// A command of it with nothing of the caller's settings, and with no proxy on the way to this
    /// machine's own servers.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        for (name, _) in std::env::vars_os() {
            let is_setting = |name: &str| {
                ["SANDBOX_", "OPEN_SANDBOX_", "OPENSANDBOX_", "SCHEMATHESIS_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            };
            if name.to_str().is_some_and(is_setting) {
                command.env_remove(name);
            }
        }
        command
    }
}

/// A server as a client of it sees it.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// Host and port.
    pub address: &'a str,
    pub key: Option<&'a str>,
    pub image: &'a str,
    /// Whether sandboxes are reached through the server's own proxy.
    pub proxy: bool,
}

/// What the SDK does with the scenarios of the specification's example.
pub struct Seed {
    pub code: Option<i32>,
    /// What it prints, with the names that the example has.
    pub shown: String,
    pub told: String,
}

impl Seed {
    /// Runs `seed.py` to its end. Whatever it makes mounts a volume that nobody else has.
    pub fn run(python: &Python, door: Door<'_>) -> Self {
        let volume = Volume::unique();
        let script = tests().join("seed.py").display().to_string();
        let mut command = python.command(&[
            &script,
            "--domain",
            door.address,
            "--image",
            door.image,
            "--volume",
            &volume.name,
        ]);
        if door.proxy {
            command.arg("--use-server-proxy");
        }
        if let Some(key) = door.key {
            command.env("SANDBOX_API_KEY", key);
        }
        let mut process = Process::start(command);
        let code = process.code(SEED);
        let line = |name: &str, value: &str| format!("{name}: {value}\n");
        let shown = process
            .out()
            .replace(&volume.name, "opensandbox-pvc-demo")
            .replace(
                &line("OpenSandbox server ", door.address),
                &line("OpenSandbox server ", "localhost:8080"),
            )
            .replace(
                &line("Sandbox image      ", door.image),
                &line("Sandbox image      ", "ubuntu"),
            );
        Self {
            code,
            shown,
            told: process.err(),
        }
    }
}
