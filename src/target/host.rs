//! Host directories under the allowlist.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::{ApiError, Host, Mount};

use super::directory::Directory;
use super::{Files, Result, RunId, TargetError};

/// The directories below which host paths may lie, their links resolved.
#[derive(Debug, Default)]
pub(super) struct Allowlist(Vec<PathBuf>);

impl Allowlist {
    /// Resolves the given directories.
    ///
    /// # Errors
    /// When one is not an existing directory.
    pub(super) fn new(given: &[PathBuf]) -> Result<Self> {
        let resolve = |path: &PathBuf| {
            fs::canonicalize(path)
                .ok()
                .filter(|path| path.is_dir())
                .ok_or_else(|| {
                    TargetError::Impossible(format!(
                        "--allow-host-path {} is no directory: host volumes need one that exists",
                        path.display()
                    ))
                })
        };
        given.iter().map(resolve).collect::<Result<_>>().map(Self)
    }

    /// Whether no host path is allowed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn allows(&self, path: &Path) -> bool {
        // Path::starts_with compares whole components: /allow2 is not below /allow.
        self.0.iter().any(|allowed| path.starts_with(allowed))
    }

    /// The directory that a `host` volume comes to, its links resolved. A missing one is made.
    pub(super) fn directory(&self, request: &Mount, host: &Host) -> Result<PathBuf> {
        let asked = match &request.sub_path {
            Some(sub_path) => Path::new(&host.path).join(sub_path),
            None => PathBuf::from(&host.path),
        };
        let refuse = |code: &str, why: &str| -> TargetError {
            let message = format!(
                "volume \"{}\": host path \"{}\" {why}",
                request.name,
                asked.display()
            );
            ApiError::bad_request(code, message).into()
        };
        let not_allowed = || {
            refuse(
                "VOLUME::HOST_PATH_NOT_ALLOWED",
                "is not below an allowed directory",
            )
        };
        // The path itself as well: a sub path leads no further up than what may be named.
        let root = Path::new(&host.path);
        let allowed = |path: &Path| resolve(path).filter(|path| self.allows(path));
        if !root.is_absolute() || allowed(root).is_none() {
            return Err(not_allowed());
        }
        let resolved = allowed(&asked).ok_or_else(not_allowed)?;
        fs::create_dir_all(&resolved)
            .or_else(|error| {
                if resolved.exists() {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .map_err(|error| {
                let message = format!(
                    "volume \"{}\": {} cannot be made: {error}",
                    request.name,
                    asked.display()
                );
                TargetError::from(ApiError::new(
                    500,
                    "VOLUME::HOST_PATH_CREATE_FAILED",
                    message,
                ))
            })?;
        Ok(resolved)
    }

    /// The first allowed directory.
    pub(super) fn first(&self) -> Option<String> {
        self.0
            .first()
            .map(|path| path.to_string_lossy().into_owned())
    }
}

/// Makes the directory `path` and fills it.
pub(super) fn create(path: &Path, files: &Files) -> Result<()> {
    let write = || -> io::Result<()> {
        fs::create_dir(path)?;
        // Sandboxes may run as any user; what is inside belongs to the scenario alone.
        fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
        for (name, data) in files {
            let file = path.join(name);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(file, data)?;
        }
        Ok(())
    };
    let context = || format!("preparing the host directory {}", path.display());
    write().map_err(|error| TargetError::failed(context(), error))
}

/// Paths of everything in the directory `path`.
pub(super) fn list(path: &Path) -> Result<BTreeSet<String>> {
    let tree = Directory::open(path).and_then(|directory| directory.tree());
    tree.map_err(|error| TargetError::failed(format!("listing {}", path.display()), error))
}

/// The content of the file `file` of the directory `path`. What sandboxes have put there is read
/// without following a link out of it.
pub(super) fn read(path: &Path, file: &str) -> Result<Option<Vec<u8>>> {
    let read = Directory::open(path).and_then(|directory| directory.read(file));
    read.map_err(|error| TargetError::failed(format!("reading {}/{file}", path.display()), error))
}

/// Removes the directory `path` if it carries the mark of `run`: its name holds the run's id.
pub(super) fn remove(run: &RunId, path: &Path) -> Result<()> {
    let is_marked = path.is_absolute()
        && path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains(run.as_str()));
    if !is_marked {
        return Ok(());
    }
    remove_tree(path)
        .map_err(|error| TargetError::failed(format!("removing {}", path.display()), error))
}

/// Removes a folder and everything in it, also what whoever made it locked against its owner.
pub(super) fn remove_tree(folder: &Path) -> io::Result<()> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            unlock(folder)?;
            fs::remove_dir_all(folder)
        }
        other => other,
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives the owner every right to the folders of a tree again. Links are not followed.
fn unlock(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        }
    }
    Ok(())
}

/// `path` with every link resolved; what does not exist yet is kept as it is. `None` where a link
/// leads nowhere, so that a directory made later could be anywhere.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(resolved) = fs::canonicalize(existing) {
            return Some(
                missing
                    .iter()
                    .rev()
                    .fold(resolved, |path, part| path.join(part)),
            );
        }
        if existing.symlink_metadata().is_ok() {
            return None;
        }
        missing.push(existing.file_name()?);
        existing = existing.parent()?;
    }
}
