//! What a client sends to the lifecycle API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::resource::ResourceLimits;
use super::volume::Volume;

/// Body of `POST /sandboxes` (`CreateSandboxRequest`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSandboxRequest {
    /// The image to start; exclusive with `snapshotId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// The snapshot to restore; exclusive with `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// A platform that the runtime must satisfy or refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformSpec>,
    /// Seconds until the sandbox ends by itself, at least 60; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Limits; required outside pool mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_limits: Option<ResourceLimits>,
    /// Environment of the entrypoint and of every command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// User metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The entry process; required with `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Egress rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicy>,
    /// Credential proxy; needs `networkPolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_proxy: Option<CredentialProxyConfig>,
    /// Secured endpoints (Kubernetes gateway only).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secure_access: bool,
    /// Storage mounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    /// Opaque provider parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, String>,
}

/// The entrypoint that keeps a sandbox alive and does nothing: `tail -f /dev/null`.
pub fn default_entrypoint() -> Vec<String> {
    ["tail", "-f", "/dev/null"].map(String::from).to_vec()
}

/// Limits for a sandbox that does little: `cpu` 500m, `memory` 512Mi.
pub fn default_limits() -> ResourceLimits {
    let limits = [("cpu", "500m"), ("memory", "512Mi")];
    ResourceLimits(
        limits
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
    )
}

/// An image and how to get it (`ImageSpec`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// Image reference, such as `python:3.11`.
    pub uri: String,
    /// Registry credentials; never part of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<ImageAuth>,
}

/// Registry credentials (`ImageSpec.auth`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageAuth {
    /// Registry user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Registry password or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl std::fmt::Debug for ImageAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A secret must not reach a log or a report by way of `{:?}`.
        f.write_str("ImageAuth(***)")
    }
}

/// A platform constraint (`PlatformSpec`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformSpec {
    /// `linux` or `windows`.
    pub os: String,
    /// `amd64` or `arm64`.
    pub arch: String,
}

/// Egress rules (`NetworkPolicy`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkPolicy {
    /// What happens to a target that no rule names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_action: Option<NetworkAction>,
    /// Rules in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<NetworkRule>,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkAction {
    /// Let it pass.
    Allow,
    /// Refuse it.
    Deny,
}

/// One egress rule (`NetworkRule`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRule {
    /// What to do.
    pub action: NetworkAction,
    /// Domain or wildcard domain.
    pub target: String,
}

/// Credential proxy settings (`CredentialProxyConfig`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialProxyConfig {
    /// Whether to start it.
    #[serde(default)]
    pub enabled: bool,
}

/// Body of `POST /sandboxes/{id}/renew-expiration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenewRequest {
    /// The new expiry, in the future and after the current one.
    pub expires_at: Timestamp,
}

/// Answer to a renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenewResponse {
    /// The expiry now in force.
    pub expires_at: Timestamp,
}
