//! Host directories under the allowlist.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bollard::models::{Mount, MountType};

use crate::sandbox::{ApiError, Host, Mount as Request};
use crate::target::{Files, Result, RunId, TargetError};

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
                    let what = format!("--allow-host-path {} is no directory", path.display());
                    TargetError::failed(what, "host volumes need one that exists")
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

    /// How a `host` volume is mounted. A missing directory is made.
    pub(super) fn mount(&self, request: &Request, host: &Host) -> Result<Mount> {
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
        let resolved = resolve(&asked).ok_or_else(not_allowed)?;
        if !self.allows(&resolved) {
            return Err(not_allowed());
        }
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
        Ok(Mount {
            typ: Some(MountType::BIND),
            source: Some(resolved.to_string_lossy().into_owned()),
            target: Some(request.mount_path.clone()),
            read_only: Some(request.read_only),
            ..Default::default()
        })
    }

    /// Makes the directory `name` below the first allowed one, fills it, and answers its path.
    pub(super) fn create(&self, name: &str, files: &Files) -> Result<String> {
        let Some(root) = self.0.first() else {
            return Err(TargetError::unsupported("host directories"));
        };
        let directory = root.join(name);
        let write = || -> std::io::Result<()> {
            fs::create_dir(&directory)?;
            // Sandboxes may run as any user; what is inside belongs to the scenario alone.
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o777))?;
            for (path, data) in files {
                let file = directory.join(path);
                if let Some(folder) = file.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(file, data)?;
            }
            Ok(())
        };
        let context = || format!("preparing the host directory {}", directory.display());
        write().map_err(|error| TargetError::failed(context(), error))?;
        Ok(directory.to_string_lossy().into_owned())
    }

    /// Removes the directory `name` of `run` below every allowed one.
    pub(super) fn remove(&self, run: &RunId, name: &str) -> Result<()> {
        // The name is the mark: it holds the run's id and leads to no other folder.
        if !name.contains(run.as_str()) || name.contains('/') {
            return Ok(());
        }
        for root in &self.0 {
            let directory = root.join(name);
            match fs::remove_dir_all(&directory) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(TargetError::failed(
                        format!("removing {}", directory.display()),
                        error,
                    ));
                }
            }
        }
        Ok(())
    }
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
