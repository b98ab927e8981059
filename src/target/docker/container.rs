//! A sandbox's life: create, look, pause, end.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::{
    ContainerCreateBody, ContainerState, ContainerStateStatusEnum, HostConfig, Mount,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::sandbox::{
    ApiError, Backend, CreateSandboxRequest, ImageSpec, ListQuery, SandboxInfo, SandboxPage,
    SandboxState, SandboxStatus, ValidRequest,
};
use crate::target::{Handle, Owner, Result, RunId};

use super::Engine;
use super::error::{api, failed, or_absent, status};
use super::record::{Expiry, Record, check_metadata, lock};

/// What a request comes to on the engine.
#[derive(Default)]
struct Storage {
    mounts: Vec<Mount>,
    claims: Vec<String>,
    /// Volumes that go when the sandbox goes.
    doomed: Vec<String>,
}

impl Engine {
    /// Creates and starts a sandbox. What a refused or failed request had made is removed.
    pub(super) async fn create(
        engine: &Arc<Self>,
        handle: &Handle,
        request: &CreateSandboxRequest,
    ) -> Result<SandboxInfo> {
        let valid = request.validate()?;
        let image = engine.check_supported(request, &valid)?;
        engine.ensure_image(&image).await?;
        // Volumes that this request makes, so that it can take them back.
        let mut made = Vec::new();
        match engine.provision(handle, &valid, image, &mut made).await {
            Ok(record) => {
                let record = Arc::new(record);
                let status = SandboxStatus::of(SandboxState::Running);
                let info = record.info(status);
                engine
                    .sandboxes()
                    .insert(record.id.clone(), Arc::clone(&record));
                if record.expiry.borrow().is_some() {
                    tokio::spawn(expire(Arc::clone(engine), record));
                }
                Ok(info)
            }
            Err(error) => {
                engine.remove_container(&handle.name).await?;
                for volume in made {
                    engine.remove_volume(&volume).await?;
                }
                Err(error)
            }
        }
    }

    /// Refuses what this target would otherwise ignore.
    fn check_supported(
        &self,
        request: &CreateSandboxRequest,
        valid: &ValidRequest,
    ) -> Result<ImageSpec> {
        let refuse = |what: &str| Err(ApiError::invalid_parameter(what).into());
        let Some(image) = valid.image.clone() else {
            return Err(ApiError::new(
                501,
                "SNAPSHOT::NOT_IMPLEMENTED",
                "snapshots are not supported",
            )
            .into());
        };
        if request.network_policy.is_some() {
            return refuse("networkPolicy is not supported: sandboxes here have no network");
        }
        if request.secure_access {
            return refuse("secureAccess is not supported on Docker");
        }
        if request.extensions.contains_key("poolRef") {
            let message = "extensions.poolRef is not supported on Docker";
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
            && (platform.os != "linux" || platform.arch != self.architecture)
        {
            return refuse(&format!(
                "platform {}/{} cannot be satisfied: the engine is linux/{}",
                platform.os, platform.arch, self.architecture
            ));
        }
        if image.auth.is_some() {
            return refuse("image.auth is not supported: pull the image beforehand");
        }
        let metadata = request.metadata.iter().flatten();
        check_metadata(metadata.map(|(key, value)| (key.as_str(), Some(value.as_str()))))?;
        Ok(image)
    }

    async fn provision(
        &self,
        handle: &Handle,
        valid: &ValidRequest,
        image: ImageSpec,
        made: &mut Vec<String>,
    ) -> Result<Record> {
        let storage = self.storage(&handle.owner, valid, made).await?;
        let body = ContainerCreateBody {
            image: Some(image.uri.clone()),
            entrypoint: Some(valid.entrypoint.clone()),
            // Without this the image's own command would be put behind the entrypoint.
            cmd: Some(Vec::new()),
            env: Some(
                valid
                    .env
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect(),
            ),
            labels: Some(handle.owner.labels().into_iter().collect::<HashMap<_, _>>()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                nano_cpus: valid.limits.nano_cpus,
                memory: valid.limits.memory_bytes,
                mounts: Some(storage.mounts),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::default()
            .name(&handle.name)
            .build();
        let start_failed = |error| {
            api(
                "starting the sandbox",
                500,
                "DOCKER::SANDBOX_START_FAILED",
                error,
            )
        };
        self.docker
            .create_container(Some(options), body)
            .await
            .map_err(start_failed)?;
        self.docker
            .start_container(&handle.name, None)
            .await
            .map_err(start_failed)?;
        let created_at = Timestamp::now();
        let expiry = valid
            .timeout
            .map(|seconds| Expiry::after(created_at, seconds))
            .transpose()?;
        Ok(Record {
            id: Uuid::new_v4().to_string(),
            name: handle.name.clone(),
            image,
            entrypoint: valid.entrypoint.clone(),
            created_at,
            expiry: watch::Sender::new(expiry),
            metadata: valid.metadata.clone().into(),
            claims: storage.claims,
            doomed: storage.doomed.into(),
        })
    }

    async fn storage(
        &self,
        owner: &Owner,
        valid: &ValidRequest,
        made: &mut Vec<String>,
    ) -> Result<Storage> {
        let mut storage = Storage::default();
        for mount in &valid.mounts {
            match &mount.backend {
                Backend::Pvc(pvc) => {
                    let claimed = self.claim(owner, mount, pvc, made).await?;
                    storage.mounts.push(claimed.mount);
                    storage.claims.push(pvc.claim_name.clone());
                    if claimed.is_new && pvc.delete_on_sandbox_termination {
                        storage.doomed.push(pvc.claim_name.clone());
                    }
                }
                Backend::Host(host) => storage.mounts.push(self.allowlist.mount(mount, host)?),
                Backend::Ossfs(_) => {
                    let message = format!("volume \"{}\": ossfs is not supported here", mount.name);
                    return Err(
                        ApiError::bad_request("VOLUME::UNSUPPORTED_BACKEND", message).into(),
                    );
                }
            }
        }
        Ok(storage)
    }

    /// The sandbox with this id.
    pub(super) fn find(&self, id: &str) -> Result<Arc<Record>> {
        let found = self.sandboxes().get(id).cloned();
        found.ok_or_else(|| not_found(id).into())
    }

    pub(super) async fn get(&self, id: &str) -> Result<SandboxInfo> {
        let record = self.find(id)?;
        let state = self.state(&record).await?.ok_or_else(|| not_found(id))?;
        Ok(record.info(state))
    }

    pub(super) async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        let records: Vec<_> = self.sandboxes().values().cloned().collect();
        let mut all = Vec::with_capacity(records.len());
        for record in records {
            // One that went meanwhile is not listed.
            all.extend(self.state(&record).await?.map(|state| record.info(state)));
        }
        Ok(SandboxPage::select(all, query))
    }

    async fn state(&self, record: &Record) -> Result<Option<SandboxStatus>> {
        match self.docker.inspect_container(&record.name, None).await {
            Ok(found) => Ok(Some(translate(&found.state.unwrap_or_default()))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(failed("looking at the sandbox", error)),
        }
    }

    pub(super) async fn pause(&self, id: &str) -> Result<()> {
        let record = self
            .expect_state(id, &SandboxState::Running, "DOCKER::SANDBOX_NOT_RUNNING")
            .await?;
        let paused = self.docker.pause_container(&record.name).await;
        paused.map_err(|error| {
            api(
                "pausing the sandbox",
                500,
                "DOCKER::SANDBOX_PAUSE_FAILED",
                error,
            )
        })
    }

    pub(super) async fn resume(&self, id: &str) -> Result<()> {
        let record = self
            .expect_state(id, &SandboxState::Paused, "DOCKER::SANDBOX_NOT_PAUSED")
            .await?;
        let resumed = self.docker.unpause_container(&record.name).await;
        resumed.map_err(|error| {
            api(
                "resuming the sandbox",
                500,
                "DOCKER::SANDBOX_RESUME_FAILED",
                error,
            )
        })
    }

    async fn expect_state(&self, id: &str, want: &SandboxState, code: &str) -> Result<Arc<Record>> {
        let state = self.get(id).await?.status.state;
        if state == *want {
            return self.find(id);
        }
        Err(ApiError::new(409, code, format!("the sandbox is {state}, not {want}")).into())
    }

    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let record = self.sandboxes().remove(id).ok_or_else(|| not_found(id))?;
        self.end(&record).await
    }

    /// Removes a sandbox that is no longer listed, and the volumes that go with it.
    async fn end(&self, record: &Record) -> Result<()> {
        record.expiry.send_replace(None);
        self.remove_container(&record.name).await?;
        let doomed = std::mem::take(&mut *lock(&record.doomed));
        for volume in doomed {
            let heir = self
                .sandboxes()
                .values()
                .find(|other| other.claims.contains(&volume))
                .cloned();
            match heir {
                // Still mounted elsewhere: it goes with the last sandbox that mounts it.
                Some(heir) => lock(&heir.doomed).push(volume),
                None => self.remove_volume(&volume).await?,
            }
        }
        Ok(())
    }

    /// Removes a container in any state; one that is gone is fine.
    async fn remove_container(&self, name: &str) -> Result<()> {
        // v: anonymous volumes that the image declares go too; named ones stay.
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match or_absent(self.docker.remove_container(name, Some(options)).await) {
            Ok(()) => Ok(()),
            // Somebody else is removing it.
            Err(error) if status(&error) == Some(409) => self.await_removal(name).await,
            Err(error) => Err(failed("removing the sandbox", error)),
        }
    }

    async fn await_removal(&self, name: &str) -> Result<()> {
        use bollard::query_parameters::WaitContainerOptionsBuilder;
        use futures_util::StreamExt;
        let options = WaitContainerOptionsBuilder::default()
            .condition("removed")
            .build();
        let mut removed = std::pin::pin!(self.docker.wait_container(name, Some(options)));
        while removed.next().await.is_some() {}
        Ok(())
    }

    /// Removes a container, and the volumes that go with it, if it carries the mark of `run`.
    pub(super) async fn remove_marked_container(&self, run: &RunId, name: &str) -> Result<()> {
        let known = self
            .sandboxes()
            .values()
            .find(|record| record.name == name)
            .cloned();
        if let Some(record) = known {
            self.sandboxes().remove(&record.id);
            return self.end(&record).await;
        }
        let labels = match self.docker.inspect_container(name, None).await {
            Ok(found) => found
                .config
                .and_then(|config| config.labels)
                .unwrap_or_default(),
            Err(error) if status(&error) == Some(404) => return Ok(()),
            Err(error) => return Err(failed("looking for the sandbox", error)),
        };
        match Owner::from_labels(|key| labels.get(key)) {
            Some(owner) if owner.run == *run => self.remove_container(name).await,
            _ => Ok(()),
        }
    }
}

/// Ends the sandbox when its time has come, however often that is moved.
async fn expire(engine: Arc<Engine>, record: Arc<Record>) {
    let mut expiry = record.expiry.subscribe();
    loop {
        let Some(current) = *expiry.borrow_and_update() else {
            return;
        };
        tokio::select! {
            () = tokio::time::sleep_until(current.deadline) => break,
            // Moved, or taken away because the sandbox has ended.
            _ = expiry.changed() => {}
        }
    }
    let listed = engine.sandboxes().remove(&record.id);
    if let Some(record) = listed
        && let Err(error) = engine.end(&record).await
    {
        // Nobody waits for this: the run's own clean-up tries again, and reports.
        tracing::warn!(sandbox = record.id, %error, "an expired sandbox could not be removed");
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(
        404,
        "DOCKER::SANDBOX_NOT_FOUND",
        format!("there is no sandbox \"{id}\""),
    )
}

fn translate(state: &ContainerState) -> SandboxStatus {
    let of = |state, reason: &str| SandboxStatus {
        reason: Some(reason.into()),
        ..SandboxStatus::of(state)
    };
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => of(SandboxState::Running, "CONTAINER_RUNNING"),
        Some(ContainerStateStatusEnum::PAUSED) => of(SandboxState::Paused, "CONTAINER_PAUSED"),
        Some(ContainerStateStatusEnum::CREATED) => of(SandboxState::Pending, "CONTAINER_CREATED"),
        Some(ContainerStateStatusEnum::REMOVING) => {
            of(SandboxState::Stopping, "CONTAINER_REMOVING")
        }
        _ if state.exit_code == Some(0) => of(SandboxState::Terminated, "CONTAINER_EXITED"),
        _ => of(SandboxState::Failed, "CONTAINER_EXITED_ERROR"),
    }
}
