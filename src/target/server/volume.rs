//! Volumes of a server, prepared and looked at from outside its sandboxes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use crate::execd::protocol::{FileMetadata, Permission};
use crate::sandbox::{CreateSandboxRequest, Pvc};
use crate::target::docker::{DockerConfig, DockerTarget};
use crate::target::{
    Files, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo, Witness,
};

use super::ServerConfig;
use super::holder::{MOUNT, exists, hold, passing, read, read_once};
use super::probe::{goes, is_shared};
use super::sandbox::Server;

/// How volumes of a server are prepared and looked at from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeAccess {
    /// Through the Docker engine where one can be reached and the server's volumes are on it, else
    /// through the API.
    #[default]
    Auto,
    /// Through the Docker engine that `DOCKER_HOST` names, whose volumes the server's are.
    Docker,
    /// Through the API alone: a sandbox of our own holds each volume and looks into it. A volume
    /// that could not be removed that way is not made; its scenario is skipped.
    Api,
}

/// The way that was found, once the target is prepared.
#[derive(Debug)]
enum Way {
    Engine(Arc<DockerTarget>),
    Api {
        /// Whether volumes go with their sandboxes where that is asked for, which the
        /// specification promises on Docker alone.
        lets_go: bool,
    },
}

/// The volumes of a server.
#[derive(Debug)]
pub(super) struct Volumes {
    access: VolumeAccess,
    /// An engine that answers; whether the server's volumes are on it may not be known yet.
    engine: Option<Arc<DockerTarget>>,
    /// Why there is none.
    without_engine: String,
    image: Option<String>,
    way: OnceCell<Way>,
    /// Looks at the server that clean up after themselves, also when nobody waits any more.
    probes: TaskTracker,
    /// Sandboxes of ours that hold volumes, by the volumes' names.
    holders: Mutex<HashMap<String, String>>,
}

impl Volumes {
    pub(super) async fn new(access: VolumeAccess, config: &ServerConfig) -> Result<Self> {
        let connected = match access {
            VolumeAccess::Api => Err("--volumes api".to_owned()),
            _ => {
                let docker = DockerConfig {
                    image: config.image.clone(),
                    progress: config.progress.clone(),
                    ..DockerConfig::default()
                };
                match DockerTarget::connect(docker).await {
                    Err(error) if access == VolumeAccess::Docker => return Err(error),
                    connected => connected.map_err(|error| error.to_string()),
                }
            }
        };
        let (engine, without_engine) = match connected {
            Ok(engine) => (Some(Arc::new(engine)), String::new()),
            Err(why) => (None, why),
        };
        Ok(Self {
            access,
            engine,
            without_engine,
            image: config.image.clone(),
            way: OnceCell::new(),
            probes: TaskTracker::new(),
            holders: Mutex::default(),
        })
    }

    /// Finds the way to the volumes, and what the target is called with it.
    pub(super) async fn prepare(
        &self,
        server: &Arc<Server>,
        info: &TargetInfo,
    ) -> Result<TargetInfo> {
        let (engine, mut why) = match (&self.engine, self.access) {
            (None, _) => (None, self.without_engine.clone()),
            (Some(engine), VolumeAccess::Docker) => (Some(engine), "--volumes docker".into()),
            (Some(engine), _) => match self.shares(server, engine, info).await? {
                Ok(()) => (Some(engine), "the server's volumes are on it".into()),
                Err(why) => (None, why),
            },
        };
        let mut prepared = info.clone();
        let (way, through) = match engine {
            Some(engine) => {
                if self.image.is_none() {
                    engine.prepare().await?;
                    prepared.image.clone_from(&engine.info().image);
                }
                let through = format!("volumes through {}", engine.info().description);
                (Way::Engine(Arc::clone(engine)), through)
            }
            None => {
                let (server, image) = (Arc::clone(server), info.image.clone());
                let goes = self
                    .probe(async move { goes(&server, &image).await })
                    .await?;
                let lets_go = goes.is_ok();
                if let Err(what) = goes {
                    why.push_str(&format!("; none is made, as {what}"));
                }
                (Way::Api { lets_go }, "volumes through the API alone".into())
            }
        };
        prepared.description = format!("{}, {through} ({why})", info.description);
        // Prepared once.
        let _ = self.way.set(way);
        Ok(prepared)
    }

    /// Whether the server finds a volume that we make on `engine`; if not, why.
    async fn shares(
        &self,
        server: &Arc<Server>,
        engine: &Arc<DockerTarget>,
        info: &TargetInfo,
    ) -> Result<Result<(), String>> {
        // An image that a server on this engine has, in case that it looks for that first.
        let image = match &self.image {
            Some(_) => info.image.clone(),
            None => {
                engine.prepare().await?;
                engine.info().image.clone()
            }
        };
        let (server, engine) = (Arc::clone(server), Arc::clone(engine));
        self.probe(async move { is_shared(&server, &engine, &image).await })
            .await
    }

    /// Looks at the server, to the end also when the caller is dropped meanwhile: what that makes
    /// must be removed again.
    async fn probe<T: Send + 'static>(
        &self,
        probe: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let lost = |error| TargetError::failed("looking at the server's volumes", error);
        self.probes.spawn(probe).await.map_err(lost)?
    }

    fn way(&self) -> Result<&Way> {
        self.way.get().ok_or_else(|| {
            TargetError::failed(
                "the way to the server's volumes is not known",
                "the target was not prepared",
            )
        })
    }

    /// Refuses a request that would make a volume which nobody could remove.
    pub(super) fn check(&self, request: &CreateSandboxRequest) -> Result<()> {
        let lets_go = match self.way.get() {
            Some(Way::Engine(_)) => return Ok(()),
            Some(Way::Api { lets_go }) => *lets_go,
            None => false,
        };
        let lasting = |pvc: &&Pvc| {
            let is_ours = self.lock().contains_key(&pvc.claim_name);
            let goes = lets_go && pvc.delete_on_sandbox_termination;
            pvc.create_if_not_exists && !goes && !is_ours
        };
        let pvcs = request
            .volumes
            .iter()
            .flatten()
            .filter_map(|volume| volume.pvc.as_ref());
        match pvcs.into_iter().find(lasting) {
            Some(_) => Err(irremovable()),
            None => Ok(()),
        }
    }

    pub(super) async fn create(
        &self,
        server: &Arc<Server>,
        image: &str,
        owner: &Owner,
        name: &str,
        files: &Files,
    ) -> Result<()> {
        match self.way()? {
            Way::Engine(engine) => return engine.create_volume(owner, name, files).await,
            Way::Api { lets_go: false } => return Err(irremovable()),
            Way::Api { lets_go: true } => {}
        }
        let id = hold(server, image, owner, passing(name), false).await?;
        self.lock().insert(name.into(), id.clone());
        let permission = Permission {
            mode: Some(644),
            ..Permission::default()
        };
        let file = |(path, data): (&String, &Vec<u8>)| {
            let path = format!("{MOUNT}/{path}");
            let metadata = FileMetadata {
                path,
                permission: permission.clone(),
            };
            (metadata, data.clone().into())
        };
        let files: Vec<_> = files.iter().map(file).collect();
        if files.is_empty() {
            return Ok(());
        }
        Ok(server.client(&id).await?.upload(&files).await?)
    }

    pub(super) async fn exists(
        &self,
        server: &Arc<Server>,
        image: &str,
        owner: &Owner,
        name: &str,
    ) -> Result<bool> {
        if let Way::Engine(engine) = self.way()? {
            return engine.volume_exists(owner, name).await;
        }
        exists(server, image, owner, name).await
    }

    pub(super) async fn labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        match self.way()? {
            Way::Engine(engine) => engine.volume_labels(name).await,
            Way::Api { .. } => Err(TargetError::Impossible(
                "labels of volumes cannot be seen through the API alone; give --volumes docker"
                    .into(),
            )),
        }
    }

    pub(super) async fn read(
        &self,
        server: &Arc<Server>,
        image: &str,
        owner: &Owner,
        name: &str,
        path: &str,
    ) -> Result<Option<Vec<u8>>> {
        if let Way::Engine(engine) = self.way()? {
            return engine.read_volume(owner, name, path).await;
        }
        let holder = self.lock().get(name).cloned();
        if let Some(holder) = holder {
            return read(server, &holder, path).await;
        }
        read_once(server, image, owner, name, path).await
    }

    /// Removes a volume of `run`; one that is gone is fine.
    pub(super) async fn remove(&self, server: &Server, run: &RunId, name: &str) -> Result<()> {
        let holder = self.lock().remove(name);
        if let Some(holder) = holder {
            // The volume goes with it.
            match server.delete(&holder).await {
                Err(error) if error.api().is_some_and(|error| error.status == 404) => {}
                done => done?,
            }
        }
        match &self.engine {
            Some(engine) if self.is_through_engine() => engine.remove_volume_of(run, name).await,
            _ => Ok(()),
        }
    }

    /// Removes what an engine has of a resource that the server knows nothing of.
    pub(super) async fn forget(&self, run: &RunId, resource: &Resource) -> Result<()> {
        match &self.engine {
            Some(engine) if self.is_through_engine() => engine.remove(run, resource).await,
            _ => Ok(()),
        }
    }

    /// What is left on the engine: volumes, and containers that looked into them.
    pub(super) async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        self.probes.close();
        self.probes.wait().await;
        match (&self.engine, run) {
            (Some(engine), Some(run)) if self.is_through_engine() => engine.remains_of(run).await,
            // Somebody who cleans up after any run asks the engine itself.
            _ => Ok(Vec::new()),
        }
    }

    pub(super) async fn witness(&self, id: &str, mount_path: &str) -> Result<Witness> {
        match self.way()? {
            Way::Engine(engine) => engine.witness(id, mount_path).await,
            Way::Api { .. } => {
                let why = "the server's volumes are reached through the API alone";
                Ok(Witness::Blind(why.into()))
            }
        }
    }

    /// Whether what this run left may be on the engine; a run that was never prepared made
    /// nothing there, but one that cleans up after another may have to look.
    fn is_through_engine(&self) -> bool {
        !matches!(self.way.get(), Some(Way::Api { .. }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a volume that would outlive its run.
fn irremovable() -> TargetError {
    TargetError::Impossible(
        "a volume that outlives its sandbox cannot be removed through the API alone; give --volumes docker".into(),
    )
}
