//! Named volumes: directories in the state folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::{ApiError, Mount, Pvc};
use crate::target::directory::{Broken, Directory};
use crate::target::request::MANAGED;
use crate::target::{Files, Owner, Result, RunId, TargetError};

use super::store::Store;

/// What a volume's content is in, beside its mark.
const DATA: &str = "_data";

/// The volumes of the state folder.
#[derive(Debug)]
pub(super) struct Volumes(Store);

impl Volumes {
    pub(super) fn new(state: &Path) -> Self {
        Self(Store::new(state.join("volumes")))
    }

    /// Makes a volume and fills it. One that is there already is left as it is: `false`.
    pub(super) fn create(&self, owner: &Owner, name: &str, files: &Files) -> Result<bool> {
        self.make(owner.labels(), owner, name, files)
    }

    fn make(
        &self,
        labels: BTreeMap<String, String>,
        owner: &Owner,
        name: &str,
        files: &Files,
    ) -> Result<bool> {
        let fill = |folder: &Path| -> io::Result<()> {
            let data = folder.join(DATA);
            fs::create_dir(&data)?;
            fs::set_permissions(&data, fs::Permissions::from_mode(0o755))?;
            Directory::open(&data)?.fill(files)
        };
        self.0.create_with(&labels, owner, name, fill)
    }

    pub(super) fn exists(&self, name: &str) -> Result<bool> {
        Ok(self.0.path(name)?.join(DATA).is_dir())
    }

    /// The labels of a volume; `None` where there is none.
    pub(super) fn labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        match self.exists(name)? {
            true => self.0.labels(name),
            false => Ok(None),
        }
    }

    /// Reads a file of a volume. Links count only as far as they stay inside.
    pub(super) fn read(&self, name: &str, path: &str) -> Result<Option<Vec<u8>>> {
        if !self.exists(name)? {
            return Ok(None);
        }
        let data = self.0.path(name)?.join(DATA);
        let read = Directory::open(&data).and_then(|directory| directory.read(path));
        read.map_err(|error| {
            TargetError::failed(format!("reading \"{path}\" of the volume {name}"), error)
        })
    }

    pub(super) fn all(&self) -> Result<Vec<(String, Owner)>> {
        self.0.all()
    }

    /// Removes a volume; one that is gone is fine.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        self.0.remove(name)
    }

    /// Removes a volume if it carries the mark of `run`.
    pub(super) fn remove_marked(&self, run: &RunId, name: &str) -> Result<()> {
        match self.0.owner(name)? {
            Some(owner) if owner.run == *run => self.0.remove(name),
            _ => Ok(()),
        }
    }

    /// Makes the claimed volume where there is none and the claim allows it. Whether it did.
    pub(super) fn ensure(&self, owner: &Owner, mount: &Mount, pvc: &Pvc) -> Result<bool> {
        let claim = &pvc.claim_name;
        if self.exists(claim)? {
            return Ok(false);
        }
        if !pvc.create_if_not_exists {
            let message = format!(
                "volume \"{}\": there is no volume \"{claim}\", and createIfNotExists is false",
                mount.name
            );
            return Err(ApiError::bad_request("VOLUME::PVC_NOT_FOUND", message).into());
        }
        let mut labels = owner.labels();
        labels.insert(MANAGED.0.into(), MANAGED.1.into());
        self.make(labels, owner, claim, &Files::new())
    }

    /// The directory of a volume that is mounted, without links.
    pub(super) fn source(&self, mount: &Mount, claim: &str) -> Result<PathBuf> {
        let sub_path = mount.sub_path.as_deref().unwrap_or_default();
        let found = Directory::open(&self.0.path(claim)?.join(DATA))
            .map_err(Broken::Failed)
            .and_then(|directory| directory.descend(sub_path));
        match found {
            Ok(source) => Ok(source),
            Err(Broken::Refused(why)) => {
                let message = format!("volume \"{}\": subPath \"{sub_path}\": {why}", mount.name);
                Err(ApiError::bad_request("VOLUME::INVALID_SUB_PATH", message).into())
            }
            Err(Broken::Failed(error)) => Err(TargetError::failed(
                format!("mounting the volume {claim}"),
                error,
            )),
        }
    }
}
