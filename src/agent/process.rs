//! Child processes: started in groups of their own, waited for in one place.
//!
//! As the first process of a sandbox the agent inherits orphans, and must wait for children that
//! it does not know. Everything is therefore waited for by one reaper, which tells those who asked.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What to start.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) cwd: Option<String>,
    /// On top of the sandbox's environment, or instead of it where `fresh`.
    pub(crate) envs: BTreeMap<String, String>,
    /// Whether `envs` is the whole environment.
    pub(crate) fresh: bool,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    /// Whether to read its output; otherwise it goes where the agent's own errors go.
    pub(crate) captured: bool,
    /// What it has as standard input; nothing can be read where `None`.
    pub(crate) input: Option<OwnedFd>,
}

/// A process that was started.
pub(crate) struct Started {
    pub(crate) group: Group,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) ended: oneshot::Receiver<Ended>,
}

/// A process group, by the process that leads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group(Pid);

impl Group {
    /// Sends `signal` to every process of the group; one that is gone is fine.
    pub(crate) fn signal(self, signal: Signal) {
        let _ = killpg(self.0, signal);
    }

    /// Kills the group, and what its leader's descendants are in other groups.
    pub(crate) fn kill_tree(self) {
        // Stopped first: what does not run cannot start what this look would miss.
        self.signal(Signal::SIGSTOP);
        let descendants = descendants(self.0);
        self.signal(Signal::SIGKILL);
        for pid in descendants {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

/// Every descendant of a process that still has its parent, as `/proc` tells.
fn descendants(of: Pid) -> Vec<Pid> {
    let parent_of = |pid: i32| -> Option<i32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold anything, also spaces and brackets.
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    let children: Vec<(i32, i32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect();
    let mut found = vec![of.as_raw()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let born = children.iter().filter(|(_, of)| *of == parent);
        found.extend(born.map(|(pid, _)| *pid));
        next += 1;
    }
    found.into_iter().skip(1).map(Pid::from_raw).collect()
}

/// How a process ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ended {
    Exited(i32),
    Signalled(Signal),
    /// By a signal that has no name: a real-time one.
    Unnamed,
}

impl Ended {
    /// The exit code as a shell tells it.
    pub(crate) fn shell_code(self) -> u8 {
        match self {
            Self::Exited(code) => code as u8,
            Self::Signalled(signal) => 128_u8.saturating_add(signal as i32 as u8),
            Self::Unnamed => u8::MAX,
        }
    }
}

type Waiting = HashMap<Pid, oneshot::Sender<Ended>>;

/// All children.
#[derive(Clone, Default)]
pub(crate) struct Processes {
    waiting: Arc<Mutex<Waiting>>,
    /// Environment of everything that is started; the agent's own where `None`.
    env: Option<Arc<BTreeMap<String, String>>>,
}

impl Processes {
    /// Starts the reaper, on the current thread's runtime.
    pub(crate) fn start(env: Option<BTreeMap<String, String>>) -> io::Result<Self> {
        let processes = Self {
            waiting: Arc::default(),
            env: env.map(Arc::new),
        };
        let mut children = signal(SignalKind::child())?;
        let reaper = processes.clone();
        tokio::spawn(async move {
            while children.recv().await.is_some() {
                reaper.reap();
            }
        });
        Ok(processes)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a program. On this thread nothing can reap it before it is known.
    pub(crate) fn spawn(&self, program: Program) -> io::Result<Started> {
        let mut command = Command::new(&program.program);
        if program.fresh {
            command.env_clear();
        } else if let Some(env) = &self.env {
            command.env_clear().envs(env.iter());
        }
        command
            .args(&program.arguments)
            .envs(&program.envs)
            .stdin(program.input.map_or_else(Stdio::null, Stdio::from))
            .process_group(0);
        if program.captured {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        } else {
            command.stdout(io::stderr()).stderr(io::stderr());
        }
        if let Some(cwd) = &program.cwd {
            command.current_dir(cwd);
        }
        // Also to become who one is already needs a right that an ordinary user's sandbox lacks.
        if let Some(gid) = program.gid.filter(|gid| *gid != Gid::effective().as_raw()) {
            command.gid(gid);
        }
        if let Some(uid) = program.uid.filter(|uid| *uid != Uid::effective().as_raw()) {
            command.uid(uid);
        }
        let mut child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        let (tell, ended) = oneshot::channel();
        self.waiting().insert(pid, tell);
        Ok(Started {
            group: Group(pid),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            ended,
        })
    }

    fn reap(&self) {
        loop {
            let (pid, ended) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Ended::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Ended::Signalled(signal)),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
                Ok(_) | Err(Errno::EINTR) => continue,
                // It ended by a signal that has no name, and was waited for all the same.
                Err(Errno::EINVAL) => {
                    self.tell_lost();
                    continue;
                }
                Err(_) => return,
            };
            if let Some(tell) = self.waiting().remove(&pid) {
                let _ = tell.send(ended);
            }
        }
    }

    /// Tells the end of children that are not there any more, and are waited for no longer.
    fn tell_lost(&self) {
        let is_gone = |pid: &Pid| kill(*pid, None) == Err(Errno::ESRCH);
        let mut waiting = self.waiting();
        let lost: Vec<_> = waiting.keys().copied().filter(is_gone).collect();
        for pid in lost {
            if let Some(tell) = waiting.remove(&pid) {
                let _ = tell.send(Ended::Unnamed);
            }
        }
    }

    /// Sends `signal` to every process of the sandbox but the agent. Only as the first process:
    /// elsewhere "every process" would be the whole machine's.
    pub(crate) fn signal_all(&self, signal: Signal) -> bool {
        let is_first = std::process::id() == 1;
        if is_first {
            let _ = kill(Pid::from_raw(-1), signal);
        }
        is_first
    }

    /// Kills everything that the agent started, and as a sandbox's first process everything in it.
    pub(crate) fn kill_all(&self) {
        let groups: Vec<_> = self.waiting().keys().copied().collect();
        for pid in groups {
            Group(pid).kill_tree();
        }
        self.signal_all(Signal::SIGKILL);
    }
}
