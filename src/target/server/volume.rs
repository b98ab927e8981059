//! Volumes of a server, prepared and looked at from outside its sandboxes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Method;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::execd::ExecdError;
use crate::execd::protocol::{FileMetadata, Permission};
use crate::sandbox::{
    CreateSandboxRequest, ImageSpec, Pvc, SandboxInfo, Volume, default_entrypoint, default_limits,
};
use crate::target::docker::{DockerConfig, DockerTarget};
use crate::target::{
    Files, Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo, Witness,
};

use super::ServerConfig;
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

/// Where the volume is in a sandbox of ours.
const MOUNT: &str = "/osb-volume";

/// Seconds that a sandbox of ours lives at most, in case that nobody removes it.
const TIMEOUT: i64 = 3600;

/// The way that was found, once the target is prepared.
#[derive(Debug)]
enum Way {
    Engine(Arc<DockerTarget>),
    Api,
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
            holders: Mutex::default(),
        })
    }

    /// Finds the way to the volumes, and what the target is called with it.
    pub(super) async fn prepare(&self, server: &Server, info: &TargetInfo) -> Result<TargetInfo> {
        let (way, why) = match (&self.engine, self.access) {
            (None, _) => (Way::Api, self.without_engine.clone()),
            (Some(engine), VolumeAccess::Docker) => {
                (Way::Engine(Arc::clone(engine)), "--volumes docker".into())
            }
            (Some(engine), _) => match self.shares(server, engine, info).await? {
                Ok(()) => (
                    Way::Engine(Arc::clone(engine)),
                    "the server's volumes are on it".into(),
                ),
                Err(why) => (Way::Api, why),
            },
        };
        let mut prepared = info.clone();
        let through = match &way {
            Way::Engine(engine) => {
                if self.image.is_none() {
                    engine.prepare().await?;
                    prepared.image.clone_from(&engine.info().image);
                }
                format!("volumes through {}", engine.info().description)
            }
            Way::Api => "volumes through the API alone".into(),
        };
        prepared.description = format!("{}, {through} ({why})", info.description);
        // Prepared once.
        let _ = self.way.set(way);
        Ok(prepared)
    }

    /// Whether the server finds a volume that we make on `engine`; if not, why. Nothing is made
    /// for it: of two volumes that must exist the second never does, and the refusal names the one
    /// that the server misses.
    async fn shares(
        &self,
        server: &Server,
        engine: &DockerTarget,
        info: &TargetInfo,
    ) -> Result<Result<(), String>> {
        // An image that a server on this engine has, in case that it looks for that first.
        let image = match &self.image {
            Some(_) => &info.image,
            None => {
                engine.prepare().await?;
                &engine.info().image
            }
        };
        let owner = Owner::this_process();
        let [there, missing] = ["there", "missing"]
            .map(|what| format!("osb-{}-{what}-{}", owner.run, Uuid::new_v4().simple()));
        let volume = |name: &str, claim: &str| Volume {
            pvc: Some(Pvc {
                create_if_not_exists: false,
                ..Pvc::claim(claim)
            }),
            ..Volume::at(name, format!("/{name}"))
        };
        let request = CreateSandboxRequest {
            volumes: Some(vec![volume("there", &there), volume("missing", &missing)]),
            ..ours(image)
        };
        engine.create_volume(&owner, &there, &Files::new()).await?;
        let answered = server
            .http
            .send(Method::POST, "/sandboxes", Some(&request))
            .await;
        engine
            .remove(&owner.run, &Resource::Volume(there.clone()))
            .await?;
        Ok(match answered {
            Err(TargetError::Api(error)) if error.message.contains(&missing) => Ok(()),
            Err(TargetError::Api(error)) if error.message.contains(&there) => {
                Err("the server does not see the volumes of the engine here".into())
            }
            Err(TargetError::Api(error)) => Err(format!(
                "the server does not tell whether its volumes are on the engine here: {error}"
            )),
            Err(other) => return Err(other),
            Ok(reply) => {
                let created: SandboxInfo = reply.json()?;
                server.delete(&created.id).await?;
                Err("the server makes volumes that must exist, so nothing can be told of the engine here".into())
            }
        })
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
        if let Some(Way::Engine(_)) = self.way.get() {
            return Ok(());
        }
        let lasting = |pvc: &&Pvc| {
            let is_ours = self.lock().contains_key(&pvc.claim_name);
            pvc.create_if_not_exists && !pvc.delete_on_sandbox_termination && !is_ours
        };
        let pvcs = request
            .volumes
            .iter()
            .flatten()
            .filter_map(|volume| volume.pvc.as_ref());
        match pvcs.into_iter().find(lasting) {
            Some(_) => Err(TargetError::Impossible(
                "a volume that outlives its sandbox cannot be removed through the API alone; give --volumes docker".into(),
            )),
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
        if let Way::Engine(engine) = self.way()? {
            return engine.create_volume(owner, name, files).await;
        }
        let pvc = Pvc {
            delete_on_sandbox_termination: true,
            ..Pvc::claim(name)
        };
        let id = self.hold(server, image, owner, pvc, false).await?;
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

    /// Makes a sandbox of ours that mounts a volume, and answers its id.
    async fn hold(
        &self,
        server: &Arc<Server>,
        image: &str,
        owner: &Owner,
        pvc: Pvc,
        read_only: bool,
    ) -> Result<String> {
        let unique = Uuid::new_v4().simple().to_string();
        let handle = Handle::new(owner.clone(), format!("osb-{}-volume-{unique}", owner.run));
        let request = CreateSandboxRequest {
            volumes: Some(vec![Volume {
                pvc: Some(pvc),
                read_only,
                ..Volume::at("volume", MOUNT)
            }]),
            ..ours(image)
        };
        match Server::create(server, &handle, &request).await {
            Ok(info) => Ok(info.id),
            Err(error) => {
                // Nobody else knows of it; the first error is the one to tell.
                let _ = server.remove(&owner.run, &handle.name).await;
                Err(error)
            }
        }
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
        let pvc = Pvc {
            create_if_not_exists: false,
            ..Pvc::claim(name)
        };
        match self.hold(server, image, owner, pvc, true).await {
            Ok(id) => server.delete(&id).await.map(|()| true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        match self.way()? {
            Way::Engine(engine) => engine.volume_labels(name).await,
            Way::Api => Err(TargetError::Impossible(
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
        let pvc = Pvc {
            create_if_not_exists: false,
            ..Pvc::claim(name)
        };
        let id = match self.hold(server, image, owner, pvc, true).await {
            Ok(id) => id,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let data = read(server, &id, path).await;
        server.delete(&id).await.and(data)
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
        match (&self.engine, run) {
            (Some(engine), Some(run)) if self.is_through_engine() => engine.remains_of(run).await,
            // Somebody who cleans up after any run asks the engine itself.
            _ => Ok(Vec::new()),
        }
    }

    pub(super) async fn witness(&self, id: &str, mount_path: &str) -> Result<Witness> {
        match self.way()? {
            Way::Engine(engine) => engine.witness(id, mount_path).await,
            Way::Api => {
                let why = "the server's volumes are reached through the API alone";
                Ok(Witness::Blind(why.into()))
            }
        }
    }

    /// Whether what this run left may be on the engine; a run that was never prepared made
    /// nothing there, but one that cleans up after another may have to look.
    fn is_through_engine(&self) -> bool {
        !matches!(self.way.get(), Some(Way::Api))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request for a sandbox of ours, without volumes.
fn ours(image: &str) -> CreateSandboxRequest {
    CreateSandboxRequest {
        image: Some(ImageSpec {
            uri: image.into(),
            auth: None,
        }),
        entrypoint: Some(default_entrypoint()),
        resource_limits: Some(default_limits()),
        timeout: Some(TIMEOUT),
        ..CreateSandboxRequest::default()
    }
}

/// Reads a file of the volume that the sandbox `id` of ours holds.
async fn read(server: &Server, id: &str, path: &str) -> Result<Option<Vec<u8>>> {
    let path = format!("{MOUNT}/{}", path.trim_start_matches('/'));
    match server.client(id).await?.download(&path).await {
        Ok(data) => Ok(Some(data.into())),
        Err(ExecdError::Api { status: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a create request was refused because the volume that it must find is not there.
fn is_not_found(error: &TargetError) -> bool {
    let not_found = |code: &str| code.contains("NOT_FOUND");
    error
        .api()
        .is_some_and(|error| error.status < 500 && not_found(&error.code))
}
