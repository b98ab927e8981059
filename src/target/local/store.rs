//! Marks: whose an object in the state folder is. A folder per object, in it a file with labels.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::target::{Owner, Result, TargetError};

/// The file that holds an object's labels.
const LABELS: &str = "labels.json";

/// A folder of marked objects.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of the object `name`, whether it is there or not.
    ///
    /// # Errors
    /// For a name that is no plain file name.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf> {
        let is_plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\0']);
        if is_plain {
            return Ok(self.folder.join(name));
        }
        let context = format!("\"{name}\" cannot be the name of anything");
        Err(TargetError::failed(context, "it is no plain file name"))
    }

    fn failed(&self, what: &str, name: &str) -> impl FnOnce(io::Error) -> TargetError {
        let context = format!("{what} {}", self.folder.join(name).display());
        move |error| TargetError::failed(context, error)
    }

    /// Makes the object `name` with its mark, and what `fill` puts into its folder beside that,
    /// in one step: there is no object without a mark. `false` where there is one already.
    pub(super) fn create(
        &self,
        owner: &Owner,
        name: &str,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<bool> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(false);
        }
        // The dot keeps it from being anybody's name; the mark, from being left behind.
        let fresh = self.folder.join(format!(".{}", Uuid::new_v4().simple()));
        let make = || -> io::Result<bool> {
            // For its owner alone: a volume may hold what is root's and set-user-id.
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&fresh)?;
            let labels = serde_json::to_vec(&owner.labels())?;
            fs::write(fresh.join(LABELS), labels)?;
            fill(&fresh)?;
            match fs::rename(&fresh, &path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                    remove_tree(&fresh)?;
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        };
        make().map_err(|error| {
            // The first error is the one to tell.
            let _ = remove_tree(&fresh);
            self.failed("making", name)(error)
        })
    }

    /// Whose the object `name` is; `None` where there is none.
    pub(super) fn owner(&self, name: &str) -> Result<Option<Owner>> {
        match fs::read(self.path(name)?.join(LABELS)) {
            Ok(bytes) => {
                let labels: BTreeMap<String, String> =
                    serde_json::from_slice(&bytes).unwrap_or_default();
                Ok(Owner::from_labels(|key| labels.get(key)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("looking at", name)(error)),
        }
    }

    /// Every marked object.
    pub(super) fn all(&self) -> Result<Vec<(String, Owner)>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("listing", "")(error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(self.failed("listing", ""))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            all.extend(self.owner(&name)?.map(|owner| (name, owner)));
        }
        Ok(all)
    }

    /// Removes the object `name`; one that is gone is fine.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        remove_tree(&self.path(name)?).map_err(self.failed("removing", name))
    }
}

/// Removes a folder and everything in it, also what whoever made it locked against its owner.
fn remove_tree(folder: &Path) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_a_mark_from_its_first_moment_and_goes_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().join("store"));
        let owner = Owner::this_process();
        let fill = |path: &Path| {
            fs::create_dir_all(path.join("locked/deep"))?;
            fs::set_permissions(path.join("locked"), fs::Permissions::from_mode(0o000))
        };
        assert!(store.all().expect("listed").is_empty());
        assert!(store.create(&owner, "a", fill).expect("made"));
        assert!(!store.create(&owner, "a", |_| Ok(())).expect("there"));
        assert_eq!(store.owner("a").expect("read"), Some(owner.clone()));
        assert_eq!(store.owner("b").expect("read"), None);
        assert_eq!(store.all().expect("listed"), [("a".into(), owner.clone())]);
        let broken = store.create(&owner, "c", |_| Err(io::Error::other("no")));
        assert!(broken.is_err());
        for name in ["", ".", "..", "a/b", "/etc"] {
            assert!(store.path(name).is_err(), "{name}");
        }
        store.remove("a").expect("removed");
        store.remove("a").expect("gone is fine");
        let left = fs::read_dir(folder.path().join("store")).expect("a folder");
        assert_eq!(left.count(), 0);
    }
}
