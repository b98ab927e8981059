//! `osb-agent enclose [CGROUP…]`: makes a sandbox of namespaces and becomes its first process.
//!
//! Two processes: the outer one leaves the host's namespaces and waits; the inner one is the first
//! process of the new process namespace, builds the root, gives up its rights and serves. The
//! outer one ends with it, and it with the outer one.
//!
//! What is inside is in [`root`], what it may do in [`privilege`].

mod privilege;
mod root;

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{close, sethostname, setsid};
use osb_conformance::execd::enclosure::{Enclosure, Greeting};

use crate::{Service, server};

/// First argument of the outer process.
pub(crate) const OUTER: &str = "enclose";
/// First argument of the inner one; the second is the length of the [`Enclosure`].
pub(crate) const INNER: &str = "enclosed";

/// Largest description of a sandbox, in bytes.
const LARGEST: usize = 16 << 20;

/// What the kernel refused.
struct Refused {
    step: String,
    error: io::Error,
}

type Result<T, E = Refused> = std::result::Result<T, E>;

/// Names what is being done, in case that it fails.
trait During<T> {
    fn during(self, step: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<io::Error>> During<T> for std::result::Result<T, E> {
    fn during(self, step: impl Into<String>) -> Result<T> {
        self.map_err(|error| Refused {
            step: step.into(),
            error: error.into(),
        })
    }
}

/// Says what was refused.
fn refuse(refused: Refused) -> ExitCode {
    let greeting = Greeting::NotEnclosed {
        step: refused.step,
        errno: refused.error.raw_os_error().unwrap_or_default(),
        message: refused.error.to_string(),
    };
    // A harness that has gone need not be told.
    let _ = server::greet(&greeting);
    ExitCode::FAILURE
}

/// The outer process: joins `cgroups`, leaves the host's namespaces, and waits for the inner one.
pub(crate) fn outer(cgroups: impl Iterator<Item = PathBuf>) -> ExitCode {
    let wait = || -> Result<ExitCode> {
        close_inherited().during("closing what was inherited")?;
        // Away from the terminal that the harness has: those inside would read and type there.
        setsid().during("leaving the terminal")?;
        for cgroup in cgroups {
            let step = format!("joining the control group {}", cgroup.display());
            std::fs::write(cgroup.join("cgroup.procs"), "0").during(step)?;
        }
        unshare(CloneFlags::CLONE_NEWUSER).during("making a user namespace")?;
        let namespaces = CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWCGROUP;
        unshare(namespaces).during(
            "making mount, process, network, IPC, host name and control group namespaces",
        )?;
        server::greet(&Greeting::Unshared).during("greeting")?;
        let length = read_length().during("reading what to make")?;
        let mut inner = Command::new("/proc/self/exe")
            .args([INNER, &length.to_string()])
            .spawn()
            .during("starting the first process")?;
        // Held by the inner process alone: its end must be seen on them.
        for stream in 0..=1 {
            close::<RawFd>(stream).during("closing the standard streams")?;
        }
        let ended = inner.wait().during("waiting for the first process")?;
        let code = ended
            .code()
            .unwrap_or_else(|| 128 + ended.signal().unwrap_or_default());
        Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
    };
    wait().unwrap_or_else(refuse)
}

/// Closes whatever whoever started the harness left open: nothing inside may reach it.
fn close_inherited() -> io::Result<()> {
    let open: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in open {
        match close(descriptor) {
            // The folder that was read is closed already.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads the line with the length, and not a byte more: the rest is the inner process's.
fn read_length() -> io::Result<usize> {
    let mut length = 0_usize;
    let mut byte = [0];
    loop {
        read_exact(&mut byte)?;
        match byte[0] {
            b'\n' => return Ok(length),
            digit @ b'0'..=b'9' => length = length * 10 + usize::from(digit - b'0'),
            _ => return Err(io::Error::other("a length is digits and a line feed")),
        }
        if length > LARGEST {
            return Err(io::Error::other("it is longer than 16 MiB"));
        }
    }
}

/// Reads from standard input without a buffer, which would swallow what is not for this process.
fn read_exact(mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::read(io::stdin(), bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes = &mut bytes[read..],
        }
    }
    Ok(())
}

/// The inner process: builds the sandbox and serves in it.
pub(crate) fn inner(length: Option<usize>) -> ExitCode {
    match prepare(length) {
        Ok(service) => crate::run(service),
        Err(refused) => refuse(refused),
    }
}

fn prepare(length: Option<usize>) -> Result<Service> {
    let length = length
        .filter(|length| *length <= LARGEST)
        .ok_or_else(|| io::Error::other("no length was given"))
        .during("reading what to make")?;
    let mut json = vec![0; length];
    read_exact(&mut json).during("reading what to make")?;
    let enclosure: Enclosure = serde_json::from_slice(&json)
        .map_err(io::Error::other)
        .during("reading what to make")?;
    // Whatever the harness was started with.
    umask(Mode::from_bits_truncate(0o022));
    privilege::leave_keys()?;
    sethostname(&enclosure.hostname).during("setting the host name")?;
    privilege::raise_loopback().during("raising the loopback interface")?;
    root::build(&enclosure)?;
    privilege::drop_all(enclosure.processes)?;
    // Last: a change of rights takes it back.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).during("binding itself to its parent")?;
    Ok(Service {
        listen: None,
        entrypoint: enclosure.entrypoint,
        env: Some(enclosure.env),
    })
}
