//! A sandbox's life: look, pause, end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bollard::models::{ContainerState, ContainerStateStatusEnum};
use bollard::query_parameters::RemoveContainerOptionsBuilder;

use crate::execd::Client;
use crate::sandbox::{ListQuery, SandboxInfo, SandboxPage, SandboxState, SandboxStatus};
use crate::target::record::{Record, not_found, not_in_state};
use crate::target::{Owner, Result, RunId};

use super::Engine;
use super::error::{api, failed, or_absent, status};

/// A sandbox that is a container.
pub(super) type Container = Record<Option<Client>>;

impl Engine {
    pub(super) async fn get(&self, id: &str) -> Result<SandboxInfo> {
        let record = self.sandboxes.find(id)?;
        let state = self.state(&record).await?.ok_or_else(|| not_found(id))?;
        Ok(record.info(state))
    }

    pub(super) async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        let records = self.sandboxes.all();
        let mut all = Vec::with_capacity(records.len());
        for record in records {
            // One that went meanwhile is not listed.
            all.extend(self.state(&record).await?.map(|state| record.info(state)));
        }
        Ok(SandboxPage::select(all, query))
    }

    async fn state(&self, record: &Container) -> Result<Option<SandboxStatus>> {
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
        if let Err(error) = self.docker.pause_container(&record.name).await {
            let code = "DOCKER::SANDBOX_PAUSE_FAILED";
            let error = api("pausing the sandbox", 500, code, error);
            // It may have ended just now.
            let state = self.get(id).await?.status.state;
            return match state {
                SandboxState::Running => Err(error),
                state => Err(not_in_state(
                    "DOCKER::SANDBOX_NOT_RUNNING",
                    state,
                    "Running",
                )),
            };
        }
        record.is_paused.store(true, Ordering::Relaxed);
        Ok(())
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
        })?;
        record.is_paused.store(false, Ordering::Relaxed);
        Ok(())
    }

    async fn expect_state(
        &self,
        id: &str,
        want: &SandboxState,
        code: &str,
    ) -> Result<Arc<Container>> {
        let state = self.get(id).await?.status.state;
        if state == *want {
            return self.sandboxes.find(id);
        }
        Err(not_in_state(code, state, &want.to_string()))
    }

    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let record = self.sandboxes.take(id)?;
        self.end(&record).await
    }

    /// Removes a sandbox that is no longer listed, and the volumes that go with it.
    async fn end(&self, record: &Arc<Container>) -> Result<()> {
        let orphans = self.sandboxes.orphans(record);
        let ended = self.end_with(record, &orphans).await;
        if ended.is_err() {
            self.sandboxes.restore(record, orphans);
        }
        ended
    }

    async fn end_with(&self, record: &Container, orphans: &[String]) -> Result<()> {
        self.remove_container(&record.name).await?;
        for volume in orphans {
            self.remove_volume(volume).await?;
        }
        Ok(())
    }

    /// Removes a container in any state; one that is gone is fine.
    pub(super) async fn remove_container(&self, name: &str) -> Result<()> {
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
        if let Some(record) = self.sandboxes.named(name)
            && let Ok(record) = self.sandboxes.take(&record.id)
        {
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

/// Ends the sandbox when its time has come.
pub(super) async fn expire(engine: Arc<Engine>, record: Arc<Container>) {
    if record.expired().await
        && let Ok(record) = engine.sandboxes.take(&record.id)
        && let Err(error) = engine.end(&record).await
    {
        // Nobody waits for this: the run's own clean-up tries again, and reports.
        tracing::warn!(sandbox = record.id, %error, "an expired sandbox could not be removed");
    }
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
