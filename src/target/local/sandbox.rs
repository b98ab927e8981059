//! A sandbox's life: create, look, pause, end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::execd::ExecdError;
use crate::execd::agent::architecture;
use crate::execd::enclosure::{Bind, Enclosure};
use crate::sandbox::{
    ApiError, Backend, CreateSandboxRequest, ImageSpec, SandboxInfo, SandboxState, SandboxStatus,
    ValidRequest,
};
use crate::target::record::{Draft, Record, Storage, not_in_state, warn_of};
use crate::target::request::{check_supported, start_failed, unsupported_backend};
use crate::target::{Handle, Owner, PROCESSES, Result, RunId, TargetError};

use super::process::Process;
use super::{IMAGE, Machine, cgroup};

/// Where programs are looked for inside.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The file beside a sandbox's mark that names its control groups, one in a line.
const CGROUPS: &str = "cgroups";

/// Least memory of a sandbox, as Docker has it.
const LEAST_MEMORY: i64 = 6 << 20;

/// Longest host name, in bytes.
const HOSTNAME: usize = 64;

type Sandbox = Record<Process>;

impl Machine {
    /// Creates and starts a sandbox. What a refused or failed request had made is removed.
    pub(super) async fn create(
        machine: &Arc<Self>,
        handle: &Handle,
        request: &CreateSandboxRequest,
    ) -> Result<SandboxInfo> {
        let valid = request.validate()?;
        let image = check_supported(request, &valid, architecture())?;
        if image.uri != IMAGE && !machine.any_image {
            let message = format!(
                "image \"{}\" cannot be had: the local target has no images, only this machine's \
                 own system, as \"{IMAGE}\"",
                image.uri
            );
            return Err(ApiError::invalid_parameter(message).into());
        }
        // Volumes that this request makes, so that it can take them back.
        let mut made = Vec::new();
        let claims = machine.sandboxes.claim(&valid);
        match machine.provision(handle, &valid, image, &mut made).await {
            Ok(record) => {
                let record = Arc::new(record);
                machine.sandboxes.insert(&record);
                if record.expires() {
                    tokio::spawn(expire(Arc::clone(machine), Arc::clone(&record)));
                }
                Ok(record.info(status(&record)))
            }
            Err(error) => {
                let mut cleared = vec![machine.clear(&handle.name).await];
                drop(claims);
                for volume in machine.sandboxes.unclaimed(made) {
                    cleared.push(machine.volumes.remove(&volume));
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
    ) -> Result<Sandbox> {
        let (binds, storage) = self.storage(&handle.owner, valid, made)?;
        if let Some(bytes) = valid
            .limits
            .memory_bytes
            .filter(|bytes| *bytes < LEAST_MEMORY)
        {
            let least = LEAST_MEMORY >> 20;
            return Err(start_failed(format!(
                "{bytes} bytes of memory are less than the least, {least} MiB"
            )));
        }
        let cgroups = self.cgroups.paths(&handle.name);
        self.marks.create(&handle.owner, &handle.name, |folder| {
            let lines: Vec<_> = cgroups.iter().map(|path| path.to_string_lossy()).collect();
            fs::write(folder.join(CGROUPS), lines.join("\n"))
        })?;
        self.cgroups
            .create(&cgroups, &valid.limits)
            .map_err(|error| start_failed(format!("its limits cannot be set: {error}")))?;
        let hostname: String = handle.name.chars().take(HOSTNAME).collect();
        let mut env = BTreeMap::from([
            ("PATH".to_owned(), PATH.to_owned()),
            ("HOME".to_owned(), "/root".to_owned()),
            ("HOSTNAME".to_owned(), hostname.clone()),
        ]);
        env.extend(valid.env.clone());
        let enclosure = Enclosure {
            hostname,
            entrypoint: valid.entrypoint.clone(),
            env,
            binds,
            // The rest is for programs: files that fill it all would have these killed.
            memory_bytes: valid.limits.memory_bytes.map(|bytes| bytes / 2),
            processes: PROCESSES,
        };
        let draft = Draft::new(&handle.name, valid, image, storage)?;
        handle.acceptance.accept(draft.info());
        let process = self.launcher.launch(&enclosure, &cgroups).await?;
        Ok(draft.finish(process))
    }

    fn storage(
        &self,
        owner: &Owner,
        valid: &ValidRequest,
        made: &mut Vec<String>,
    ) -> Result<(Vec<Bind>, Storage)> {
        let (mut binds, mut storage) = (Vec::new(), Storage::default());
        for mount in &valid.mounts {
            let source = match &mount.backend {
                Backend::Pvc(pvc) => {
                    let claim = &pvc.claim_name;
                    if self.volumes.ensure(owner, mount, pvc)? {
                        made.push(claim.clone());
                        if pvc.delete_on_sandbox_termination {
                            storage.doomed.push(claim.clone());
                        }
                    }
                    storage.claims.push(claim.clone());
                    self.volumes.source(mount, claim)?
                }
                Backend::Host(host) => self.allowlist.directory(mount, host)?,
                Backend::Ossfs(_) => return Err(unsupported_backend(mount)),
            };
            let target = Path::new(&mount.mount_path).to_owned();
            if target.starts_with("/proc") {
                let path = target.display();
                return Err(start_failed(format!("nothing can be mounted at {path}")));
            }
            binds.push(Bind {
                source,
                target,
                read_only: mount.read_only,
            });
        }
        Ok((binds, storage))
    }

    pub(super) fn get(&self, id: &str) -> Result<SandboxInfo> {
        let record = self.sandboxes.find(id)?;
        Ok(record.info(status(&record)))
    }

    pub(super) async fn pause(&self, id: &str) -> Result<()> {
        let record = self.expect(id, &SandboxState::Running, "DOCKER::SANDBOX_NOT_RUNNING")?;
        // First of all: no new command begins while the others are stopped.
        record.is_paused.store(true, Ordering::Relaxed);
        let frozen = record.body.client.freeze().await;
        frozen.map_err(|error| {
            record.is_paused.store(false, Ordering::Relaxed);
            // It may have ended just now: its agent's end is seen on its pipes first.
            let state = status(&record).state;
            match error {
                ExecdError::Transport { .. } if state == SandboxState::Running => {
                    not_in_state("DOCKER::SANDBOX_NOT_RUNNING", "ending", "Running")
                }
                ExecdError::Transport { .. } => {
                    not_in_state("DOCKER::SANDBOX_NOT_RUNNING", state, "Running")
                }
                error => error.into(),
            }
        })
    }

    pub(super) async fn resume(&self, id: &str) -> Result<()> {
        let record = self.expect(id, &SandboxState::Paused, "DOCKER::SANDBOX_NOT_PAUSED")?;
        record.body.client.thaw().await?;
        record.is_paused.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn expect(&self, id: &str, want: &SandboxState, code: &str) -> Result<Arc<Sandbox>> {
        let record = self.sandboxes.find(id)?;
        let state = status(&record).state;
        if state == *want {
            return Ok(record);
        }
        Err(not_in_state(code, state, &want.to_string()))
    }

    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let record = self.sandboxes.take(id)?;
        self.end(&record).await
    }

    /// Removes a sandbox that is no longer listed, and the volumes that go with it.
    async fn end(&self, record: &Arc<Sandbox>) -> Result<()> {
        let orphans = self.sandboxes.orphans(record);
        let ended = self.end_with(record, &orphans).await;
        if ended.is_err() {
            self.sandboxes.restore(record, orphans);
        }
        ended
    }

    async fn end_with(&self, record: &Sandbox, orphans: &[String]) -> Result<()> {
        record.body.kill().await?;
        self.clear(&record.name).await?;
        for volume in orphans {
            self.volumes.remove(volume)?;
        }
        Ok(())
    }

    /// Removes what a sandbox without processes leaves: its control groups, then its mark.
    async fn clear(&self, name: &str) -> Result<()> {
        let path = self.marks.path(name)?;
        let lines = fs::read_to_string(path.join(CGROUPS)).unwrap_or_default();
        let cgroups: Vec<PathBuf> = lines.lines().map(PathBuf::from).collect();
        cgroup::remove(&cgroups).await.map_err(|error| {
            TargetError::failed(format!("removing the control groups of {name}"), error)
        })?;
        self.marks.remove(name)
    }

    /// Removes a sandbox, and the volumes that go with it, if it carries the mark of `run`. One
    /// of a run that was killed has no processes any more: they end with the run's.
    pub(super) async fn remove_marked(&self, run: &RunId, name: &str) -> Result<()> {
        if let Some(record) = self.sandboxes.named(name)
            && let Ok(record) = self.sandboxes.take(&record.id)
        {
            return self.end(&record).await;
        }
        match self.marks.owner(name)? {
            Some(owner) if owner.run == *run => self.clear(name).await,
            _ => Ok(()),
        }
    }
}

/// How a sandbox fares.
pub(super) fn status(record: &Sandbox) -> SandboxStatus {
    let (state, reason) = match record.body.ended() {
        Some(0) => (SandboxState::Terminated, "CONTAINER_EXITED"),
        Some(_) => (SandboxState::Failed, "CONTAINER_EXITED_ERROR"),
        None if record.is_paused.load(Ordering::Relaxed) => {
            (SandboxState::Paused, "CONTAINER_PAUSED")
        }
        None => (SandboxState::Running, "CONTAINER_RUNNING"),
    };
    SandboxStatus {
        reason: Some(reason.into()),
        ..SandboxStatus::of(state)
    }
}

/// Ends the sandbox when its time has come.
async fn expire(machine: Arc<Machine>, record: Arc<Sandbox>) {
    if record.expired().await
        && let Ok(record) = machine.sandboxes.take(&record.id)
        && let Err(error) = machine.end(&record).await
    {
        // Nobody waits for this: the run's own clean-up tries again, and reports.
        tracing::warn!(sandbox = record.id, %error, "an expired sandbox could not be removed");
    }
}
