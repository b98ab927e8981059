//! The rules of `CreateSandboxRequest`, in the order in which a server applies them: lexical
//! checks of every entry first, so that a refused request has touched nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ApiError;
use super::request::{CreateSandboxRequest, ImageSpec, default_entrypoint};
use super::resource::Quantity;
use super::volume::{Host, Ossfs, Pvc, Volume};

mod backend;
#[cfg(test)]
mod tests;

use backend::{check_host, check_ossfs, check_pvc, is_dns_label};

/// Longest `timeout`: a hundred years, in seconds. More cannot be a date.
const MAX_TIMEOUT: i64 = 100 * 365 * 24 * 3600;

/// What a sandbox is made from and with, once every rule holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidRequest {
    /// The image; `None` when a snapshot is restored.
    pub image: Option<ImageSpec>,
    /// The snapshot; `None` when an image is started.
    pub snapshot_id: Option<String>,
    /// The entry process, never empty.
    pub entrypoint: Vec<String>,
    /// Seconds until expiry; `None` for manual clean-up.
    pub timeout: Option<u64>,
    /// Limits in machine units.
    pub limits: Quantity,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Metadata as given.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Mounts, their names unique.
    pub mounts: Vec<Mount>,
}

/// One volume with exactly one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The entry's name.
    pub name: String,
    /// Where the data lives.
    pub backend: Backend,
    /// Absolute path inside the sandbox.
    pub mount_path: String,
    /// Whether the kernel refuses writes.
    pub read_only: bool,
    /// Normalised relative path without `.`, `..` or empty components; `None` for the root.
    pub sub_path: Option<String>,
}

/// Where a volume's data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A host directory.
    Host(Host),
    /// A named volume.
    Pvc(Pvc),
    /// An OSS bucket.
    Ossfs(Ossfs),
}

impl CreateSandboxRequest {
    /// Checks every rule that needs no engine.
    ///
    /// # Errors
    /// The 400 of the first rule that is broken, with the code of `requirements.md` part C for
    /// volumes and `SANDBOX::INVALID_PARAMETER` for the rest; the message names the value.
    pub fn validate(&self) -> Result<ValidRequest, ApiError> {
        let refuse = |message: &str| Err(ApiError::invalid_parameter(message));
        let image = self
            .image
            .clone()
            .filter(|image| !image.uri.trim().is_empty());
        match (&image, &self.snapshot_id) {
            (None, None) => return refuse("one of image and snapshotId is required"),
            (Some(_), Some(_)) => return refuse("image and snapshotId exclude each other"),
            (Some(_), None) if self.entrypoint.is_none() => {
                return refuse("entrypoint is required with image");
            }
            _ => {}
        }
        let entrypoint = self.entrypoint.clone().unwrap_or_else(default_entrypoint);
        if entrypoint.is_empty() {
            return refuse("entrypoint must have at least one item");
        }
        let Some(limits) = &self.resource_limits else {
            return refuse("resourceLimits is required");
        };
        let limits = limits.quantity()?;
        let proxied = self
            .credential_proxy
            .as_ref()
            .is_some_and(|proxy| proxy.enabled);
        if proxied && self.network_policy.is_none() {
            return refuse("credentialProxy.enabled needs networkPolicy");
        }
        Ok(ValidRequest {
            image,
            snapshot_id: self.snapshot_id.clone(),
            entrypoint,
            timeout: self.timeout.map(timeout).transpose()?,
            limits,
            env: self.env.clone(),
            metadata: self.metadata.clone(),
            mounts: mounts(self.volumes.as_deref().unwrap_or_default())?,
        })
    }
}

fn timeout(seconds: i64) -> Result<u64, ApiError> {
    match u64::try_from(seconds) {
        Ok(valid) if (60..=MAX_TIMEOUT).contains(&seconds) => Ok(valid),
        _ => Err(ApiError::invalid_parameter(format!(
            "timeout {seconds} is not between 60 and {MAX_TIMEOUT} seconds"
        ))),
    }
}

fn mounts(volumes: &[Volume]) -> Result<Vec<Mount>, ApiError> {
    let mut names = BTreeSet::new();
    let mut paths = BTreeSet::new();
    volumes
        .iter()
        .map(|volume| {
            let name = &volume.name;
            if !names.insert(name.as_str()) {
                let message = format!("volume name \"{name}\" is used twice");
                return Err(ApiError::bad_request("VOLUME::DUPLICATE_NAME", message));
            }
            let mount = mount(volume)?;
            if !paths.insert(comparable(&mount.mount_path)) {
                let message = format!(
                    "volume \"{name}\": mountPath \"{}\" is used twice",
                    mount.mount_path
                );
                return Err(ApiError::bad_request("VOLUME::INVALID_MOUNT_PATH", message));
            }
            Ok(mount)
        })
        .collect()
}

fn mount(volume: &Volume) -> Result<Mount, ApiError> {
    let name = &volume.name;
    let refuse = |code: &str, what: String| {
        Err(ApiError::bad_request(
            code,
            format!("volume \"{name}\": {what}"),
        ))
    };
    if name.len() > 63 || !is_dns_label(name) {
        return refuse(
            "VOLUME::INVALID_NAME",
            "name must be a DNS label of at most 63 characters".into(),
        );
    }
    let path = &volume.mount_path;
    if !path.starts_with('/') || path.contains('\0') {
        return refuse(
            "VOLUME::INVALID_MOUNT_PATH",
            format!("mountPath \"{path}\" must start with \"/\""),
        );
    }
    if comparable(path).is_empty() || path.split('/').any(|part| part == "..") {
        return refuse(
            "VOLUME::INVALID_MOUNT_PATH",
            format!("mountPath \"{path}\" must be a directory below \"/\", without \"..\""),
        );
    }
    let sub_path = match volume.sub_path.as_deref().map(normal_sub_path) {
        None => None,
        Some(Some(normal)) => Some(normal).filter(|normal| !normal.is_empty()),
        Some(None) => {
            let given = volume.sub_path.as_deref().unwrap_or_default();
            return refuse(
                "VOLUME::INVALID_SUB_PATH",
                format!(
                    "subPath \"{given}\" must be relative, without \"..\" components and zero bytes"
                ),
            );
        }
    };
    let backend = match (&volume.host, &volume.pvc, &volume.ossfs) {
        (Some(host), None, None) => Backend::Host(host.clone()),
        (None, Some(pvc), None) => Backend::Pvc(pvc.clone()),
        (None, None, Some(ossfs)) => Backend::Ossfs(ossfs.clone()),
        (None, None, None) => {
            return refuse(
                "VOLUME::INVALID_BACKEND",
                "one of host, pvc and ossfs is required".into(),
            );
        }
        _ => {
            return refuse(
                "VOLUME::INVALID_BACKEND",
                "only one of host, pvc and ossfs may be set".into(),
            );
        }
    };
    let checked = match &backend {
        Backend::Host(host) => check_host(host),
        Backend::Pvc(pvc) => check_pvc(pvc),
        Backend::Ossfs(ossfs) => check_ossfs(ossfs),
    };
    if let Err((code, what)) = checked {
        return refuse(code, what);
    }
    Ok(Mount {
        name: name.clone(),
        backend,
        mount_path: path.clone(),
        read_only: volume.read_only,
        sub_path,
    })
}

/// The components of a legal `subPath` joined anew, or `None` for one that is absolute or climbs.
fn normal_sub_path(given: &str) -> Option<String> {
    if given.starts_with('/') || given.contains('\0') {
        return None;
    }
    let parts: Vec<_> = given
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// A mount path without doubled or trailing slashes, so that equal places compare equal.
fn comparable(path: &str) -> String {
    path.split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect::<Vec<_>>()
        .join("/")
}
