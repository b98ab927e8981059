//! `volumes[]` as it stands on the wire.

use serde::{Deserialize, Serialize};

/// One entry of `volumes[]` (`Volume`). The wire allows zero or several backends;
/// [`CreateSandboxRequest::validate`](super::CreateSandboxRequest::validate) does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Unique within the request; a DNS label of at most 63 characters.
    pub name: String,
    /// Host directory backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// Named volume backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvc: Option<Pvc>,
    /// Alibaba Cloud OSS backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ossfs: Option<Ossfs>,
    /// Absolute path inside the sandbox.
    pub mount_path: String,
    /// Whether writes fail inside the sandbox.
    #[serde(default)]
    pub read_only: bool,
    /// Relative directory below the backend's root; empty means the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
}

/// Host path backend (`Host`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Absolute path on the host, below an allowed prefix.
    pub path: String,
}

/// Named volume backend (`PVC`): a Docker named volume, a Kubernetes PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pvc {
    /// Name of the volume, at most 253 characters.
    pub claim_name: String,
    /// Whether a missing volume is created. Default true.
    #[serde(default = "yes")]
    pub create_if_not_exists: bool,
    /// Whether a volume that was created for this sandbox goes with it. Default false.
    #[serde(default)]
    pub delete_on_sandbox_termination: bool,
    /// Kubernetes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Kubernetes only, such as `10Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Kubernetes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_modes: Option<Vec<String>>,
}

impl Volume {
    /// A volume without a backend yet, read-write at `mount_path`.
    pub fn at(name: impl Into<String>, mount_path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            mount_path: mount_path.into(),
            ..Self::default()
        }
    }
}

impl Pvc {
    /// A claim with the specification's defaults.
    pub fn claim(name: impl Into<String>) -> Self {
        Self {
            claim_name: name.into(),
            create_if_not_exists: true,
            delete_on_sandbox_termination: false,
            storage_class: None,
            storage: None,
            access_modes: None,
        }
    }
}

fn yes() -> bool {
    true
}

/// OSS backend (`OSSFS`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ossfs {
    /// Bucket, 3 to 63 characters.
    pub bucket: String,
    /// Endpoint host.
    pub endpoint: String,
    /// ossfs major version: `1.0` or `2.0` (default).
    #[serde(default = "ossfs_version")]
    pub version: String,
    /// Mount options without a leading `-`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Access key id.
    pub access_key_id: String,
    /// Access key secret.
    pub access_key_secret: String,
}

fn ossfs_version() -> String {
    "2.0".into()
}

impl std::fmt::Debug for Ossfs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The credentials must not reach a log or a report by way of `{:?}`.
        f.debug_struct("Ossfs")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .field("version", &self.version)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
