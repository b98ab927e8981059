//! The engine's own word on a sandbox's mounts, also on a sandbox that another server made.

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, MountPoint, Volume};
use bollard::query_parameters::ListContainersOptionsBuilder;

use crate::target::{Result, SeenMount, Witness};

use super::Engine;
use super::create::SANDBOX_ID;
use super::error::failed;

/// The official server's label with a sandbox's id.
const OFFICIAL_ID: &str = "opensandbox.io/id";

impl Engine {
    /// What the sandbox `id` has at `mount_path`.
    pub(super) async fn witness(&self, id: &str, mount_path: &str) -> Result<Witness> {
        let Some(container) = self.container_of(id).await? else {
            let why = format!("the engine has no container with a label of the sandbox {id}");
            return Ok(Witness::Blind(why));
        };
        let container = self.docker.inspect_container(&container, None).await;
        let container =
            container.map_err(|error| failed("looking at the sandbox's container", error))?;
        let at = |mount: &&MountPoint| {
            mount
                .destination
                .as_deref()
                .map(|path| path.trim_end_matches('/'))
                == Some(mount_path.trim_end_matches('/'))
        };
        match container.mounts.iter().flatten().find(at) {
            None => Ok(Witness::Saw(None)),
            Some(mount) => self
                .seen(&container, mount)
                .await
                .map(Some)
                .map(Witness::Saw),
        }
    }

    /// The container of the sandbox `id`, ours or the official server's.
    async fn container_of(&self, id: &str) -> Result<Option<String>> {
        for label in [SANDBOX_ID, OFFICIAL_ID] {
            let filter = HashMap::from([("label", vec![format!("{label}={id}")])]);
            let options = ListContainersOptionsBuilder::default()
                .all(true)
                .filters(&filter)
                .build();
            let found = self.docker.list_containers(Some(options)).await;
            let found =
                found.map_err(|error| failed("looking for the sandbox's container", error))?;
            let container = found.into_iter().find_map(|container| container.id);
            if container.is_some() {
                return Ok(container);
            }
        }
        Ok(None)
    }

    async fn seen(
        &self,
        container: &ContainerInspectResponse,
        mount: &MountPoint,
    ) -> Result<SeenMount> {
        let (volume, sub_path) = match &mount.name {
            Some(name) => (self.inspect_volume(name).await?, sub_path(container, mount)),
            // A bind mount of a volume's own directory is how old engines mount a part of it.
            None => {
                self.volume_of(mount.source.as_deref().unwrap_or_default())
                    .await?
            }
        };
        let host_path = mount.source.clone().filter(|_| volume.is_none());
        let directory = match (&volume, &host_path) {
            (Some(volume), _) => self.directory(volume),
            (None, Some(path)) => self.host_directory(path),
            (None, None) => None,
        };
        let part = sub_path.as_deref().unwrap_or_default();
        let entries = directory.and_then(|directory| directory.names(part).ok());
        Ok(SeenMount {
            host_path,
            claim_name: volume.map(|volume| volume.name),
            sub_path,
            read_only: mount.rw == Some(false),
            entries,
        })
    }

    /// The volume whose content the host directory `source` is a part of, and which part.
    async fn volume_of(&self, source: &str) -> Result<(Option<Volume>, Option<String>)> {
        let all = self.volumes("driver", "local").await?;
        let part = |volume: &Volume| {
            let rest = source.strip_prefix(&volume.mountpoint)?;
            rest.is_empty()
                .then(String::new)
                .or_else(|| rest.strip_prefix('/').map(str::to_owned))
        };
        Ok(all
            .into_iter()
            .find_map(|volume| part(&volume).map(|part| (Some(volume), Some(part))))
            .map_or((None, None), |(volume, part)| {
                (volume, part.filter(|part| !part.is_empty()))
            }))
    }
}

/// The part of a volume that an engine of API 1.45 or later was asked to mount.
fn sub_path(container: &ContainerInspectResponse, mount: &MountPoint) -> Option<String> {
    let asked = container.host_config.as_ref()?.mounts.iter().flatten();
    let same = asked
        .filter(|asked| asked.target == mount.destination)
        .find_map(|asked| asked.volume_options.as_ref()?.subpath.clone());
    same.filter(|part| !part.is_empty())
}
