//! Any OpenSandbox server, over its lifecycle API (`specs/sandbox-lifecycle.yml`), and the execd of
//! each of its sandboxes.
//!
//! Everything that a server may do wrong is an error that says so, with the request and the answer
//! as evidence; see [`TargetError::Misbehaved`]. Every sandbox
//! carries the run's mark in its metadata, which scenarios do not see. Volumes are prepared and
//! looked at through the Docker engine below the server where that can be reached, else through
//! the API alone; see [`VolumeAccess`].

mod address;
mod connect;
mod holder;
mod http;
mod mark;
mod probe;
mod reach;
mod sandbox;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::execd::Execd;
use crate::sandbox::{
    ApiAnswer, ApiRequest, CreateSandboxRequest, CreateSnapshotRequest, Endpoint, ListQuery,
    RenewRequest, RenewResponse, SandboxInfo, SandboxPage, Snapshot, SnapshotPage, SnapshotQuery,
};

use super::docker::Progress;
use super::host::{self, Allowlist};
use super::{
    Capability, Files, Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo,
    Witness,
};
use address::Address;
use http::Http;
use reach::ServerExecd;
use sandbox::Server;
use volume::Volumes;

pub use volume::VolumeAccess;

/// Image of sandboxes where nobody named one and none can be assembled on the server's engine.
const IMAGE: &str = "ubuntu";

/// How the target is set up.
#[derive(Clone, Default)]
pub struct ServerConfig {
    /// `http://HOST:PORT` or `https://HOST:PORT`; the API is below `/v1` unless it has a path.
    pub address: String,
    /// The API key, if the server wants one.
    pub api_key: Option<String>,
    /// Whether sandboxes are reached through the server's own proxy.
    pub proxy: bool,
    /// How volumes are prepared and looked at from outside.
    pub volumes: VolumeAccess,
    /// Image of sandboxes whose request names none.
    pub image: Option<String>,
    /// Directories of this machine that are the server's too, and below which it allows `host`
    /// volumes.
    pub allowed_host_paths: Vec<PathBuf>,
    /// Where progress is told.
    pub progress: Option<Progress>,
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("address", &self.address)
            .field("proxy", &self.proxy)
            .field("volumes", &self.volumes)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

/// A server as a target.
#[derive(Debug)]
pub struct ServerTarget {
    server: Arc<Server>,
    volumes: Volumes,
    info: OnceLock<TargetInfo>,
    unprepared: TargetInfo,
}

impl ServerTarget {
    /// Finds out whether an OpenSandbox server answers at the configured address and lets us in.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`] where it does not, with what to do;
    /// [`TargetError::Impossible`] where the configuration cannot hold.
    pub async fn connect(config: ServerConfig) -> Result<Self> {
        let address = Address::parse(&config.address)?;
        let allowlist = Allowlist::new(&config.allowed_host_paths)?;
        let key = config.api_key.as_deref().filter(|key| !key.is_empty());
        let server = Server::new(Http::new(address, key)?, config.proxy);
        server.greet().await?;
        let volumes = Volumes::new(config.volumes, &config).await?;
        let mut capabilities: BTreeSet<_> = [
            Capability::Commands,
            Capability::Files,
            Capability::VolumesPvc,
            Capability::VolumesPvcSubPath,
            Capability::Images,
            Capability::Pause,
            Capability::Renew,
            Capability::Metadata,
            Capability::Endpoints,
        ]
        .into();
        if !allowlist.is_empty() {
            capabilities.insert(Capability::VolumesHost);
        }
        let unprepared = TargetInfo {
            name: "server".into(),
            locator: config.address.clone(),
            description: format!("OpenSandbox server at {}", server.http.address),
            image: config.image.clone().unwrap_or_else(|| IMAGE.into()),
            volume_kind: "Docker".into(),
            host_root: allowlist.first(),
            capabilities,
        };
        Ok(Self {
            server: Arc::new(server),
            volumes,
            info: OnceLock::new(),
            unprepared,
        })
    }
}

#[async_trait]
impl Target for ServerTarget {
    fn info(&self) -> &TargetInfo {
        self.info.get().unwrap_or(&self.unprepared)
    }

    async fn prepare(&self) -> Result<()> {
        if self.info.get().is_some() {
            return Ok(());
        }
        let prepared = self.volumes.prepare(&self.server, &self.unprepared).await?;
        self.info.get_or_init(|| prepared);
        Ok(())
    }

    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo> {
        self.volumes.check(request)?;
        Server::create(&self.server, handle, request).await
    }

    async fn get(&self, id: &str) -> Result<SandboxInfo> {
        self.server.get(id).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.server.delete(id).await
    }

    async fn execd(&self, id: &str) -> Result<Arc<dyn Execd>> {
        Ok(Arc::new(ServerExecd::new(&self.server, id)))
    }

    async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        self.server.list(query).await
    }

    async fn pause(&self, id: &str) -> Result<()> {
        self.server.pause(id).await
    }

    async fn resume(&self, id: &str) -> Result<()> {
        Server::resume(&self.server, id).await
    }

    async fn renew(&self, id: &str, request: &RenewRequest) -> Result<RenewResponse> {
        let path = format!("{}/renew-expiration", sandbox::path(id));
        self.server
            .http
            .send(Method::POST, &path, Some(request))
            .await?
            .json()
    }

    async fn patch_metadata(
        &self,
        id: &str,
        patch: &BTreeMap<String, Option<String>>,
    ) -> Result<SandboxInfo> {
        let path = format!("{}/metadata", sandbox::path(id));
        let reply = self
            .server
            .http
            .send(Method::PATCH, &path, Some(patch))
            .await?;
        reply.json().map(mark::hide)
    }

    async fn endpoint(&self, id: &str, port: u16) -> Result<Endpoint> {
        self.server.endpoint(id, port).await
    }

    async fn create_snapshot(&self, id: &str, request: &CreateSnapshotRequest) -> Result<Snapshot> {
        let path = format!("{}/snapshots", sandbox::path(id));
        self.server
            .http
            .send(Method::POST, &path, Some(request))
            .await?
            .json()
    }

    async fn get_snapshot(&self, id: &str) -> Result<Snapshot> {
        let path = format!("/snapshots/{}", sandbox::segment(id));
        self.server.http.ask(Method::GET, &path).await?.json()
    }

    async fn list_snapshots(&self, query: &SnapshotQuery) -> Result<SnapshotPage> {
        let path = listing(query);
        self.server.http.ask(Method::GET, &path).await?.json()
    }

    async fn delete_snapshot(&self, id: &str) -> Result<()> {
        let path = format!("/snapshots/{}", sandbox::segment(id));
        self.server.http.ask(Method::DELETE, &path).await.map(drop)
    }

    async fn request(&self, request: &ApiRequest) -> Result<Option<ApiAnswer>> {
        let context = || format!("{} {} is no request", request.method, request.path);
        let method = Method::try_from(request.method.as_str())
            .map_err(|error| TargetError::failed(context(), error))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name)
                .map_err(|error| TargetError::failed(context(), error))?;
            let value = HeaderValue::try_from(value)
                .map_err(|error| TargetError::failed(context(), error))?;
            headers.append(name, value);
        }
        let body = request.body.clone().into();
        let reply = self
            .server
            .http
            .exchange(method, &request.path, headers, body)
            .await?;
        Ok(Some(reply.answer()))
    }

    async fn witness(&self, id: &str, mount_path: &str) -> Result<Witness> {
        self.volumes.witness(id, mount_path).await
    }

    async fn create_volume(&self, owner: &Owner, name: &str, files: &Files) -> Result<()> {
        let image = &self.info().image;
        self.volumes
            .create(&self.server, image, owner, name, files)
            .await
    }

    async fn volume_exists(&self, owner: &Owner, name: &str) -> Result<bool> {
        self.volumes
            .exists(&self.server, &self.info().image, owner, name)
            .await
    }

    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        self.volumes.labels(name).await
    }

    async fn read_volume(&self, owner: &Owner, name: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let image = &self.info().image;
        self.volumes
            .read(&self.server, image, owner, name, path)
            .await
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
            Resource::Sandbox(name) => {
                self.server.remove(run, name).await?;
                self.volumes.forget(run, resource).await
            }
            Resource::Snapshot(id) => match self.delete_snapshot(id).await {
                Err(error) if error.api().is_some_and(|error| error.status == 404) => Ok(()),
                done => done,
            },
            Resource::Volume(name) => self.volumes.remove(&self.server, run, name).await,
            Resource::HostDir(path) => host::remove(run, Path::new(path)),
        }
    }

    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let mut remains = self.server.remains(run).await?;
        remains.extend(self.volumes.remains(run).await?);
        Ok(remains)
    }
}

/// Path and query of a list of snapshots.
fn listing(query: &SnapshotQuery) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    if let Some(id) = &query.sandbox_id {
        pairs.append_pair("sandboxId", id);
    }
    for state in &query.state {
        pairs.append_pair("state", state);
    }
    pairs.append_pair("page", &query.page.to_string());
    pairs.append_pair("pageSize", &query.page_size.to_string());
    format!("/snapshots?{}", pairs.finish())
}
