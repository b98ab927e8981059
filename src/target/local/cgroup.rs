//! Limits of a sandbox as a whole, by control groups, where we may make some: as root. An
//! ordinary user's sandbox is bounded in the number of its processes by the kernel's own count of
//! them, and in its files by their size.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access, geteuid};
use tokio::time::sleep;

use crate::sandbox::Quantity;
use crate::target::PROCESSES;

/// How long a group may still be in use after its last process has ended.
const RELEASE: Duration = Duration::from_secs(5);

/// A hierarchy of version 1 with the controllers that we use, or the one of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parent {
    path: PathBuf,
    controllers: Vec<Controller>,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    Pids,
    Memory,
    Cpu,
}

impl Controller {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Pids, "pids"),
        (Self::Memory, "memory"),
        (Self::Cpu, "cpu"),
    ];

    fn among<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Self> {
        let has = |name: &str| names.clone().any(|other| other == name);
        let ours = Self::ALL.iter().filter(|(_, name)| has(name));
        ours.map(|(controller, _)| *controller).collect()
    }

    /// The files that hold a limit, and what is written into them.
    fn settings(self, version: Version, limits: &Quantity) -> Vec<(&'static str, String)> {
        /// Microseconds in which a quota of processor time counts.
        const PERIOD: i64 = 100_000;
        let quota = |nanos: i64| (nanos.saturating_mul(PERIOD) / 1_000_000_000).max(1000);
        match (self, version) {
            (Self::Pids, _) => vec![("pids.max", PROCESSES.to_string())],
            (Self::Memory, Version::One) => limits
                .memory_bytes
                .map(|bytes| ("memory.limit_in_bytes", bytes.to_string()))
                .into_iter()
                .collect(),
            (Self::Memory, Version::Two) => limits
                .memory_bytes
                .map(|bytes| ("memory.max", bytes.to_string()))
                .into_iter()
                .collect(),
            (Self::Cpu, Version::One) => limits
                .nano_cpus
                .map(|nanos| ("cpu.cfs_quota_us", quota(nanos).to_string()))
                .into_iter()
                .collect(),
            (Self::Cpu, Version::Two) => limits
                .nano_cpus
                .map(|nanos| ("cpu.max", format!("{} {PERIOD}", quota(nanos))))
                .into_iter()
                .collect(),
        }
    }
}

/// Where control groups can be made; nowhere for an ordinary user.
#[derive(Debug)]
pub(super) struct Cgroups(Vec<Parent>);

impl Cgroups {
    /// Looks where this process may make groups.
    pub(super) fn find() -> Self {
        if !geteuid().is_root() {
            return Self(Vec::new());
        }
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let mut parents = parents(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        parents.retain(|parent| access(&parent.path, AccessFlags::W_OK).is_ok());
        Self(parents)
    }

    /// What is bounded, for a person.
    pub(super) fn description(&self) -> String {
        let has = |controller| self.0.iter().any(|p| p.controllers.contains(&controller));
        let names: Vec<_> = Controller::ALL
            .iter()
            .filter(|(controller, _)| has(*controller))
            .map(|(_, name)| *name)
            .collect();
        if names.is_empty() && geteuid().is_root() {
            "no limits: no control groups can be made, and root is exempt from others".into()
        } else if names.is_empty() {
            "limits of memory and processor time not enforced".into()
        } else {
            format!("limits by control groups ({})", names.join(", "))
        }
    }

    /// The groups that a sandbox of this name would have.
    pub(super) fn paths(&self, name: &str) -> Vec<PathBuf> {
        let group = format!("osb-conformance.{name}");
        let parents = self.0.iter();
        parents.map(|parent| parent.path.join(&group)).collect()
    }

    /// Makes them with `limits`.
    pub(super) fn create(&self, paths: &[PathBuf], limits: &Quantity) -> io::Result<()> {
        for (parent, path) in self.0.iter().zip(paths) {
            fs::create_dir(path)?;
            let settings = parent
                .controllers
                .iter()
                .flat_map(|controller| controller.settings(parent.version, limits));
            for (file, value) in settings {
                fs::write(path.join(file), value)?;
            }
        }
        Ok(())
    }
}

/// Removes groups whose processes have ended; one that is gone is fine.
pub(super) async fn remove(paths: &[PathBuf]) -> io::Result<()> {
    let patience = Instant::now() + RELEASE;
    for path in paths {
        loop {
            match fs::remove_dir(path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                // The kernel has no event for the moment at which the last process is gone.
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    if Instant::now() > patience {
                        return Err(error);
                    }
                    sleep(Duration::from_millis(1)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The hierarchies with our controllers, each at the place where this process is in it.
fn parents(mountinfo: &str, own: &str) -> Vec<Parent> {
    let own_path = |names: &str| {
        own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            (fields.next()? == names).then(|| fields.next())?
        })
    };
    let mut parents = Vec::new();
    for line in mountinfo.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = before.split(' ').nth(4) else {
            continue;
        };
        let mut fields = after.split(' ');
        let (kind, options) = (fields.next(), fields.nth(1).unwrap_or_default());
        match kind {
            Some("cgroup") => {
                let controllers = Controller::among(options.split(','));
                if controllers.is_empty() {
                    continue;
                }
                let names: Vec<_> = options.split(',').filter(|name| *name != "rw").collect();
                let path = place(Path::new(point), own_path(&names.join(",")));
                parents.push(Parent {
                    path,
                    controllers,
                    version: Version::One,
                });
            }
            Some("cgroup2") => {
                let own = place(Path::new(point), own_path(""));
                // A group that holds processes cannot hand controllers down; an outer one does.
                let handed_down = own.ancestors().find_map(|path| {
                    let text = fs::read_to_string(path.join("cgroup.subtree_control")).ok()?;
                    let controllers = Controller::among(text.split_whitespace());
                    let is_ours = controllers.contains(&Controller::Pids);
                    is_ours.then(|| (path.to_owned(), controllers))
                });
                parents.extend(handed_down.map(|(path, controllers)| Parent {
                    path,
                    controllers,
                    version: Version::Two,
                }));
            }
            _ => {}
        }
    }
    parents
}

/// A group below a mount point. Inside of a container the mount may show less than the name says.
fn place(point: &Path, own: Option<&str>) -> PathBuf {
    let inner = point.join(own.unwrap_or_default().trim_start_matches('/'));
    if inner.is_dir() { inner } else { point.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_version_one_are_read() {
        let mountinfo = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /nowhere/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct
33 31 0:29 / /nowhere/blkio rw - cgroup cgroup rw,blkio
39 31 0:36 / /nowhere/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /nowhere/unified rw,relatime - cgroup2 cgroup2 rw
";
        let found = parents(mountinfo, "8:pids:/a\n1:cpu,cpuacct:/b\n0::/\n");
        let expected = |path: &str, controller| Parent {
            path: path.into(),
            controllers: vec![controller],
            version: Version::One,
        };
        assert_eq!(
            found,
            [
                expected("/nowhere/cpu,cpuacct", Controller::Cpu),
                expected("/nowhere/pids", Controller::Pids)
            ]
        );
    }

    #[test]
    fn limits_are_written_in_the_kernels_units() {
        let limits = Quantity {
            nano_cpus: Some(250_000_000),
            memory_bytes: Some(1 << 20),
        };
        let all = |version| {
            let controllers = Controller::ALL.iter();
            let settings = controllers.flat_map(|(c, _)| c.settings(version, &limits));
            settings.skip(1).collect::<Vec<_>>()
        };
        assert_eq!(
            all(Version::One),
            [
                ("memory.limit_in_bytes", "1048576".to_owned()),
                ("cpu.cfs_quota_us", "25000".to_owned())
            ]
        );
        assert_eq!(
            all(Version::Two),
            [
                ("memory.max", "1048576".to_owned()),
                ("cpu.max", "25000 100000".to_owned())
            ]
        );
    }
}
