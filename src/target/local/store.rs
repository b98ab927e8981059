//! Marks: whose an object in the state folder is. A folder per object, in it a file with labels.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::target::host::remove_tree;
use crate::target::{Owner, Result, RunId, TargetError};

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
        self.create_with(&owner.labels(), owner, name, fill)
    }

    /// As [`Store::create`], with `labels`, the owner's among them, as its mark.
    pub(super) fn create_with(
        &self,
        labels: &BTreeMap<String, String>,
        owner: &Owner,
        name: &str,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<bool> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(false);
        }
        let fresh = self.folder.join(unfinished(owner));
        let make = || -> io::Result<bool> {
            // For its owner alone: a volume may hold what is root's and set-user-id.
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&fresh)?;
            let labels = serde_json::to_vec(labels)?;
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

    /// Whose the object `name` is, also one that was left unfinished; `None` where there is none.
    pub(super) fn owner(&self, name: &str) -> Result<Option<Owner>> {
        let labels = self.labels(name)?.unwrap_or_default();
        let marked = Owner::from_labels(|key| labels.get(key));
        Ok(marked.or_else(|| unfinished_owner(name)))
    }

    /// The labels of the object `name`; none where they are not whole, `None` where there are not
    /// any.
    pub(super) fn labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        match fs::read(self.path(name)?.join(LABELS)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default())),
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
        let mut path = self.path(name)?;
        if let Some(owner) = self.owner(name)? {
            // Its mark may go first, and whoever removes it may be killed then.
            let doomed = self.folder.join(unfinished(&owner));
            match fs::rename(&path, &doomed) {
                Ok(()) => path = doomed,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(self.failed("removing", name)(error)),
            }
        }
        remove_tree(&path).map_err(self.failed("removing", name))
    }
}

/// The name of an object that is being made or removed. The dot keeps it from being anybody's name; its
/// owner, in case that he is killed while it has no mark, from being left behind.
fn unfinished(owner: &Owner) -> String {
    let Owner { run, pid, host } = owner;
    format!(".{run}.{pid}.{}.{host}", Uuid::new_v4().simple())
}

fn unfinished_owner(name: &str) -> Option<Owner> {
    let mut parts = name.strip_prefix('.')?.splitn(4, '.');
    Some(Owner {
        run: RunId::parse(parts.next()?)?,
        pid: parts.next()?.parse().ok()?,
        host: parts.nth(1)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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
        // Killed before it had written the mark, or half of it.
        for mark in [None, Some("{\"io.osb")] {
            let name = unfinished(&owner);
            let path = store.path(&name).expect("a name");
            fs::create_dir(&path).expect("made");
            if let Some(mark) = mark {
                fs::write(path.join(LABELS), mark).expect("written");
            }
            let unfinished = [("a".into(), owner.clone()), (name.clone(), owner.clone())];
            let mut all = store.all().expect("listed");
            all.sort_by_key(|(name, _)| name.starts_with('.'));
            assert_eq!(all, unfinished);
            store.remove(&name).expect("removed");
        }
        for name in ["", ".", "..", "a/b", "/etc"] {
            assert!(store.path(name).is_err(), "{name}");
        }
        store.remove("a").expect("removed");
        store.remove("a").expect("gone is fine");
        let left = fs::read_dir(folder.path().join("store")).expect("a folder");
        assert_eq!(left.count(), 0);
    }
}
