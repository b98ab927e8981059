//! The reference target: real containers and named volumes on a Docker engine, from 20.10 on.
//!
//! A sandbox is a container without a network: no capability here needs one, and it halves the
//! cost. `pvc` is a named volume, `host` a bind mount under an allowlist.

mod agent;
mod archive;
mod connect;
mod container;
mod create;
mod error;
mod exec;
mod file;
mod image;
mod volume;
mod window;
mod witness;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bollard::Docker;
use bollard::query_parameters::ListContainersOptionsBuilder;
use tokio::sync::OnceCell;

use crate::execd::agent::architecture;
use crate::execd::{Client, Execd, ForwardRequest, ForwardResponse};
use crate::sandbox::{
    CreateSandboxRequest, ListQuery, RenewRequest, RenewResponse, SandboxInfo, SandboxPage,
};

use super::host::{self, Allowlist};
use super::reach::{Lookup, SandboxExecd, forward};
use super::record::Roster;
use super::{
    Capability, Files, Handle, Owner, Resource, Result, RunId, Target, TargetInfo, Witness,
};
use error::failed;

/// Told what takes long, such as a pull, in words.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How the target is set up.
#[derive(Clone, Default)]
pub struct DockerConfig {
    /// Image of sandboxes whose request names none; a minimal one is assembled from this machine's
    /// own tools where absent.
    pub image: Option<String>,
    /// Directories below which `host` volumes may lie; none means that every one is refused.
    pub allowed_host_paths: Vec<PathBuf>,
    /// Where progress is told.
    pub progress: Option<Progress>,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DockerConfig")
            .field("image", &self.image)
            .field("allowed_host_paths", &self.allowed_host_paths)
            .finish_non_exhaustive()
    }
}

/// A Docker engine as a target.
#[derive(Debug)]
pub struct DockerTarget {
    engine: Arc<Engine>,
    info: TargetInfo,
    /// In the place of `info` once it is known that the agent cannot run in the default image.
    without_agent: OnceLock<TargetInfo>,
}

/// The engine and what this target has on it.
struct Engine {
    docker: Docker,
    api: (u32, u32),
    architecture: String,
    /// Whether the engine is on this machine, so that its paths are ours.
    is_local: bool,
    allowlist: Allowlist,
    default_image: image::DefaultImage,
    progress: Option<Progress>,
    /// Images with the agent in them, by the image they are made from.
    agents: tokio::sync::Mutex<HashMap<String, Option<String>>>,
    /// Set once the default image is there.
    ready: OnceCell<()>,
    /// The sandboxes, each with the way to its agent; `None` where commands go through the
    /// engine's exec.
    sandboxes: Roster<Option<Client>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl Engine {
    fn tell(&self, what: &str) {
        if let Some(progress) = &self.progress {
            progress(what);
        }
    }
}

impl DockerTarget {
    /// Connects to the engine that `DOCKER_HOST` names, or to the default socket.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`](super::TargetError::Unreachable) where no engine answers, with what to do;
    /// [`TargetError::Impossible`](super::TargetError::Impossible) where the configuration cannot hold.
    pub async fn connect(config: DockerConfig) -> Result<Self> {
        let connection = connect::connect().await?;
        let allowlist = Allowlist::new(&config.allowed_host_paths)?;
        let mut capabilities = BTreeSet::from([
            Capability::Commands,
            Capability::Files,
            Capability::VolumesPvc,
            Capability::VolumesPvcSubPath,
            Capability::Images,
            Capability::Pause,
            Capability::Renew,
            Capability::Metadata,
        ]);
        if connection.is_local && !allowlist.is_empty() {
            capabilities.insert(Capability::VolumesHost);
        }
        let default_image = image::DefaultImage::new(config.image);
        let info = TargetInfo {
            name: "docker".into(),
            locator: "docker".into(),
            description: connection.description,
            image: default_image.reference().into(),
            volume_kind: "Docker".into(),
            host_root: allowlist.first().filter(|_| connection.is_local),
            capabilities,
        };
        let engine = Engine {
            docker: connection.docker,
            api: connection.api,
            architecture: connection.architecture,
            is_local: connection.is_local,
            allowlist: if connection.is_local {
                allowlist
            } else {
                Allowlist::default()
            },
            default_image,
            progress: config.progress,
            agents: tokio::sync::Mutex::default(),
            ready: OnceCell::new(),
            sandboxes: Roster::default(),
        };
        Ok(Self {
            engine: Arc::new(engine),
            info,
            without_agent: OnceLock::new(),
        })
    }
}

/// For whoever has a server on this engine.
impl DockerTarget {
    /// Removes a volume that `run` made, or that a server made under a name of the run's.
    pub(in crate::target) async fn remove_volume_of(&self, run: &RunId, name: &str) -> Result<()> {
        if run.is_in(name) {
            return self.engine.remove_volume(name).await;
        }
        self.engine.remove_marked_volume(run, name).await
    }

    /// What carries the mark of `run`, and volumes that a server made under names of the run's.
    pub(in crate::target) async fn remains_of(
        &self,
        run: &RunId,
    ) -> Result<Vec<(Owner, Resource)>> {
        let mut remains = self.remains(Some(run)).await?;
        for volume in self.engine.volumes("name", run.as_str()).await? {
            let resource = Resource::Volume(volume.name);
            let is_known = remains.iter().any(|(_, known)| *known == resource);
            if let Resource::Volume(name) = &resource
                && run.is_in(name)
                && !is_known
            {
                let mut owner = Owner::this_process();
                owner.run = run.clone();
                remains.push((owner, resource));
            }
        }
        Ok(remains)
    }
}

#[async_trait]
impl Lookup for Engine {
    async fn look_up(&self, id: &str) -> Result<SandboxInfo> {
        self.get(id).await
    }

    fn is_paused(&self, id: &str) -> bool {
        let record = self.sandboxes.find(id);
        record.is_ok_and(|record| record.is_paused.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Target for DockerTarget {
    fn info(&self) -> &TargetInfo {
        self.without_agent.get().unwrap_or(&self.info)
    }

    async fn prepare(&self) -> Result<()> {
        let image = self.engine.image().await?;
        if self.engine.image_with_agent(image).await?.is_none() {
            self.without_agent.get_or_init(|| TargetInfo {
                description: format!(
                    "{}, commands by its slow exec: the image is not for {}, which our agent is for",
                    self.info.description,
                    architecture()
                ),
                ..self.info.clone()
            });
        }
        Ok(())
    }

    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo> {
        Engine::create(&self.engine, handle, request).await
    }

    async fn get(&self, id: &str) -> Result<SandboxInfo> {
        self.engine.get(id).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.engine.delete(id).await
    }

    async fn execd(&self, id: &str) -> Result<Arc<dyn Execd>> {
        let record = self.engine.sandboxes.find(id)?;
        let engine = Arc::clone(&self.engine);
        Ok(match record.body.clone() {
            Some(client) => Arc::new(SandboxExecd {
                client,
                id: record.id.clone(),
                lookup: engine,
            }),
            None => Arc::new(exec::EngineExecd {
                engine,
                container: record.name.clone(),
            }),
        })
    }

    async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        self.engine.list(query).await
    }

    async fn pause(&self, id: &str) -> Result<()> {
        self.engine.pause(id).await
    }

    async fn resume(&self, id: &str) -> Result<()> {
        self.engine.resume(id).await
    }

    async fn renew(&self, id: &str, request: &RenewRequest) -> Result<RenewResponse> {
        self.engine.sandboxes.find(id)?.renew(request)
    }

    async fn patch_metadata(
        &self,
        id: &str,
        patch: &BTreeMap<String, Option<String>>,
    ) -> Result<SandboxInfo> {
        self.engine.sandboxes.find(id)?.patch_metadata(patch)?;
        self.engine.get(id).await
    }

    async fn forward(
        &self,
        id: &str,
        port: u16,
        request: ForwardRequest,
    ) -> Result<ForwardResponse> {
        let record = self.engine.sandboxes.find(id)?;
        let is_paused = record.is_paused.load(Ordering::Relaxed);
        forward(record.body.as_ref(), is_paused, port, request).await
    }

    async fn witness(&self, id: &str, mount_path: &str) -> Result<Witness> {
        self.engine.witness(id, mount_path).await
    }

    async fn create_volume(&self, owner: &Owner, name: &str, files: &Files) -> Result<()> {
        self.engine.create_volume(owner, name, files).await
    }

    async fn volume_exists(&self, _: &Owner, name: &str) -> Result<bool> {
        Ok(self.engine.inspect_volume(name).await?.is_some())
    }

    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        let volume = self.engine.inspect_volume(name).await?;
        Ok(volume.map(|volume| volume.labels.into_iter().collect()))
    }

    async fn read_volume(&self, owner: &Owner, name: &str, path: &str) -> Result<Option<Vec<u8>>> {
        self.engine.read_volume(owner, name, path).await
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
            Resource::Sandbox(name) => self.engine.remove_marked_container(run, name).await,
            Resource::Volume(name) => self.engine.remove_marked_volume(run, name).await,
            // There are none.
            Resource::Snapshot(_) => Ok(()),
            Resource::HostDir(path) => host::remove(run, Path::new(path)),
        }
    }

    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let filter = HashMap::from([("label", vec![Owner::label_filter(run)])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filter)
            .build();
        let containers = self.engine.docker.list_containers(Some(options)).await;
        let containers = containers.map_err(|error| failed("listing containers", error))?;
        let volumes = self
            .engine
            .volumes("label", &Owner::label_filter(run))
            .await?;
        let containers = containers.into_iter().filter_map(|container| {
            let labels = container.labels.unwrap_or_default();
            let name = container.names?.first()?.trim_start_matches('/').to_owned();
            Some((
                Owner::from_labels(|key| labels.get(key))?,
                Resource::Sandbox(name),
            ))
        });
        let volumes = volumes.into_iter().filter_map(|volume| {
            Some((
                Owner::from_labels(|key| volume.labels.get(key))?,
                Resource::Volume(volume.name),
            ))
        });
        Ok(containers.chain(volumes).collect())
    }
}
