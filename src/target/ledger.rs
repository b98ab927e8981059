//! The ledger: what a run is about to create, on disk before the create call is sent.
//!
//! One file per run, `runs/<run id>.jsonl` in the state folder, one [`Resource`] per line. The
//! run holds a lock on the file for as long as it lives, so that `clean` can tell a dead run from
//! a living one also when a process id has been reused.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::owner::{Owner, Resource, RunId};

/// The tool's state folder: `$XDG_STATE_HOME/osb-conformance`, `~/.local/state/osb-conformance`,
/// or a folder among the temporary files where there is no home.
pub fn state_folder() -> PathBuf {
    let folder = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    folder("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("osb-conformance")
}

/// A ledger that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the ledger {}: {source}", path.display())]
pub struct LedgerError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

fn error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError {
        action,
        path,
        source,
    }
}

/// First line of a ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    target: String,
    pid: u32,
    host: String,
}

/// The open ledger of a living run.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    owner: Owner,
    file: Mutex<File>,
}

impl Ledger {
    /// Opens the ledger of a new run on `target` below `state`, the tool's state folder.
    ///
    /// # Errors
    /// When the folder or file cannot be made, written or locked.
    pub fn open(state: &Path, target: &str, owner: Owner) -> Result<Self, LedgerError> {
        let folder = state.join("runs");
        fs::create_dir_all(&folder).map_err(error("create the folder of", &folder))?;
        let path = folder.join(format!("{}.jsonl", owner.run));
        // Locked, and with its header, before it gets its name: no `clean` can see it unlocked and
        // take it for dead.
        let fresh = folder.join(unfinished(&owner));
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&fresh)
            .map_err(error("create", &fresh))?;
        file.lock().map_err(error("lock", &fresh))?;
        let header = Header {
            target: target.into(),
            pid: owner.pid,
            host: owner.host.clone(),
        };
        let mut ledger = Self {
            path: fresh,
            owner,
            file: Mutex::new(file),
        };
        ledger.append(&header)?;
        fs::rename(&ledger.path, &path).map_err(error("create", &path))?;
        ledger.path = path;
        Ok(ledger)
    }

    /// Who owns what is recorded here.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Records `resource`; on return it is in the file.
    ///
    /// # Errors
    /// When the file cannot be written. The caller must then not create the resource.
    pub fn record(&self, resource: &Resource) -> Result<(), LedgerError> {
        self.append(resource)
    }

    fn append(&self, line: &impl Serialize) -> Result<(), LedgerError> {
        let write = || -> io::Result<()> {
            let mut bytes = serde_json::to_vec(line)?;
            bytes.push(b'\n');
            // One write per line: a kill in between leaves whole lines.
            self.file
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write_all(&bytes)
        };
        write().map_err(error("write", &self.path))
    }

    /// Ends the ledger: everything in it has been removed.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn close(&self) -> Result<(), LedgerError> {
        fs::remove_file(&self.path).map_err(error("delete", &self.path))
    }
}

/// The name of a ledger that is being made, with the process that makes it.
fn unfinished(owner: &Owner) -> String {
    format!("{}.{}.new", owner.run, owner.pid)
}

/// Whether the run was killed while it made this ledger: there is nothing in it.
fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let parts = name.and_then(|name| name.strip_suffix(".new")?.split_once('.'));
    let Some((_, pid)) = parts.filter(|(run, _)| RunId::parse(run).is_some()) else {
        return false;
    };
    let is_number = pid.bytes().all(|byte| byte.is_ascii_digit());
    is_number && Path::new("/proc/self").exists() && !Path::new("/proc").join(pid).exists()
}

/// What a run that is no longer alive recorded.
#[derive(Debug)]
pub struct DeadRun {
    /// Its id.
    pub run: RunId,
    /// The target that it ran against.
    pub target: String,
    /// What it recorded, newest first: the order of removal.
    pub resources: Vec<Resource>,
    path: PathBuf,
    // Held until the run is forgotten, so that two `clean`s do not work on the same ledger.
    _lock: File,
}

impl DeadRun {
    /// Finds the dead runs below `state`, and the ids of those that are alive.
    ///
    /// # Errors
    /// When the folder or one of its files cannot be read.
    pub fn find(state: &Path) -> Result<(Vec<Self>, BTreeSet<RunId>), LedgerError> {
        let folder = state.join("runs");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
            Err(e) => return Err(error("list the folder of", &folder)(e)),
        };
        let (mut dead, mut alive) = (Vec::new(), BTreeSet::new());
        for entry in entries {
            let path = entry.map_err(error("list the folder of", &folder))?.path();
            let run = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".jsonl"))
                .and_then(RunId::parse);
            let Some(run) = run else {
                if is_abandoned(&path)
                    && let Err(e) = fs::remove_file(&path)
                    && e.kind() != io::ErrorKind::NotFound
                {
                    return Err(error("delete", &path)(e));
                }
                continue;
            };
            let file = match File::open(&path) {
                Ok(file) => file,
                // The run ended and closed its ledger in between.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(error("open", &path)(e)),
            };
            match file.try_lock() {
                Ok(()) => dead.push(Self::read(run, path, file)?),
                Err(TryLockError::WouldBlock) => {
                    alive.insert(run);
                }
                Err(TryLockError::Error(e)) => return Err(error("lock", &path)(e)),
            }
        }
        dead.sort_by(|a, b| a.run.cmp(&b.run));
        Ok((dead, alive))
    }

    fn read(run: RunId, path: PathBuf, file: File) -> Result<Self, LedgerError> {
        let mut lines = BufReader::new(&file).lines();
        let header = lines
            .next()
            .transpose()
            .map_err(error("read", &path))?
            .unwrap_or_default();
        let target = serde_json::from_str::<Header>(&header)
            .map(|h| h.target)
            .unwrap_or_default();
        let mut resources = Vec::new();
        for line in lines {
            // A last line cut off by a kill was not yet followed by its create call.
            if let Ok(resource) = serde_json::from_str(&line.map_err(error("read", &path))?) {
                resources.push(resource);
            }
        }
        resources.reverse();
        Ok(Self {
            run,
            target,
            resources,
            path,
            _lock: file,
        })
    }

    /// Deletes the ledger: what it records has been removed.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn forget(self) -> Result<(), LedgerError> {
        fs::remove_file(&self.path).map_err(error("delete", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_alive_while_its_ledger_is_open_and_dead_after() {
        let state = tempfile::tempdir().expect("a folder");
        let owner = Owner::this_process();
        let run = owner.run.clone();
        let ledger = Ledger::open(state.path(), "docker", owner).expect("a ledger");
        ledger
            .record(&Resource::Volume("v".into()))
            .expect("recorded");
        ledger
            .record(&Resource::Sandbox("s".into()))
            .expect("recorded");
        let (dead, alive) = DeadRun::find(state.path()).expect("found");
        assert!(dead.is_empty() && alive.contains(&run));
        drop(ledger);
        let (mut dead, alive) = DeadRun::find(state.path()).expect("found");
        assert!(alive.is_empty());
        let dead = dead.pop().expect("one dead run");
        assert_eq!((dead.run.clone(), dead.target.as_str()), (run, "docker"));
        assert_eq!(
            dead.resources,
            [Resource::Sandbox("s".into()), Resource::Volume("v".into())]
        );
        dead.forget().expect("forgotten");
        assert!(DeadRun::find(state.path()).expect("found").0.is_empty());
    }

    #[test]
    fn a_line_cut_off_by_a_kill_is_no_obstacle() {
        let state = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(state.path(), "docker", Owner::this_process()).expect("a ledger");
        ledger
            .record(&Resource::Volume("v".into()))
            .expect("recorded");
        let path = ledger.path.clone();
        drop(ledger);
        let mut file = OpenOptions::new().append(true).open(path).expect("open");
        file.write_all(br#"{"kind":"vol"#).expect("written");
        drop(file);
        let (dead, _) = DeadRun::find(state.path()).expect("found");
        assert_eq!(dead[0].resources, [Resource::Volume("v".into())]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_ledger_whose_maker_was_killed_goes() {
        let state = tempfile::tempdir().expect("a folder");
        let ours = Owner::this_process();
        let mut dead = Owner::this_process();
        // More than any process can have.
        dead.pid = u32::MAX;
        let folder = state.path().join("runs");
        fs::create_dir(&folder).expect("made");
        for name in [unfinished(&ours), unfinished(&dead), "other.1.new".into()] {
            fs::write(folder.join(name), "").expect("written");
        }
        assert!(DeadRun::find(state.path()).expect("found").0.is_empty());
        assert!(!folder.join(unfinished(&dead)).exists());
        assert!(folder.join(unfinished(&ours)).exists());
        assert!(folder.join("other.1.new").exists());
    }

    #[test]
    fn close_leaves_nothing() {
        let state = tempfile::tempdir().expect("a folder");
        Ledger::open(state.path(), "docker", Owner::this_process())
            .expect("a ledger")
            .close()
            .expect("closed");
        assert_eq!(
            fs::read_dir(state.path().join("runs"))
                .expect("folder")
                .count(),
            0
        );
    }
}
