//! The target that needs no daemon: a sandbox is a set of Linux namespaces, made by our agent.
//!
//! Inside are this machine's system directories, read-only, and everything else is in memory; a
//! `pvc` volume is a directory in the state folder. Works as root and as an ordinary user. The
//! user namespace that every sandbox has, also root's, makes its capabilities count for nothing
//! outside; see `src/agent/enclose`. Users are who they are, as in a Docker container: root inside
//! is root to the files that it is given.

mod cgroup;
mod obstacle;
mod process;
mod sandbox;
mod store;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use crate::execd::{Execd, ForwardRequest, ForwardResponse};
use crate::sandbox::{
    CreateSandboxRequest, ListQuery, RenewRequest, RenewResponse, SandboxInfo, SandboxPage,
};

use super::host::{self, Allowlist};
use super::reach::{Lookup, SandboxExecd, forward};
use super::record::Roster;
use super::{
    Capability, Files, Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo,
    state_folder,
};
use cgroup::Cgroups;
use process::{Launcher, Process};
use store::Store;
use volume::Volumes;

/// The one "image" there is.
const IMAGE: &str = "host";

/// How the target is set up.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Folder for volumes, see [`state_folder`].
    pub state: PathBuf,
    /// Directories below which `host` volumes may lie; none means that every one is refused.
    pub allowed_host_paths: Vec<PathBuf>,
    /// Whether a sandbox of any image is made, although there is only this machine's own system to
    /// make it of: for clients that cannot know that.
    pub any_image: bool,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            state: state_folder(),
            allowed_host_paths: Vec::new(),
            any_image: false,
        }
    }
}

/// This machine as a target.
#[derive(Debug)]
pub struct LocalTarget {
    machine: Arc<Machine>,
    info: TargetInfo,
}

/// What the target has on this machine.
#[derive(Debug)]
struct Machine {
    launcher: Launcher,
    cgroups: Cgroups,
    allowlist: Allowlist,
    volumes: Volumes,
    /// Marks of sandboxes, for those who clean up after a run that was killed.
    marks: Store,
    sandboxes: Roster<Process>,
    any_image: bool,
}

impl LocalTarget {
    /// Finds out whether this machine's kernel lets us make sandboxes, by making one.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`] where it does not, with the switch that is missing;
    /// [`TargetError::Impossible`] where the configuration cannot hold.
    pub async fn connect(config: LocalConfig) -> Result<Self> {
        let allowlist = Allowlist::new(&config.allowed_host_paths)?;
        let prepare = || -> std::io::Result<PathBuf> {
            fs::create_dir_all(&config.state)?;
            // Links on the way would be refused when a volume is mounted.
            fs::canonicalize(&config.state)
        };
        let state = prepare().map_err(|error| {
            let context = format!("making the state folder {}", config.state.display());
            TargetError::failed(context, error)
        })?;
        let launcher = Launcher::new()?;
        let cgroups = Cgroups::find();
        launcher.probe().await?;
        let mut capabilities = BTreeSet::from([
            Capability::Commands,
            Capability::Files,
            Capability::VolumesPvc,
            Capability::VolumesPvcSubPath,
            Capability::Pause,
            Capability::Renew,
            Capability::Metadata,
        ]);
        if !allowlist.is_empty() {
            capabilities.insert(Capability::VolumesHost);
        }
        let info = TargetInfo {
            name: "local".into(),
            locator: "local".into(),
            description: format!(
                "Linux namespaces on this machine, {}, {}",
                launcher.identity(),
                cgroups.description()
            ),
            image: IMAGE.into(),
            volume_kind: "Local".into(),
            host_root: allowlist.first(),
            capabilities,
        };
        let machine = Machine {
            launcher,
            cgroups,
            allowlist,
            volumes: Volumes::new(&state),
            marks: Store::new(state.join("sandboxes")),
            sandboxes: Roster::default(),
            any_image: config.any_image,
        };
        Ok(Self {
            machine: Arc::new(machine),
            info,
        })
    }
}

#[async_trait]
impl Lookup for Machine {
    async fn look_up(&self, id: &str) -> Result<SandboxInfo> {
        self.get(id)
    }

    fn is_paused(&self, id: &str) -> bool {
        let record = self.sandboxes.find(id);
        record.is_ok_and(|record| record.is_paused.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Target for LocalTarget {
    fn info(&self) -> &TargetInfo {
        &self.info
    }

    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo> {
        Machine::create(&self.machine, handle, request).await
    }

    async fn get(&self, id: &str) -> Result<SandboxInfo> {
        self.machine.get(id)
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.machine.delete(id).await
    }

    async fn execd(&self, id: &str) -> Result<Arc<dyn Execd>> {
        let record = self.machine.sandboxes.find(id)?;
        let lookup: Arc<dyn Lookup> = Arc::clone(&self.machine) as _;
        Ok(Arc::new(SandboxExecd {
            client: record.body.client.clone(),
            id: record.id.clone(),
            lookup,
        }))
    }

    async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        let all = self.machine.sandboxes.all();
        let all = all
            .iter()
            .map(|record| record.info(sandbox::status(record)));
        Ok(SandboxPage::select(all.collect(), query))
    }

    async fn pause(&self, id: &str) -> Result<()> {
        self.machine.pause(id).await
    }

    async fn resume(&self, id: &str) -> Result<()> {
        self.machine.resume(id).await
    }

    async fn renew(&self, id: &str, request: &RenewRequest) -> Result<RenewResponse> {
        self.machine.sandboxes.find(id)?.renew(request)
    }

    async fn patch_metadata(
        &self,
        id: &str,
        patch: &BTreeMap<String, Option<String>>,
    ) -> Result<SandboxInfo> {
        self.machine.sandboxes.find(id)?.patch_metadata(patch)?;
        self.machine.get(id)
    }

    async fn forward(
        &self,
        id: &str,
        port: u16,
        request: ForwardRequest,
    ) -> Result<ForwardResponse> {
        let record = self.machine.sandboxes.find(id)?;
        let is_paused = record.is_paused.load(Ordering::Relaxed);
        forward(Some(&record.body.client), is_paused, port, request).await
    }

    async fn create_volume(&self, owner: &Owner, name: &str, files: &Files) -> Result<()> {
        self.machine.volumes.create(owner, name, files).map(drop)
    }

    async fn volume_exists(&self, _: &Owner, name: &str) -> Result<bool> {
        self.machine.volumes.exists(name)
    }

    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        self.machine.volumes.labels(name)
    }

    async fn read_volume(&self, _: &Owner, name: &str, path: &str) -> Result<Option<Vec<u8>>> {
        self.machine.volumes.read(name, path)
    }

    async fn create_host_dir(&self, path: &str, files: &Files) -> Result<()> {
        host::create(Path::new(path), files)
    }

    async fn list_host_dir(&self, path: &str) -> Result<BTreeSet<String>> {
        host::list(Path::new(path))
    }

    async fn read_host_dir(&self, path: &str, file: &str) -> Result<Option<Vec<u8>>> {
        host::read(Path::new(path), file)
    }

    async fn remove(&self, run: &RunId, resource: &Resource) -> Result<()> {
        match resource {
            Resource::Sandbox(name) => self.machine.remove_marked(run, name).await,
            Resource::Volume(name) => self.machine.volumes.remove_marked(run, name),
            // There are none.
            Resource::Snapshot(_) => Ok(()),
            Resource::HostDir(path) => host::remove(run, Path::new(path)),
        }
    }

    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let wanted = |owner: &Owner| run.is_none_or(|run| owner.run == *run);
        let sandboxes = self.machine.marks.all()?;
        let sandboxes = sandboxes
            .into_iter()
            .map(|(name, owner)| (owner, Resource::Sandbox(name)));
        let volumes = self.machine.volumes.all()?;
        let volumes = volumes
            .into_iter()
            .map(|(name, owner)| (owner, Resource::Volume(name)));
        Ok(sandboxes
            .chain(volumes)
            .filter(|(owner, _)| wanted(owner))
            .collect())
    }
}
