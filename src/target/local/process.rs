//! The processes that a sandbox is: our agent, twice; see `src/agent/enclose`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getegid, geteuid};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::execd::enclosure::{Enclosure, GIVING, Greeting};
use crate::execd::{Client, NotReady, agent, greet, read_greeting};
use crate::target::request::start_failed;
use crate::target::{PROCESSES, READY, Result, TargetError};

use super::obstacle;

/// How long the processes of a sandbox may take to end once they were killed.
const END: Duration = Duration::from_secs(10);

/// What this target is called in errors.
const TARGET: &str = "the local target";

/// Starts sandboxes.
#[derive(Debug)]
pub(super) struct Launcher {
    /// The agent, in memory: no file is left, and nobody can change it.
    agent: File,
    users: Users,
}

/// How users inside are users outside: lines of `uid_map` and `gid_map` (man 7 user_namespaces).
#[derive(Debug)]
enum Users {
    /// Root: everybody is who he is.
    Everybody { users: String, groups: String },
    /// An ordinary user: he is root, and there is nobody else.
    Self_ { user: u32, group: u32 },
}

/// A sandbox that runs, or has run.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) client: Client,
    outer: Pid,
    /// Exit code, once it has ended.
    ended: watch::Receiver<Option<i32>>,
}

impl Launcher {
    /// Puts the agent where it can be started.
    ///
    /// # Errors
    /// Where there is no agent for this machine, or it cannot be put there.
    pub(super) fn new() -> Result<Self> {
        let unreachable = |reason: String| TargetError::Unreachable {
            target: TARGET.into(),
            reason,
        };
        if agent::binary().is_empty() {
            return Err(unreachable("there is no agent for this machine".into()));
        }
        let write = || -> io::Result<File> {
            let mut file = File::from(memfd_create("osb-agent", MFdFlags::MFD_CLOEXEC)?);
            file.write_all(agent::binary())?;
            Ok(file)
        };
        let agent = write().map_err(|error| unreachable(format!("no memory file: {error}")))?;
        let users = if geteuid().is_root() {
            let identity = |file: &str| -> Result<String> {
                let text = fs::read_to_string(file);
                let text = text.map_err(|error| unreachable(format!("{file}: {error}")))?;
                Ok(identity(&text))
            };
            Users::Everybody {
                users: identity("/proc/self/uid_map")?,
                groups: identity("/proc/self/gid_map")?,
            }
        } else {
            Users::Self_ {
                user: geteuid().as_raw(),
                group: getegid().as_raw(),
            }
        };
        Ok(Self { agent, users })
    }

    /// As whom sandboxes run, for a person.
    pub(super) fn identity(&self) -> String {
        match &self.users {
            Users::Everybody { .. } => "as root".into(),
            Users::Self_ { user, .. } => format!("as user {user}"),
        }
    }

    /// Makes a sandbox and lets it end, to see whether that can be done at all.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`], with the switch that is missing.
    pub(super) async fn probe(&self) -> Result<()> {
        let enclosure = Enclosure {
            hostname: "probe".into(),
            entrypoint: ["sh", "-c", "read -r line"].map(String::from).to_vec(),
            env: BTreeMap::from([("PATH".into(), super::sandbox::PATH.into())]),
            processes: PROCESSES,
            ..Enclosure::default()
        };
        match self.launch(&enclosure, &[]).await {
            Ok(process) => process.kill().await,
            Err(TargetError::Api(error)) => Err(TargetError::Unreachable {
                target: TARGET.into(),
                reason: error.message,
            }),
            Err(error) => Err(error),
        }
    }

    /// Starts a sandbox in `cgroups`, and waits until its entrypoint runs.
    pub(super) async fn launch(
        &self,
        enclosure: &Enclosure,
        cgroups: &[PathBuf],
    ) -> Result<Process> {
        let failed = |error: io::Error| TargetError::failed("starting a sandbox failed", error);
        let mut child = Command::new(format!("/proc/self/fd/{}", self.agent.as_raw_fd()))
            .arg("enclose")
            .args(cgroups)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(input), Some(output), Some(pid)) =
            (child.stdin.take(), child.stdout.take(), child.id())
        else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            let code = child.wait().await.ok().and_then(|status| status.code());
            tell.send_replace(Some(code.unwrap_or(-1)));
        });
        let outer = Pid::from_raw(
            i32::try_from(pid)
                .map_err(io::Error::other)
                .map_err(failed)?,
        );
        let met = match timeout(READY, self.meet(outer, enclosure, input, output)).await {
            Ok(met) => met,
            Err(late) => Err(TargetError::failed("starting a sandbox failed", late)),
        };
        match met {
            Ok(client) => Ok(Process {
                client,
                outer,
                ended,
            }),
            Err(error) => {
                // Its input was closed, which ends it; what it joined must be free again.
                await_end(ended, outer).await?;
                Err(error)
            }
        }
    }

    /// Maps the users, says what to make, and waits for the greeting.
    async fn meet(
        &self,
        outer: Pid,
        enclosure: &Enclosure,
        mut input: ChildStdin,
        output: ChildStdout,
    ) -> Result<Client> {
        let failed = |error: io::Error| TargetError::failed("starting a sandbox failed", error);
        let mut output = BufReader::new(output);
        match read_greeting(&mut output).await? {
            Greeting::Unshared => {}
            greeting => return Err(refused(greeting)),
        }
        self.users.map(outer).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or_default();
            unreachable("mapping users", errno, &error.to_string())
        })?;
        let json = serde_json::to_vec(enclosure).map_err(|error| failed(error.into()))?;
        let mut message = format!("{}\n", json.len()).into_bytes();
        message.extend(json);
        input.write_all(&message).await.map_err(failed)?;
        match greet(tokio::io::join(output, input)).await {
            Ok(client) => Ok(client),
            Err(NotReady::Refused(greeting)) => Err(refused(greeting)),
            Err(broken) => Err(TargetError::failed("starting a sandbox failed", broken)),
        }
    }
}

/// What a greeting other than the expected one means.
fn refused(greeting: Greeting) -> TargetError {
    match greeting {
        Greeting::NotStarted(why) => start_failed(format!("the entrypoint {why}")),
        Greeting::NotEnclosed {
            step,
            errno,
            message,
        } => match step.strip_prefix(GIVING) {
            // The request's doing, not the kernel's.
            Some(what) => start_failed(format!("nothing can be mounted at {what}: {message}")),
            None => unreachable(&step, errno, &message),
        },
        other => TargetError::failed("starting a sandbox failed", format!("it says {other:?}")),
    }
}

fn unreachable(step: &str, errno: i32, message: &str) -> TargetError {
    TargetError::Unreachable {
        target: TARGET.into(),
        reason: obstacle::explain(step, errno, message),
    }
}

/// The users of this process's own namespace, each as himself.
fn identity(map: &str) -> String {
    let lines = map.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (inside, count) = (fields.next()?, fields.nth(1)?);
        Some(format!("{inside} {inside} {count}\n"))
    });
    lines.collect()
}

impl Users {
    fn map(&self, process: Pid) -> io::Result<()> {
        let write = |file: &str, text: &str| fs::write(format!("/proc/{process}/{file}"), text);
        match self {
            Self::Everybody { users, groups } => {
                write("uid_map", users)?;
                write("gid_map", groups)
            }
            Self::Self_ { user, group } => {
                write("uid_map", &format!("0 {user} 1\n"))?;
                // The kernel's condition for a map of groups by an ordinary user.
                write("setgroups", "deny")?;
                write("gid_map", &format!("0 {group} 1\n"))
            }
        }
    }
}

impl Process {
    /// Exit code of the entrypoint, or of whatever ended the sandbox; `None` while it runs.
    pub(super) fn ended(&self) -> Option<i32> {
        *self.ended.borrow()
    }

    /// Kills every process and waits until none is left.
    pub(super) async fn kill(&self) -> Result<()> {
        if self.ended().is_none() {
            // The first process inside, whose end is the end of all; its own parent waits for it.
            let children = format!("/proc/{0}/task/{0}/children", self.outer);
            let children = fs::read_to_string(children).unwrap_or_default();
            let inner: Vec<i32> = children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect();
            // A kernel that does not tell: the first process ends with its parent, only later.
            let victims = if inner.is_empty() {
                vec![self.outer.as_raw()]
            } else {
                inner
            };
            for pid in victims {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        await_end(self.ended.clone(), self.outer).await
    }
}

/// Waits until the outer process, and so all of the sandbox, has ended.
async fn await_end(mut ended: watch::Receiver<Option<i32>>, outer: Pid) -> Result<()> {
    let context = "ending a sandbox failed";
    match timeout(END, ended.wait_for(Option::is_some)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(TargetError::failed(context, error)),
        Err(late) => {
            let _ = kill(outer, Signal::SIGKILL);
            Err(TargetError::failed(context, late))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_who_he_is() {
        assert_eq!(
            identity("         0          0 4294967295\n"),
            "0 0 4294967295\n"
        );
        assert_eq!(identity("0 1000 1\n1 100000 65536\n"), "0 0 1\n1 1 65536\n");
    }
}
