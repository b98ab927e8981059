//! Agents for tests, and what tests look for.

use std::collections::BTreeMap;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use osb_conformance::execd::{Client, Command, CommandResult, ExecdError, NotReady, agent, greet};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

/// More than anything here takes on a busy machine, less than what must never be waited for.
pub const SOON: Duration = Duration::from_secs(15);

/// The agent's program.
pub fn program() -> &'static Path {
    // Once, and before any test starts a process: one that a process has open for writing, also
    // one that was just forked, cannot be started.
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let draft = tempfile::Builder::new().tempfile_in(folder).unwrap();
        std::fs::write(draft.path(), agent::binary()).unwrap();
        std::fs::set_permissions(draft.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let path = folder.join("osb-agent");
        draft.persist(&path).unwrap();
        path
    })
}

/// A running agent.
pub struct Agent {
    pub client: Client,
    pub child: Child,
    /// Whether it serves on its standard input and output.
    pub is_attached: bool,
    address: String,
}

impl Agent {
    /// One that listens on a port.
    pub async fn listening() -> Self {
        let agent = Self::start(tokio::process::Command::new(program())).await;
        agent.expect("it says where it listens")
    }

    /// What `command` starts, with the arguments that make an agent listen on a port; `None` where
    /// it does not.
    pub async fn start(mut command: tokio::process::Command) -> Option<Self> {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut errors = BufReader::new(child.stderr.take()?);
        let mut line = String::new();
        errors.read_line(&mut line).await.ok()?;
        let address = line.trim().strip_prefix("osb-agent: listening on ")?;
        // What it says later is read, so that it is never held up; and seen where a test fails.
        tokio::spawn(async move {
            let mut line = String::new();
            while errors.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                eprint!("{}", std::mem::take(&mut line));
            }
        });
        Some(Self {
            client: Client::at(&format!("http://{address}"), &BTreeMap::new()).ok()?,
            child,
            is_attached: false,
            address: address.into(),
        })
    }

    /// One that serves on its standard input and output.
    pub async fn attached() -> Self {
        let (child, client) = attach(&["tail", "-f", "/dev/null"]).await;
        Self {
            client: client.unwrap(),
            child,
            is_attached: true,
            address: String::new(),
        }
    }

    /// Where it listens, such as `127.0.0.1:44772`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends the agent. One that is attached ends by itself.
    pub async fn end(self) {
        let Self {
            client,
            mut child,
            is_attached,
            ..
        } = self;
        drop(client);
        if is_attached {
            let ended = timeout(SOON, child.wait()).await;
            assert_eq!(ended.unwrap().unwrap().code(), Some(0));
        } else {
            child.kill().await.unwrap();
        }
    }
}

/// Starts an agent with an entrypoint and waits for its greeting.
pub async fn attach(entrypoint: &[&str]) -> (Child, Result<Client, NotReady>) {
    let mut child = tokio::process::Command::new(program())
        .arg("--")
        .args(entrypoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let io = tokio::io::join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let client = timeout(SOON, greet(io)).await.unwrap();
    (child, client)
}

/// Does the same over both transports.
pub async fn on_both(test: impl AsyncFn(&Client)) {
    for agent in [Agent::listening().await, Agent::attached().await] {
        // Shown where the test fails.
        println!("attached: {}", agent.is_attached);
        test(&agent.client).await;
        agent.end().await;
    }
}

/// Does the same over both transports, each time in an empty folder.
pub async fn in_folder(test: impl AsyncFn(&Client, &Folder)) {
    on_both(async |client| {
        let folder = Folder::new();
        test(client, &folder).await;
    })
    .await;
}

/// An empty folder that both sides see.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub fn join(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.join(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn mode(&self, name: &str) -> u32 {
        let metadata = std::fs::metadata(self.join(name)).unwrap();
        metadata.permissions().mode() & 0o7777
    }
}

pub fn sh(command: impl Into<String>) -> Command {
    Command {
        command: command.into(),
        ..Command::default()
    }
}

/// Runs a command that must be answered soon.
pub async fn run(client: &Client, command: &Command) -> Result<CommandResult, ExecdError> {
    let run = timeout(SOON, client.run(command)).await;
    run.unwrap_or_else(|_| panic!("{command:?} does not end"))
}

/// Status and code of an error that execd answered.
pub fn refused<T: std::fmt::Debug>(result: Result<T, ExecdError>) -> (u16, String) {
    match result.unwrap_err() {
        ExecdError::Api { status, code, .. } => (status, code),
        error => panic!("{error:?}"),
    }
}

/// `status` and `code` as [`refused`] has them.
pub fn api(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Waits until `probe` answers something.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, probe: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(begun.elapsed() < SOON, "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Seconds of a sleep that no other test has, by which its process is known.
pub fn marker() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("1234.{:07}{next:03}", std::process::id())
}

/// How many processes have `marker` as an argument of a sleep.
pub fn sleeping(marker: &str) -> usize {
    let wanted = format!("sleep\0{marker}\0");
    let entries = std::fs::read_dir("/proc").unwrap();
    let lines = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| *line == wanted.as_bytes()).count()
}

/// Waits until `count` processes sleep with `marker`.
pub async fn until_sleeping(marker: &str, count: usize) {
    let what = format!("{count} processes with {marker}");
    until(&what, async || (sleeping(marker) == count).then_some(())).await;
}
