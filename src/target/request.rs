//! What a target that makes sandboxes itself refuses of a request that is valid.

use crate::sandbox::{ApiError, CreateSandboxRequest, ImageSpec, Mount, ValidRequest};

use super::record::check_metadata;
use super::{Result, TargetError, no_snapshots};

/// Label of volumes that a create request made, as the official server has it.
pub(super) const MANAGED: (&str, &str) = ("opensandbox.io/volume-managed-by", "server");

/// Refuses what a target without network, snapshots and pools, on the processor `architecture`,
/// would otherwise ignore. Answers the image.
pub(super) fn check_supported(
    request: &CreateSandboxRequest,
    valid: &ValidRequest,
    architecture: &str,
) -> Result<ImageSpec> {
    let refuse = |what: &str| Err(ApiError::invalid_parameter(what).into());
    let Some(image) = valid.image.clone() else {
        return Err(no_snapshots());
    };
    if request.network_policy.is_some() {
        return refuse("networkPolicy is not supported: sandboxes here have no network");
    }
    if request.secure_access {
        return refuse("secureAccess is not supported here");
    }
    if request.extensions.contains_key("poolRef") {
        let message = "extensions.poolRef is not supported here";
        return Err(ApiError::bad_request("SANDBOX::UNSUPPORTED_POOL_REF", message).into());
    }
    if let Some(seconds) = request.extensions.get("access.renew.extend.seconds") {
        let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        if !digits
            || !seconds
                .parse()
                .is_ok_and(|seconds: u32| (300..=86_400).contains(&seconds))
        {
            return refuse("extensions.access.renew.extend.seconds must be 300 to 86400");
        }
        return refuse(
            "extensions.access.renew.extend.seconds is not supported: there is no access to renew on",
        );
    }
    if let Some(platform) = &request.platform
        && (platform.os != "linux" || platform.arch != architecture)
    {
        return refuse(&format!(
            "platform {}/{} cannot be satisfied: the engine is linux/{}",
            platform.os, platform.arch, architecture
        ));
    }
    if image.auth.is_some() {
        return refuse("image.auth is not supported: pull the image beforehand");
    }
    let metadata = request.metadata.iter().flatten();
    check_metadata(metadata.map(|(key, value)| (key.as_str(), Some(value.as_str()))))?;
    Ok(image)
}

/// 400 for a volume whose backend the target does not have.
pub(super) fn unsupported_backend(mount: &Mount) -> TargetError {
    let message = format!("volume \"{}\": ossfs is not supported here", mount.name);
    ApiError::bad_request("VOLUME::UNSUPPORTED_BACKEND", message).into()
}

/// 500 for a sandbox whose entrypoint, or anything else in it, could not be started.
pub(super) fn start_failed(why: impl std::fmt::Display) -> TargetError {
    let message = format!("starting the sandbox: {why}");
    ApiError::new(500, "DOCKER::SANDBOX_START_FAILED", message).into()
}
