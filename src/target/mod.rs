//! What is tested: the [`Target`] trait, the capabilities a target declares, and the targets that
//! are built in.
//!
//! A target speaks the lifecycle API's language ([`crate::sandbox`]), hands out each sandbox's
//! [`Execd`], lets scenarios prepare and look at volumes from outside, and removes what a run
//! created. It never decides a verdict.

mod agent;
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
mod record;
mod request;
mod scope;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use crate::execd::Execd;
use crate::sandbox::{
    CreateSandboxRequest, Endpoint, ListQuery, RenewRequest, RenewResponse, SandboxInfo,
    SandboxPage,
};

pub use capability::{Capability, UnknownCapability};
pub use error::TargetError;
pub use ledger::{DeadRun, Ledger, LedgerError, state_folder};
pub use owner::{Handle, Owner, Resource, RunId};
pub use scope::Scope;

/// Most processes of one sandbox at once, where the target makes it itself: enough for any
/// scenario, and the end of a fork bomb.
const PROCESSES: u64 = 1024;

/// How long a sandbox's agent may take until it answers.
const READY: std::time::Duration = std::time::Duration::from_secs(60);

/// What a target says about itself.
#[derive(Debug, Clone)]
pub struct TargetInfo {
    /// Short name, used in trial names and reports: `docker`.
    pub name: String,
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

    /// Makes a named volume from outside and fills it, its files owned by root with mode 644.
    async fn create_volume(&self, _owner: &Owner, _name: &str, _files: &Files) -> Result<()> {
        Err(TargetError::unsupported("preparing volumes"))
    }

    /// Whether a named volume exists, seen from outside.
    async fn volume_exists(&self, _name: &str) -> Result<bool> {
        Err(TargetError::unsupported("looking at volumes"))
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

    /// Removes one object that a run recorded in its ledger; one that is gone, was never made, or
    /// does not carry the run's mark is left alone and is no error.
    async fn remove(&self, run: &RunId, resource: &Resource) -> Result<()>;

    /// Everything on the target that carries the mark of `run`, or of any run where `None`.
    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>>;
}
