//! What is tested: the [`Target`] trait, the capabilities a target declares, and the targets that
//! are built in.
//!
//! A target speaks the lifecycle API's language ([`crate::sandbox`]), hands out each sandbox's
//! [`Execd`], lets scenarios prepare and look at volumes from outside, and removes what a run
//! created. It never decides a verdict.

mod capability;
#[cfg_attr(not(target_os = "linux"), path = "no_directory.rs")]
mod directory;
pub mod docker;
mod error;
mod host;
mod ledger;
#[cfg(target_os = "linux")]
pub mod local;
mod owner;
mod reach;
mod record;
mod request;
mod scope;
pub mod server;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use crate::execd::{Execd, ForwardRequest, ForwardResponse};
use crate::sandbox::{
    ApiAnswer, ApiError, ApiRequest, CreateSandboxRequest, CreateSnapshotRequest, Endpoint,
    ListQuery, RenewRequest, RenewResponse, SandboxInfo, SandboxPage, Snapshot, SnapshotPage,
    SnapshotQuery,
};

pub use capability::{Capability, UnknownCapability};
pub use error::{TargetError, in_full};
pub use ledger::{DeadRun, Ledger, LedgerError, state_folder};
pub use owner::{Acceptance, Handle, Owner, Resource, RunId};
pub use scope::{Remainder, Scope, settle};
pub use witness::{SeenMount, Witness};

/// Most processes of one sandbox at once, where the target makes it itself: enough for any
/// scenario, and the end of a fork bomb.
const PROCESSES: u64 = 1024;

/// How long a sandbox's agent may take until it answers.
const READY: std::time::Duration = std::time::Duration::from_secs(60);

/// 501 for a target without snapshots.
fn no_snapshots() -> TargetError {
    let message = "snapshots are not supported here";
    ApiError::new(501, "SNAPSHOT::NOT_IMPLEMENTED", message).into()
}

/// What a target says about itself.
#[derive(Debug, Clone)]
pub struct TargetInfo {
    /// Short name, used in trial names and reports: `docker`.
    pub name: String,
    /// How the command line names it: `docker`, or a server's address.
    pub locator: String,
    /// One line for a person: engine, version, address.
    pub description: String,
    /// The image that a sandbox gets when a scenario names none, as a person would name it.
    pub image: String,
    /// What a volume is called there, before "volume" and "named volume": `Docker`.
    pub volume_kind: String,
    /// Folder on the sandboxes' host, inside of the target's allowlist, below which scenarios'
    /// host directories are made; `None` where there is none.
    pub host_root: Option<String>,
    /// What it can do; a scenario that requires more is skipped.
    pub capabilities: BTreeSet<Capability>,
}

/// A file that a volume or host directory is prepared with: path below its root, and content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The result of a target's operation. `Err(TargetError::Api(_))` is an answer; any other error
/// means that there was none.
pub type Result<T, E = TargetError> = std::result::Result<T, E>;

/// An implementation of OpenSandbox under test.
///
/// Operations that a target does not offer keep their default, which answers 501; the target then
/// leaves the [`Capability`] out of [`TargetInfo::capabilities`], so that no scenario calls it.
#[async_trait]
pub trait Target: Send + Sync {
    /// What this target is and can do.
    fn info(&self) -> &TargetInfo;

    /// Gets ready for sandboxes, such as by pulling the default image. Awaited once, before the
    /// first scenario and outside of its time.
    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    /// Creates a sandbox and waits until it runs and its execd answers (`POST /sandboxes`).
    /// The engine's object carries the labels of `handle`'s owner and its name.
    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo>;

    /// Describes a sandbox (`GET /sandboxes/{id}`).
    async fn get(&self, id: &str) -> Result<SandboxInfo>;

    /// Removes a sandbox (`DELETE /sandboxes/{id}`).
    async fn delete(&self, id: &str) -> Result<()>;

    /// The way to a sandbox's execd.
    async fn execd(&self, id: &str) -> Result<Arc<dyn Execd>>;

    /// Lists sandboxes (`GET /sandboxes`).
    async fn list(&self, _query: &ListQuery) -> Result<SandboxPage> {
        Err(TargetError::unsupported("list"))
    }

    /// Freezes a sandbox (`POST /sandboxes/{id}/pause`) and waits until it is paused.
    async fn pause(&self, _id: &str) -> Result<()> {
        Err(TargetError::unsupported("pause"))
    }

    /// Thaws a sandbox (`POST /sandboxes/{id}/resume`) and waits until it runs.
    async fn resume(&self, _id: &str) -> Result<()> {
        Err(TargetError::unsupported("resume"))
    }

    /// Moves a sandbox's expiry (`POST /sandboxes/{id}/renew-expiration`).
    async fn renew(&self, _id: &str, _request: &RenewRequest) -> Result<RenewResponse> {
        Err(TargetError::unsupported("renew"))
    }

    /// Merges a metadata patch (`PATCH /sandboxes/{id}/metadata`); `None` deletes a key.
    async fn patch_metadata(
        &self,
        _id: &str,
        _patch: &BTreeMap<String, Option<String>>,
    ) -> Result<SandboxInfo> {
        Err(TargetError::unsupported("metadata patch"))
    }

    /// Where a port of a sandbox is reached (`GET /sandboxes/{id}/endpoints/{port}`).
    async fn endpoint(&self, _id: &str, _port: u16) -> Result<Endpoint> {
        Err(TargetError::unsupported("endpoints"))
    }

    /// Passes a request on to a port inside of a sandbox, as a server's proxy does.
    async fn forward(
        &self,
        _id: &str,
        _port: u16,
        _request: ForwardRequest,
    ) -> Result<ForwardResponse> {
        Err(TargetError::unsupported("the proxy"))
    }

    /// Begins to capture a sandbox (`POST /sandboxes/{id}/snapshots`).
    async fn create_snapshot(&self, _id: &str, _: &CreateSnapshotRequest) -> Result<Snapshot> {
        Err(no_snapshots())
    }

    /// Describes a snapshot (`GET /snapshots/{id}`).
    async fn get_snapshot(&self, _id: &str) -> Result<Snapshot> {
        Err(no_snapshots())
    }

    /// Lists snapshots (`GET /snapshots`).
    async fn list_snapshots(&self, _query: &SnapshotQuery) -> Result<SnapshotPage> {
        Err(no_snapshots())
    }

    /// Removes a snapshot (`DELETE /snapshots/{id}`).
    async fn delete_snapshot(&self, _id: &str) -> Result<()> {
        Err(no_snapshots())
    }

    /// Sends a request to the lifecycle API as it is. `None` where the target has no such API of
    /// its own; whoever asks then puts [`crate::serve`] in front of it.
    async fn request(&self, _request: &ApiRequest) -> Result<Option<ApiAnswer>> {
        Ok(None)
    }

    /// What the engine below the target says of what the sandbox has mounted at `mount_path`.
    async fn witness(&self, _id: &str, _mount_path: &str) -> Result<Witness> {
        let why = "the target has no engine below it that could be asked";
        Ok(Witness::Blind(why.into()))
    }

    /// Makes a named volume from outside and fills it, its files owned by root with mode 644.
    async fn create_volume(&self, _owner: &Owner, _name: &str, _files: &Files) -> Result<()> {
        Err(TargetError::unsupported("preparing volumes"))
    }

    /// Whether a named volume exists, seen from outside.
    async fn volume_exists(&self, _owner: &Owner, _name: &str) -> Result<bool> {
        Err(TargetError::unsupported("looking at volumes"))
    }

    /// The labels of a named volume, seen from outside; `None` where there is no such volume.
    async fn volume_labels(&self, _name: &str) -> Result<Option<BTreeMap<String, String>>> {
        let why = "labels of volumes cannot be seen from outside on this target";
        Err(TargetError::Impossible(why.into()))
    }

    /// Reads a file of a named volume from outside; `None` where it does not exist.
    async fn read_volume(
        &self,
        _owner: &Owner,
        _name: &str,
        _path: &str,
    ) -> Result<Option<Vec<u8>>> {
        Err(TargetError::unsupported("looking at volumes"))
    }

    /// Makes the directory `path`, below [`TargetInfo::host_root`], on the sandboxes' host and
    /// fills it.
    async fn create_host_dir(&self, _path: &str, _files: &Files) -> Result<()> {
        Err(TargetError::unsupported("host directories"))
    }

    /// Paths of every file and directory in such a directory, seen from the host.
    async fn list_host_dir(&self, _path: &str) -> Result<BTreeSet<String>> {
        Err(TargetError::unsupported("host directories"))
    }

    /// The content of the file `file` of such a directory, seen from the host; `None` where there
    /// is no such file. No link leads out of the directory.
    async fn read_host_dir(&self, _path: &str, _file: &str) -> Result<Option<Vec<u8>>> {
        Err(TargetError::unsupported("host directories"))
    }

    /// Removes one object that a run recorded in its ledger; one that is gone, was never made, or
    /// does not carry the run's mark is left alone and is no error.
    async fn remove(&self, run: &RunId, resource: &Resource) -> Result<()>;

    /// Everything on the target that carries the mark of `run`, or of any run where `None`.
    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>>;
}
