//! The lifecycle API's data model (`specs/sandbox-lifecycle.yml`) and the validation of what it
//! accepts.
//!
//! The wire types ([`CreateSandboxRequest`], [`Volume`], [`SandboxInfo`], …) mirror the
//! specification field by field: the same names, the same defaults, unknown members refused.
//! [`CreateSandboxRequest::validate`] turns the wire form into [`ValidRequest`], where a broken
//! request can no longer be expressed: every [`Mount`] has exactly one [`Backend`].
//!
//! Pure code: nothing here talks to an engine.

mod error;
mod exchange;
mod info;
mod request;
mod resource;
mod secret;
mod snapshot;
mod validate;
mod volume;

pub use error::ApiError;
pub use exchange::{ApiAnswer, ApiRequest, Exchange};
pub(crate) use exchange::{LARGEST_ANSWER, patience};
pub use info::{
    Endpoint, ListQuery, Pagination, SandboxInfo, SandboxPage, SandboxState, SandboxStatus,
};
pub use request::{
    CreateSandboxRequest, CredentialProxyConfig, ImageAuth, ImageSpec, NetworkAction,
    NetworkPolicy, NetworkRule, PlatformSpec, RenewRequest, RenewResponse, default_entrypoint,
    default_limits,
};
pub use resource::{Quantity, ResourceLimits};
pub(crate) use secret::{STRUCK, secrets};
pub use snapshot::{
    CreateSnapshotRequest, Snapshot, SnapshotPage, SnapshotQuery, SnapshotState, SnapshotStatus,
};
pub use validate::{Backend, Mount, ValidRequest};
pub use volume::{Host, Ossfs, Pvc, Volume};
