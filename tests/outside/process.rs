//! Programs that run beside a test, and are gone when it ends.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a program may take to end when it is told to.
const FAREWELL: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// A program that runs, and what it prints.
pub struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    pub fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name| File::create(folder.path().join(name)).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        Self { child, folder }
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
    }

    /// What it has printed so far.
    pub fn out(&self) -> String {
        self.file("out")
    }

    /// What it has told of itself so far.
    pub fn err(&self) -> String {
        self.file("err")
    }

    /// Both, for a failed assertion.
    pub fn told(&self) -> String {
        format!("{}\n{}", self.out(), self.err())
    }

    /// Waits until `look` finds something, while the program runs.
    pub fn until<T>(&mut self, limit: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let patience = Instant::now() + limit;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended, {ended:?}: {}", self.told());
            assert!(
                Instant::now() < patience,
                "nothing within {limit:?}: {}",
                self.told()
            );
            sleep(PAUSE);
        }
    }

    /// Waits for its end, `None` where it does not come in time.
    fn end(&mut self, limit: Duration) -> Option<ExitStatus> {
        let patience = Instant::now() + limit;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < patience => sleep(PAUSE),
                ended => return ended,
            }
        }
    }

    /// The exit code that it ends with by itself.
    pub fn code(&mut self, limit: Duration) -> Option<i32> {
        let ended = self.end(limit);
        let Some(status) = ended else {
            panic!("it does not end within {limit:?}: {}", self.told());
        };
        status.code()
    }

    /// The exit code that it ends with when it is told to.
    pub fn terminate(&mut self) -> Option<i32> {
        self.tell("-TERM");
        self.code(FAREWELL)
    }

    fn tell(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(told.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.tell("-TERM");
            if self.end(FAREWELL).is_none() {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
            }
        }
    }
}

/// Status and body of what is answered to a GET at `address`, a host and a port; `None` where
/// nobody answers.
pub fn get(address: &str, path: &str, key: Option<&str>) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(FAREWELL)).ok()?;
    let key = key.map_or_else(String::new, |key| {
        format!("OPEN-SANDBOX-API-KEY: {key}\r\n")
    });
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\n{key}Connection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
