//! Sandboxes of ours that hold a volume, where there is no other way to it than the API.

use std::sync::Arc;

use uuid::Uuid;

use crate::execd::ExecdError;
use crate::sandbox::{
    CreateSandboxRequest, ImageSpec, Pvc, Volume, default_entrypoint, default_limits,
};
use crate::target::{Handle, Owner, Result, TargetError};

use super::sandbox::Server;

/// Where the volume is in a sandbox of ours.
pub(super) const MOUNT: &str = "/osb-volume";

/// Seconds that a sandbox of ours lives at most, in case that nobody removes it.
const TIMEOUT: i64 = 3600;

/// A claim of a volume that must exist.
pub(super) fn existing(name: &str) -> Pvc {
    Pvc {
        create_if_not_exists: false,
        ..Pvc::claim(name)
    }
}

/// A claim of a volume that goes with its sandbox.
pub(super) fn passing(name: &str) -> Pvc {
    Pvc {
        delete_on_sandbox_termination: true,
        ..Pvc::claim(name)
    }
}

/// A name for a sandbox or a volume of ours.
pub(super) fn unique(owner: &Owner, what: &str) -> String {
    format!("osb-{}-{what}-{}", owner.run, Uuid::new_v4().simple())
}

/// Makes a sandbox of ours that mounts a volume, and answers its id.
pub(super) async fn hold(
    server: &Arc<Server>,
    image: &str,
    owner: &Owner,
    pvc: Pvc,
    read_only: bool,
) -> Result<String> {
    let handle = Handle::new(owner.clone(), unique(owner, "volume"));
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

/// Whether a sandbox can have a volume that must exist.
pub(super) async fn exists(
    server: &Arc<Server>,
    image: &str,
    owner: &Owner,
    name: &str,
) -> Result<bool> {
    match hold(server, image, owner, existing(name), true).await {
        Ok(id) => server.delete(&id).await.map(|()| true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file of the volume that the sandbox `id` of ours holds.
pub(super) async fn read(server: &Server, id: &str, path: &str) -> Result<Option<Vec<u8>>> {
    let path = format!("{MOUNT}/{}", path.trim_start_matches('/'));
    match server.client(id).await?.download(&path).await {
        Ok(data) => Ok(Some(data.into())),
        Err(ExecdError::Api { status: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads a file of a volume that no sandbox of ours holds.
pub(super) async fn read_once(
    server: &Arc<Server>,
    image: &str,
    owner: &Owner,
    name: &str,
    path: &str,
) -> Result<Option<Vec<u8>>> {
    let id = match hold(server, image, owner, existing(name), true).await {
        Ok(id) => id,
        Err(error) if is_not_found(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let data = read(server, &id, path).await;
    server.delete(&id).await.and(data)
}

/// Whether a create request was refused because the volume that it must find is not there. A
/// sandbox that is not found was made, and a missing image says nothing of the volume.
pub(super) fn is_not_found(error: &TargetError) -> bool {
    let is_about_volume = |code: &str| {
        code.contains("NOT_FOUND") && !code.contains("SANDBOX") && !code.contains("IMAGE")
    };
    error
        .api()
        .is_some_and(|error| error.status < 500 && is_about_volume(&error.code))
}

/// A request for a sandbox of ours, without volumes.
pub(super) fn ours(image: &str) -> CreateSandboxRequest {
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
