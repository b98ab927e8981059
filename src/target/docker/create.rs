//! From a request to a running sandbox.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use crate::sandbox::{
    Backend, CreateSandboxRequest, ImageSpec, SandboxInfo, SandboxState, SandboxStatus,
    ValidRequest,
};
use crate::target::record::{Draft, Storage, warn_of};
use crate::target::request::{check_supported, unsupported_backend};
use crate::target::{Handle, Owner, PROCESSES, Result};

use super::container::{Container, expire};
use super::error::api;
use super::{Engine, agent};

/// Label with a sandbox's id. Not the official server's: that would take our containers for its own.
pub(super) const SANDBOX_ID: &str = "io.osb-conformance.sandbox";

impl Engine {
    /// Creates and starts a sandbox. What a refused or failed request had made is removed.
    pub(super) async fn create(
        engine: &Arc<Self>,
        handle: &Handle,
        request: &CreateSandboxRequest,
    ) -> Result<SandboxInfo> {
        let valid = request.validate()?;
        let image = check_supported(request, &valid, &engine.architecture)?;
        // Volumes that this request makes, so that it can take them back.
        let mut made = Vec::new();
        let claims = engine.sandboxes.claim(&valid);
        match engine.provision(handle, &valid, image, &mut made).await {
            Ok(record) => {
                let record = Arc::new(record);
                let status = SandboxStatus::of(SandboxState::Running);
                let info = record.info(status);
                engine.sandboxes.insert(&record);
                if record.expires() {
                    tokio::spawn(expire(Arc::clone(engine), record));
                }
                Ok(info)
            }
            Err(error) => {
                let mut cleared = vec![engine.remove_container(&handle.name).await];
                drop(claims);
                for volume in engine.sandboxes.unclaimed(made) {
                    cleared.push(engine.remove_volume(&volume).await);
                }
                warn_of(cleared);
                Err(error)
            }
        }
    }

    async fn provision(
        &self,
        handle: &Handle,
        valid: &ValidRequest,
        image: ImageSpec,
        made: &mut Vec<String>,
    ) -> Result<Container> {
        // What can be refused at once comes before a pull, which may take long.
        let (mounts, storage) = self.storage(&handle.owner, valid, made).await?;
        self.ensure_image(&image).await?;
        let draft = Draft::new(&handle.name, valid, image.clone(), storage)?;
        let mut container = self.container(handle, valid, &image, mounts).await?;
        let labels = container.labels.get_or_insert_default();
        labels.insert(SANDBOX_ID.into(), draft.id().into());
        let start_failed = |error| {
            let code = "DOCKER::SANDBOX_START_FAILED";
            api("starting the sandbox", 500, code, error)
        };
        let options = CreateContainerOptionsBuilder::default()
            .name(&handle.name)
            .build();
        let has_agent = container.open_stdin == Some(true);
        self.docker
            .create_container(Some(options), container)
            .await
            .map_err(start_failed)?;
        handle.acceptance.accept(draft.info());
        // Before the start, so that nothing the agent says is lost.
        let attached = if has_agent {
            Some(self.attach(&handle.name).await?)
        } else {
            None
        };
        self.docker
            .start_container(&handle.name, None)
            .await
            .map_err(start_failed)?;
        let client = match attached {
            Some(attached) => Some(attached.meet().await?),
            None => None,
        };
        Ok(draft.finish(client))
    }

    /// The container that a request comes to: with our agent as its first process where that can
    /// run, else with the entrypoint itself.
    async fn container(
        &self,
        handle: &Handle,
        valid: &ValidRequest,
        image: &ImageSpec,
        mounts: Vec<Mount>,
    ) -> Result<ContainerCreateBody> {
        let with_agent = self.image_with_agent(&image.uri).await?;
        let is_attached = with_agent.is_some().then_some(true);
        let agent = is_attached.map(|_| [agent::PATH.to_owned(), "--".to_owned()]);
        let entrypoint = agent
            .into_iter()
            .flatten()
            .chain(valid.entrypoint.iter().cloned());
        let env = valid
            .env
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        Ok(ContainerCreateBody {
            image: Some(with_agent.unwrap_or_else(|| image.uri.clone())),
            entrypoint: Some(entrypoint.collect()),
            // Without this the image's own command would be put behind the entrypoint.
            cmd: Some(Vec::new()),
            env: Some(env.collect()),
            labels: Some(handle.owner.labels().into_iter().collect::<HashMap<_, _>>()),
            attach_stdin: is_attached,
            attach_stdout: is_attached,
            attach_stderr: is_attached,
            open_stdin: is_attached,
            // A harness that dies closes the agent's input, which ends the sandbox.
            stdin_once: is_attached,
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                nano_cpus: valid.limits.nano_cpus,
                memory: valid.limits.memory_bytes,
                pids_limit: i64::try_from(PROCESSES).ok(),
                mounts: Some(mounts),
                // What goes over the attached streams is no log.
                log_config: is_attached.map(|_| HostConfigLogConfig {
                    typ: Some("none".into()),
                    config: None,
                }),
                ..Default::default()
            }),
            ..Default::default()
        })
    }

    async fn storage(
        &self,
        owner: &Owner,
        valid: &ValidRequest,
        made: &mut Vec<String>,
    ) -> Result<(Vec<Mount>, Storage)> {
        let (mut mounts, mut storage) = (Vec::new(), Storage::default());
        for mount in &valid.mounts {
            match &mount.backend {
                Backend::Pvc(pvc) => {
                    let claimed = self.claim(owner, mount, pvc, made).await?;
                    mounts.push(claimed.mount);
                    storage.claims.push(pvc.claim_name.clone());
                    if claimed.is_new && pvc.delete_on_sandbox_termination {
                        storage.doomed.push(pvc.claim_name.clone());
                    }
                }
                Backend::Host(host) => {
                    let directory = self.allowlist.directory(mount, host)?;
                    mounts.push(Mount {
                        typ: Some(MountType::BIND),
                        source: Some(directory.to_string_lossy().into_owned()),
                        target: Some(mount.mount_path.clone()),
                        read_only: Some(mount.read_only),
                        ..Default::default()
                    });
                }
                Backend::Ossfs(_) => return Err(unsupported_backend(mount)),
            }
        }
        Ok((mounts, storage))
    }
}
