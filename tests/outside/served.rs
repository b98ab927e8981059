//! Our reference server as a program.

use std::time::Duration;

use serde_json::Value;

use crate::process::{Process, get};
use crate::python::Door;
use crate::support::{Tool, control_groups, engine, marked};

/// How long it may take until it listens: the default image may have to be assembled.
const START: Duration = Duration::from_secs(120);

/// `osb-conformance serve`, with a state folder of its own.
pub struct Served {
    process: Process,
    tool: Tool,
    address: String,
    image: String,
    key: Option<String>,
}

impl Served {
    /// Starts it in front of `target`, and waits until it listens.
    pub fn start(target: &str, key: Option<&str>) -> Self {
        let tool = Tool::new();
        let mut command = tool.command(&["serve", "--target", target, "--listen", "127.0.0.1:0"]);
        command.env_remove("OPEN_SANDBOX_API_KEY");
        match key {
            Some(key) => command.env("SANDBOX_API_KEY", key),
            None => command.env_remove("SANDBOX_API_KEY"),
        };
        let mut process = Process::start(command);
        let (image, address) = process.until(START, |process| {
            let out = process.out();
            let rest = |start| out.lines().find_map(|line| line.strip_prefix(start));
            // The last line may be half a line.
            out.ends_with('\n').then_some(())?;
            let address = rest("listening on http://")?;
            Some((rest("image ")?.to_owned(), address.to_owned()))
        });
        Self {
            process,
            tool,
            address,
            image,
            key: key.map(Into::into),
        }
    }

    /// The way in.
    pub fn door(&self) -> Door<'_> {
        Door {
            address: &self.address,
            key: self.key.as_deref(),
            image: &self.image,
            proxy: false,
        }
    }

    /// How many sandboxes there are now.
    pub fn sandboxes(&self) -> u64 {
        let (status, body) = get(&self.address, "/v1/sandboxes", self.key.as_deref())
            .unwrap_or_else(|| panic!("it does not answer: {}", self.process.told()));
        assert_eq!(status, 200, "{body}");
        let page: Value = serde_json::from_str(&body).unwrap();
        page["pagination"]["totalItems"].as_u64().unwrap()
    }

    /// What it keeps in its state folder: ledgers in `runs`, `sandboxes`, `volumes`.
    fn kept(&self, kind: &str) -> Vec<String> {
        let folder = self.tool.state.path().join("osb-conformance").join(kind);
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Ends it with SIGTERM: it must end well, and leave nothing of what it made.
    pub async fn stop(mut self) {
        let ledgers = self.kept("runs");
        assert_eq!(ledgers.len(), 1, "one run has one ledger: {ledgers:?}");
        let run = ledgers[0].trim_end_matches(".jsonl").to_owned();
        let code = self.process.terminate();
        assert_eq!(code, Some(0), "{}", self.process.told());
        for kind in ["runs", "sandboxes", "volumes"] {
            assert_eq!(self.kept(kind), Vec::<String>::new(), "{kind}");
        }
        assert_eq!(control_groups(&run), Vec::<std::path::PathBuf>::new());
        if self.image != "host"
            && let Some(docker) = engine().await
        {
            assert_eq!(marked(&docker, Some(&run)).await, Vec::<String>::new());
        }
    }
}
