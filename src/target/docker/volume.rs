//! Named volumes: made, mounted, looked into, removed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bollard::models::{Mount, MountType, MountVolumeOptions, Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptions};
use tokio::time::{Instant, sleep};

use crate::sandbox::{ApiError, Pvc};
use crate::target::directory::{Broken, Directory};
use crate::target::request::MANAGED;
use crate::target::{Files, Owner, Result, RunId, TargetError};

use super::Engine;
use super::error::{api, failed, or_absent, status};
use super::window::{Place, Window};

/// First API version that mounts a subdirectory of a volume by itself.
const SUBPATH_API: (u32, u32) = (1, 45);

/// How long a volume may still be in use after the container that used it was removed.
const RELEASE: Duration = Duration::from_secs(10);

/// A volume that a sandbox is about to mount.
pub(super) struct Claimed {
    pub(super) mount: Mount,
    /// Whether the request made the volume.
    pub(super) is_new: bool,
}

impl Engine {
    /// The volume, or `None` where there is none.
    pub(super) async fn inspect_volume(&self, name: &str) -> Result<Option<Volume>> {
        match self.docker.inspect_volume(name).await {
            Ok(volume) => Ok(Some(volume)),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => {
                let context = format!("looking for the volume {name}");
                Err(api(&context, 500, "VOLUME::PVC_INSPECT_FAILED", error))
            }
        }
    }

    /// The volumes that pass the engine's own filter of that name.
    pub(super) async fn volumes(&self, filter: &str, value: &str) -> Result<Vec<Volume>> {
        let filter = HashMap::from([(filter, vec![value])]);
        let options = ListVolumesOptionsBuilder::default()
            .filters(&filter)
            .build();
        let found = self.docker.list_volumes(Some(options)).await;
        let found = found.map_err(|error| failed("listing volumes", error))?;
        Ok(found.volumes.unwrap_or_default())
    }

    async fn new_volume(
        &self,
        owner: &Owner,
        name: &str,
        more: Option<(&str, &str)>,
    ) -> Result<Volume> {
        let mut labels: HashMap<_, _> = owner.labels().into_iter().collect();
        labels.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let request = VolumeCreateRequest {
            name: Some(name.into()),
            labels: Some(labels),
            ..Default::default()
        };
        self.docker.create_volume(request).await.map_err(|error| {
            api(
                &format!("creating the volume {name}"),
                500,
                "VOLUME::PVC_INSPECT_FAILED",
                error,
            )
        })
    }

    /// Makes a volume and fills it.
    pub(super) async fn create_volume(
        &self,
        owner: &Owner,
        name: &str,
        files: &Files,
    ) -> Result<()> {
        let volume = self.new_volume(owner, name, None).await?;
        if files.is_empty() {
            return Ok(());
        }
        if let Some(directory) = self.directory(&volume) {
            return directory
                .fill(files)
                .map_err(|error| TargetError::failed(format!("filling the volume {name}"), error));
        }
        let window = self.window(owner, name).await?;
        let written = window.write(files).await;
        window.close().await.and(written)
    }

    /// The volume's directory, where the engine keeps it on this machine and lets us in: as root.
    /// Looking into it takes no time, where a window takes the engine tens of milliseconds.
    pub(super) fn directory(&self, volume: &Volume) -> Option<Directory> {
        let is_plain = volume.driver == "local" && volume.options.is_empty();
        let path = &volume.mountpoint;
        is_plain.then(|| self.host_directory(path)).flatten()
    }

    /// A directory of the engine's host, where that is this machine and lets us in.
    pub(super) fn host_directory(&self, path: &str) -> Option<Directory> {
        let path = Path::new(path);
        (self.is_local && path.is_absolute())
            .then(|| Directory::open(path).ok())
            .flatten()
    }

    async fn window(&self, owner: &Owner, volume: &str) -> Result<Window<'_>> {
        let image = self.image().await?;
        Window::open(&self.docker, image, owner, volume).await
    }

    /// Reads a file of a volume.
    pub(super) async fn read_volume(
        &self,
        owner: &Owner,
        name: &str,
        path: &str,
    ) -> Result<Option<Vec<u8>>> {
        let Some(volume) = self.inspect_volume(name).await? else {
            return Ok(None);
        };
        if let Some(directory) = self.directory(&volume) {
            return directory.read(path).map_err(|error| {
                TargetError::failed(format!("reading \"{path}\" of the volume {name}"), error)
            });
        }
        let window = self.window(owner, name).await?;
        let data = window.read(path).await;
        window.close().await.and(data)
    }

    /// Finds or makes the claimed volume, and says how it is mounted.
    pub(super) async fn claim(
        &self,
        owner: &Owner,
        mount: &crate::sandbox::Mount,
        pvc: &Pvc,
        made: &mut Vec<String>,
    ) -> Result<Claimed> {
        let claim = &pvc.claim_name;
        let named = |what: &str| format!("volume \"{}\": {what}", mount.name);
        let found = self.inspect_volume(claim).await?;
        let is_new = found.is_none();
        let volume = match found {
            Some(volume) => volume,
            None if pvc.create_if_not_exists => {
                made.push(claim.clone());
                self.new_volume(owner, claim, Some(MANAGED)).await?
            }
            None => {
                let message = named(&format!(
                    "there is no volume \"{claim}\", and createIfNotExists is false"
                ));
                return Err(ApiError::bad_request("VOLUME::PVC_NOT_FOUND", message).into());
            }
        };
        let base = Mount {
            target: Some(mount.mount_path.clone()),
            read_only: Some(mount.read_only),
            ..Default::default()
        };
        let whole = |subpath: Option<String>| Mount {
            typ: Some(MountType::VOLUME),
            source: Some(claim.clone()),
            volume_options: Some(MountVolumeOptions {
                // The engine would copy the image's files at the mount path into an empty volume.
                no_copy: Some(true),
                subpath,
                ..Default::default()
            }),
            ..base.clone()
        };
        let Some(sub_path) = &mount.sub_path else {
            return Ok(Claimed {
                mount: whole(None),
                is_new,
            });
        };
        let unsupported = |what: String| {
            ApiError::bad_request("VOLUME::PVC_SUBPATH_UNSUPPORTED_DRIVER", named(&what))
        };
        if volume.driver != "local" || volume.mountpoint.is_empty() {
            return Err(unsupported(format!("the driver {} has no subPath", volume.driver)).into());
        }
        let native = self.api >= SUBPATH_API;
        if !native && !volume.options.is_empty() {
            // Such a volume is a mount of its own, and only there while a container uses it.
            let what = "this engine mounts a subPath only of volumes without driver options".into();
            return Err(unsupported(what).into());
        }
        let path = self
            .sub_path(owner, &volume, sub_path)
            .await?
            .map_err(|why| {
                ApiError::bad_request(
                    "VOLUME::INVALID_SUB_PATH",
                    named(&format!("subPath \"{sub_path}\": {why}")),
                )
            })?;
        let mount = if native {
            whole(Some(path))
        } else {
            // What the engine of old lacks is a bind mount of the directory itself. Every
            // component was checked to be a directory, not a link; one that a sandbox on the same
            // volume swaps before the mount is the engine's race, mended in its API 1.45.
            Mount {
                typ: Some(MountType::BIND),
                source: Some(format!("{}/{path}", volume.mountpoint)),
                ..base
            }
        };
        Ok(Claimed { mount, is_new })
    }

    /// The directory that a sub path leads to, made where it was missing; or why it is refused.
    async fn sub_path(
        &self,
        owner: &Owner,
        volume: &Volume,
        sub_path: &str,
    ) -> Result<Result<String, String>> {
        if let Some(directory) = self.directory(volume) {
            return match directory.descend(sub_path) {
                Ok(path) => Ok(Ok(below(&volume.mountpoint, &path))),
                Err(Broken::Refused(why)) => Ok(Err(why)),
                Err(Broken::Failed(error)) => {
                    let context = format!("looking into the volume {}", volume.name);
                    Err(TargetError::failed(context, error))
                }
            };
        }
        let window = self.window(owner, &volume.name).await?;
        let place = window.resolve(sub_path).await;
        let made = match &place {
            Ok(Place::Inside { existing, missing }) if !missing.is_empty() => {
                window.make(existing, missing).await
            }
            _ => Ok(()),
        };
        window.close().await?;
        made?;
        Ok(match place? {
            Place::Inside {
                mut existing,
                missing,
            } => {
                existing.extend(missing);
                Ok(existing.join("/"))
            }
            Place::Refused(why) => Err(why),
        })
    }

    /// Removes a volume if it carries the mark of `run`.
    pub(super) async fn remove_marked_volume(&self, run: &RunId, name: &str) -> Result<()> {
        let volume = self.inspect_volume(name).await?;
        let owner = volume.and_then(|volume| Owner::from_labels(|key| volume.labels.get(key)));
        match owner {
            Some(owner) if owner.run == *run => self.remove_volume(name).await,
            _ => Ok(()),
        }
    }

    /// Removes a volume; one that is gone is fine.
    pub(super) async fn remove_volume(&self, name: &str) -> Result<()> {
        let patience = Instant::now() + RELEASE;
        loop {
            match or_absent(
                self.docker
                    .remove_volume(name, None::<RemoveVolumeOptions>)
                    .await,
            ) {
                Ok(()) => return Ok(()),
                // The engine has no event for the moment at which a volume is free again.
                Err(error) if status(&error) == Some(409) && Instant::now() < patience => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(failed(&format!("removing the volume {name}"), error)),
            }
        }
    }
}

/// `path`, which has no links, below a volume's mount point, which may have some.
fn below(mountpoint: &str, path: &Path) -> String {
    let root = std::fs::canonicalize(mountpoint).unwrap_or_else(|_| mountpoint.into());
    let inner = path.strip_prefix(&root).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}
