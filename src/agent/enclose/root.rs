//! The root that is seen inside: the host's system directories, read-only; everything else a
//! file system in memory; and the directories that the sandbox was given.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, mkdirat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{chdir, fchdir, pivot_root};
use osb_conformance::execd::enclosure::{Enclosure, GIVING};

use super::{During, Refused, Result, privilege};

/// What a system's programs are made of. `/nix` and `/gnu` are all that some systems have.
const SYSTEM: [&str; 9] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/gnu",
];

/// What of `/etc` programs need in order to start.
const ETC: [&str; 2] = ["/etc/alternatives", "/etc/ld.so.cache"];

/// Where the new root is built: the first that there is. What is there is hidden from then on, in
/// this mount namespace alone.
const BASES: [&str; 4] = ["/tmp", "/mnt", "/run", "/var"];

/// Devices without which programs cannot live.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Files of `/proc` that tell or change the host, as Docker hides and protects them.
const MASKED: [&str; 8] = [
    "acpi",
    "asound",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
];
const PROTECTED: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Largest root file system where the sandbox has no limit: a runaway must not fill the memory.
const SIZE: i64 = 1 << 30;

const NONE: Option<&str> = None;

/// Builds the root and moves into it.
pub(super) fn build(enclosure: &Enclosure) -> Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)
        .during("keeping mounts to itself")?;
    // All before the base is mounted over: some may lie below it.
    let mut system = Vec::new();
    for path in SYSTEM.iter().chain(&ETC).map(Path::new) {
        match path.symlink_metadata() {
            Ok(found) if found.is_symlink() => {}
            Ok(_) => system.push((path, open_path(path)?)),
            Err(_) => {}
        }
    }
    let links = SYSTEM
        .iter()
        .filter_map(|path| Some((*path, fs::read_link(path).ok()?)));
    let links: Vec<_> = links.collect();
    let mut given = Vec::new();
    for bind in &enclosure.binds {
        let step = || format!("opening {}", bind.source.display());
        let how = how(ResolveFlag::RESOLVE_NO_SYMLINKS);
        let open = || openat2(AT_FDCWD, &bind.source, how).during(step());
        given.push((bind, give(&bind.target, open)?));
    }
    // The outer ones first, so that the inner ones are not covered.
    given.sort_by_key(|(bind, _)| bind.target.components().count());
    let base = BASES.map(Path::new).into_iter().find(|path| path.is_dir());
    let base = base
        .ok_or_else(|| io::Error::other("there is none of /tmp, /mnt, /run and /var"))
        .during("finding a place for the root")?;
    let size = enclosure.memory_bytes.unwrap_or(SIZE);
    let options = format!("mode=0755,size={size}");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("sandbox"),
        base,
        Some("tmpfs"),
        flags,
        Some(options.as_str()),
    )
    .during("mounting the root")?;
    fill(base, &enclosure.hostname).during("filling the root")?;
    let root = open_path(base)?;
    // Each is protected before the next is made: no mount point is made in the host's system.
    let mut mounts = Mounts::read()?;
    for (path, source) in &system {
        Target::make(root.as_fd(), path, source)?.bind(source)?;
        mounts.protect_new(true)?;
    }
    for (path, target) in links {
        symlink(target, below(base, Path::new(path))).during(format!("linking {path}"))?;
    }
    devices(base, root.as_fd())?;
    processes(base, root.as_fd(), &mut mounts)?;
    for (bind, source) in &given {
        let mount = || {
            let target = Target::make(root.as_fd(), &bind.target, source)?;
            target.refuse_processes()?;
            target.bind(source)?;
            mounts.protect_new(bind.read_only)
        };
        give(&bind.target, mount)?;
    }
    enter(root)
}

/// Names what was given, whose doing it is where something fails.
fn give<T>(target: &Path, doing: impl FnOnce() -> Result<T>) -> Result<T> {
    doing().map_err(|Refused { step, error }| Refused {
        step: format!("{GIVING}{}: {step}", target.display()),
        error,
    })
}

/// What the kernel calls a bind: also what is mounted below the source.
const BIND: MsFlags = MsFlags::MS_BIND.union(MsFlags::MS_REC);

fn how(resolve: ResolveFlag) -> OpenHow {
    let resolve = resolve | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    OpenHow::new().flags(flags).resolve(resolve)
}

fn open_path(path: &Path) -> Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    open(path, flags, Mode::empty()).during(format!("opening {}", path.display()))
}

/// The path of an open file, for calls that take no file.
fn handle(file: BorrowedFd<'_>) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// `path`, which is absolute inside, seen from outside.
fn below(base: &Path, path: &Path) -> PathBuf {
    base.join(path.strip_prefix("/").unwrap_or(path))
}

/// A place inside that something is mounted at.
struct Target {
    file: OwnedFd,
    name: String,
}

impl Target {
    /// Finds or makes `path` inside of `root`, whatever links are on the way.
    fn make(root: BorrowedFd<'_>, path: &Path, source: &OwnedFd) -> Result<Self> {
        let name = path.display().to_string();
        let step = || format!("making the mount point {name}");
        let is_directory = fs::metadata(handle(source.as_fd()))
            .during(step())?
            .is_dir();
        let find = |path: &Path| openat2(root, path, how(ResolveFlag::RESOLVE_IN_ROOT));
        let mut so_far = PathBuf::from("/");
        let mut parent = find(&so_far).during(step())?;
        let mut parts = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(part) => Some(part),
                _ => None,
            })
            .peekable();
        while let Some(part) = parts.next() {
            so_far.push(part);
            parent = match find(&so_far) {
                Ok(found) => found,
                Err(nix::errno::Errno::ENOENT) => {
                    if is_directory || parts.peek().is_some() {
                        let mode = Mode::from_bits_truncate(0o755);
                        mkdirat(&parent, part, mode).during(step())?;
                    } else {
                        // What is there already, such as a link that leads nowhere, is not
                        // followed: it would lead out, to the host.
                        let flags =
                            OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
                        let mode = Mode::from_bits_truncate(0o644);
                        openat(&parent, part, flags, mode).during(step())?;
                    }
                    find(&so_far).during(step())?
                }
                Err(error) => return Err(error).during(step()),
            };
        }
        Ok(Self { file: parent, name })
    }

    /// Refuses a place in `/proc`, also one that a link leads to: the agent looks at processes
    /// there, and must see the kernel's.
    fn refuse_processes(&self) -> Result<()> {
        let step = "looking at the mount point";
        let kind = fstatfs(&self.file).during(step)?.filesystem_type();
        if kind == PROC_SUPER_MAGIC {
            return Err(io::Error::other("it is in /proc")).during(step);
        }
        Ok(())
    }

    fn bind(&self, source: &OwnedFd) -> Result<()> {
        let (from, to) = (handle(source.as_fd()), handle(self.file.as_fd()));
        mount(Some(&from), &to, NONE, BIND, NONE).during(format!("mounting {}", self.name))
    }
}

/// Directories and files of the root's own.
fn fill(base: &Path, hostname: &str) -> io::Result<()> {
    let folders = [
        "dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "sys", "tmp", "var", "var/tmp",
        "root",
    ];
    for folder in folders {
        let path = base.join(folder);
        fs::create_dir(&path)?;
        let mode = match folder {
            "tmp" | "var/tmp" => 0o1777,
            "root" => 0o700,
            _ => 0o755,
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    let files = [
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
                .to_owned(),
        ),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\n".to_owned()),
        ("etc/hostname", format!("{hostname}\n")),
        ("etc/hosts", format!("127.0.0.1\tlocalhost {hostname}\n")),
    ];
    for (name, text) in files {
        fs::write(base.join(name), text)?;
        fs::set_permissions(base.join(name), fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

fn devices(base: &Path, root: BorrowedFd<'_>) -> Result<()> {
    for name in DEVICES {
        let path = Path::new("/dev").join(name);
        if path.exists() {
            let source = open_path(&path)?;
            Target::make(root, &path, &source)?.bind(&source)?;
        }
    }
    let dev = base.join("dev");
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ];
    for (name, target) in links {
        symlink(target, dev.join(name)).during("filling /dev")?;
    }
    for (name, mode) in [("shm", 0o1777), ("pts", 0o755)] {
        fs::create_dir(dev.join(name)).during("filling /dev")?;
        fs::set_permissions(dev.join(name), fs::Permissions::from_mode(mode))
            .during("filling /dev")?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = Some("newinstance,ptmxmode=0666,mode=0620");
    mount(
        Some("devpts"),
        &dev.join("pts"),
        Some("devpts"),
        flags,
        options,
    )
    .during("mounting /dev/pts")
}

/// Mounts `/proc` without what tells of the host or changes it.
fn processes(base: &Path, root: BorrowedFd<'_>, mounts: &mut Mounts) -> Result<()> {
    let proc = base.join("proc");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &proc, Some("proc"), flags, NONE).during("mounting /proc")?;
    privilege::forbid_user_namespaces(&proc)?;
    for name in MASKED {
        let path = proc.join(name);
        let step = || format!("hiding /proc/{name}");
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                let flags = flags | MsFlags::MS_RDONLY;
                mount(Some("hidden"), &path, Some("tmpfs"), flags, NONE).during(step())?;
            }
            Ok(_) => mount(Some(&base.join("dev/null")), &path, NONE, BIND, NONE).during(step())?,
            Err(_) => {}
        }
    }
    // What is above is as it should be.
    *mounts = Mounts::read()?;
    for name in PROTECTED {
        let path = Path::new("/proc").join(name);
        if below(base, &path).exists() {
            let source = open_path(&below(base, &path))?;
            Target::make(root, &path, &source)?.bind(&source)?;
        }
    }
    mounts.protect_new(true)
}

/// The mounts that there are, by the kernel's numbers.
struct Mounts(HashSet<Vec<u8>>);

impl Mounts {
    fn table() -> Result<Vec<u8>> {
        fs::read("/proc/self/mountinfo").during("reading the mounts")
    }

    fn read() -> Result<Self> {
        let table = Self::table()?;
        let lines = table.split(|byte| *byte == b'\n');
        Ok(Self(lines.map(|line| number(line).to_owned()).collect()))
    }

    /// Takes set-user-id bits and devices from every mount that is new, and the right to write
    /// where that is said.
    fn protect_new(&mut self, is_read_only: bool) -> Result<()> {
        for line in Self::table()?.split(|byte| *byte == b'\n') {
            if self.0.insert(number(line).to_owned()) {
                protect(line, is_read_only)?;
            }
        }
        Ok(())
    }
}

/// The first field of a line of `/proc/self/mountinfo`.
fn number(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// Changes what the mount of a line of `/proc/self/mountinfo` allows.
fn protect(line: &[u8], is_read_only: bool) -> Result<()> {
    let mut fields = line.split(|byte| *byte == b' ').skip(4);
    let (Some(point), Some(options)) = (fields.next(), fields.next()) else {
        return Ok(());
    };
    let point = unescape(point);
    let has = |option: &str| {
        options
            .split(|byte| *byte == b',')
            .any(|word| word == option.as_bytes())
    };
    // What a mount already forbids must stay forbidden, or the kernel refuses the change.
    let kept = [
        ("ro", MsFlags::MS_RDONLY),
        ("noexec", MsFlags::MS_NOEXEC),
        ("noatime", MsFlags::MS_NOATIME),
        ("nodiratime", MsFlags::MS_NODIRATIME),
        ("relatime", MsFlags::MS_RELATIME),
    ];
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    flags.extend(
        kept.iter()
            .filter(|(name, _)| has(name))
            .map(|(_, flag)| *flag),
    );
    flags.set(MsFlags::MS_RDONLY, is_read_only || has("ro"));
    mount(NONE, &point, NONE, flags, NONE).during(format!("protecting {}", point.display()))
}

/// A path of `/proc/self/mountinfo`, in which white space is `\040` and its like.
fn unescape(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..3).filter(|_| *first == b'\\');
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[3..] } else { others };
    }
    OsString::from_vec(bytes).into()
}

/// Makes `root` the root, and lets go of the old one.
fn enter(root: OwnedFd) -> Result<()> {
    let step = "entering the root";
    fchdir(&root).during(step)?;
    // The old root comes to lie upon the new one, from where it is taken away.
    pivot_root(".", ".").during(step)?;
    umount2(".", MntFlags::MNT_DETACH).during(step)?;
    chdir("/").during(step)
}
