//! A look into a named volume from outside of any sandbox: a container that is created with the
//! volume mounted and never started. The archive API reads and writes in it, on every engine
//! version, also a remote one, in an image without a shell.

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use uuid::Uuid;

use crate::target::{Files, Owner, TargetError};

use super::archive::{self, Builder, Kind};
use super::error::{failed, or_absent, words};

/// Where the volume is mounted.
const ROOT: &str = "/volume";

/// Most links that a path may lead through.
const LINKS: usize = 40;

/// A volume that can be looked into.
pub(super) struct Window<'a> {
    docker: &'a Docker,
    container: String,
}

/// Where a sub path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To this path below the volume's root, made of directories and nothing else. The rest, if
    /// any, does not exist yet.
    Inside {
        existing: Vec<String>,
        missing: Vec<String>,
    },
    /// Out of the volume, through no directory, or in circles: why.
    Refused(String),
}

impl<'a> Window<'a> {
    /// Opens `volume`, which must exist: the engine would create a missing one silently.
    pub(super) async fn open(
        docker: &'a Docker,
        image: &str,
        owner: &Owner,
        volume: &str,
    ) -> Result<Self, TargetError> {
        let name = format!("osb-{}-window-{}", owner.run, Uuid::new_v4().simple());
        let body = ContainerCreateBody {
            image: Some(image.into()),
            entrypoint: Some(vec!["never-started".into()]),
            labels: Some(owner.labels().into_iter().collect()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                mounts: Some(vec![Mount {
                    typ: Some(MountType::VOLUME),
                    source: Some(volume.into()),
                    target: Some(ROOT.into()),
                    // The image's files, if it has any at this path, stay out of the volume.
                    volume_options: Some(MountVolumeOptions {
                        no_copy: Some(true),
                        ..Default::default()
                    }),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        docker
            .create_container(Some(options), body)
            .await
            .map_err(|error| failed(&format!("looking into the volume {volume}"), error))?;
        Ok(Self {
            docker,
            container: name,
        })
    }

    /// Closes the window.
    pub(super) async fn close(self) -> Result<(), TargetError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        or_absent(
            self.docker
                .remove_container(&self.container, Some(options))
                .await,
        )
        .map_err(|error| failed("closing the look into a volume", error))
    }

    /// Writes `files`, their folders included.
    pub(super) async fn write(&self, files: &Files) -> Result<(), TargetError> {
        let pack = || -> std::io::Result<Vec<u8>> {
            let mut tar = Builder::new();
            let mut made = std::collections::BTreeSet::new();
            for (path, data) in files {
                for (at, _) in path.match_indices('/') {
                    if made.insert(&path[..at]) {
                        tar.directory(&path[..at])?;
                    }
                }
                tar.file(path, 0o644, data)?;
            }
            tar.finish()
        };
        self.unpack(pack()).await
    }

    /// Makes the directories of `missing` below those of `existing`.
    pub(super) async fn make(
        &self,
        existing: &[String],
        missing: &[String],
    ) -> Result<(), TargetError> {
        let pack = || -> std::io::Result<Vec<u8>> {
            let mut tar = Builder::new();
            let mut path = existing.join("/");
            for part in missing {
                path = if path.is_empty() {
                    part.clone()
                } else {
                    format!("{path}/{part}")
                };
                tar.directory(&path)?;
            }
            tar.finish()
        };
        self.unpack(pack()).await
    }

    async fn unpack(&self, tar: std::io::Result<Vec<u8>>) -> Result<(), TargetError> {
        let tar =
            tar.map_err(|error| TargetError::failed("packing files for a volume failed", error))?;
        archive::put(self.docker, &self.container, ROOT, tar)
            .await
            .map_err(|error| failed("writing into a volume", error))
    }

    /// Reads a file; `None` where there is none.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TargetError> {
        let path = format!("{ROOT}/{path}");
        match archive::stat(self.docker, &self.container, &path).await {
            Ok(Some(Kind::Other)) => {}
            Ok(_) => return Ok(None),
            Err(error) => return Err(failed("reading a volume", error)),
        }
        let entries = archive::get(self.docker, &self.container, &path)
            .await
            .map_err(|error| TargetError::failed("reading a volume failed", error))?;
        Ok(entries.into_iter().next().map(|entry| entry.data))
    }

    /// Follows `sub_path`, a normalised relative path, component by component.
    pub(super) async fn resolve(&self, sub_path: &str) -> Result<Place, TargetError> {
        let mut path: Vec<String> = Vec::new();
        let mut rest: Vec<String> = sub_path.split('/').rev().map(String::from).collect();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            path.push(part);
            let full = format!("{ROOT}/{}", path.join("/"));
            let kind = archive::stat(self.docker, &self.container, &full).await;
            let kind = match kind {
                Ok(kind) => kind,
                Err(error) if words(&error).contains("too many") => {
                    return Ok(Place::Refused(format!(
                        "\"{}\" leads in circles",
                        path.join("/")
                    )));
                }
                Err(error) => return Err(failed("looking into a volume", error)),
            };
            match kind {
                Some(Kind::Directory) => {}
                Some(Kind::Other) => {
                    return Ok(Place::Refused(format!(
                        "\"{}\" is no directory",
                        path.join("/")
                    )));
                }
                None => {
                    let mut missing: Vec<_> = path.pop().into_iter().collect();
                    missing.extend(rest.into_iter().rev());
                    return Ok(Place::Inside {
                        existing: path,
                        missing,
                    });
                }
                Some(Kind::Symlink(target)) => {
                    links += 1;
                    // The engine resolves links within the container's root, where the volume is
                    // at ROOT: a link that leaves the volume leads elsewhere, and an absolute one
                    // leads elsewhere even if a folder of that name exists here.
                    let inside = target
                        .strip_prefix(ROOT)
                        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
                    let Some(inside) = inside.filter(|_| links <= LINKS) else {
                        return Ok(Place::Refused(format!(
                            "\"{}\" is a link that leaves the volume",
                            path.join("/")
                        )));
                    };
                    // Checked anew from the root: what it leads to may hold links too.
                    rest.extend(
                        inside
                            .split('/')
                            .filter(|part| !part.is_empty())
                            .rev()
                            .map(String::from),
                    );
                    path.clear();
                }
            }
        }
        Ok(Place::Inside {
            existing: path,
            missing: Vec::new(),
        })
    }
}
