//! The execd of a sandbox as a client reaches it, on every target that has one to reach.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::execd::protocol::{FileInfo, FileMetadata, Permission};
use crate::execd::{
    Client, Command, CommandResult, Execd, ExecdError, ForwardRequest, ForwardResponse,
};
use crate::sandbox::{ApiError, SandboxInfo, SandboxState};

use super::{Result, TargetError};

/// The port that execd has in a sandbox.
pub(super) const EXECD_PORT: u16 = 44772;

/// How long a sandbox whose execd no longer answers may still be called running.
const ENDING: Duration = Duration::from_secs(1);

/// What can say how a sandbox fares.
#[async_trait]
pub(super) trait Lookup: Send + Sync {
    /// The sandbox with this id.
    async fn look_up(&self, id: &str) -> Result<SandboxInfo>;

    /// Whether it is known to be paused, so that its execd need not be asked.
    fn is_paused(&self, id: &str) -> bool;
}

/// A sandbox's execd.
pub(super) struct SandboxExecd {
    pub(super) client: Client,
    /// The sandbox.
    pub(super) id: String,
    pub(super) lookup: Arc<dyn Lookup>,
}

/// Passes a request on to a port of a sandbox whose execd is reached through `client`: to execd's
/// own, as sandboxes without a network have no other.
pub(super) async fn forward(
    client: Option<&Client>,
    is_paused: bool,
    port: u16,
    request: ForwardRequest,
) -> Result<ForwardResponse> {
    if is_paused {
        return Err(not_running(&SandboxState::Paused).into());
    }
    match client.filter(|_| port == EXECD_PORT) {
        Some(client) => Ok(client.forward(request).await?),
        None => {
            let message = format!("nothing can be reached on port {port} of the sandbox");
            Err(ApiError::new(502, "BACKEND_CONNECTION_FAILED", message).into())
        }
    }
}

fn not_running(what: &dyn std::fmt::Display) -> ExecdError {
    let message = format!("the sandbox is {what}");
    ExecdError::api(409, "DOCKER::SANDBOX_NOT_RUNNING", message)
}

impl SandboxExecd {
    /// The answer, or a better reason than that there was none: the sandbox is paused, or has
    /// ended.
    async fn answer<T>(
        &self,
        call: impl Future<Output = Result<T, ExecdError>>,
    ) -> Result<T, ExecdError> {
        if self.lookup.is_paused(&self.id) {
            return Err(not_running(&SandboxState::Paused));
        }
        let error = match call.await {
            Err(error @ ExecdError::Transport { .. }) => error,
            answered => return answered,
        };
        // execd's end is seen on its connection before it is seen on the sandbox.
        let patience = Instant::now() + ENDING;
        loop {
            match self.lookup.look_up(&self.id).await {
                Ok(info) if info.status.state == SandboxState::Running => {
                    if Instant::now() > patience {
                        return Err(error);
                    }
                    sleep(Duration::from_millis(10)).await;
                }
                Ok(info) => return Err(not_running(&info.status.state)),
                Err(TargetError::Api(ApiError {
                    status,
                    code,
                    message,
                    ..
                })) => return Err(ExecdError::api(status, code, message)),
                // Nobody can say any more what became of it.
                Err(gone @ TargetError::Unreachable { .. }) => {
                    return Err(ExecdError::transport("asking for the sandbox", gone));
                }
                Err(_) => return Err(error),
            }
        }
    }
}

#[async_trait]
impl Execd for SandboxExecd {
    async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError> {
        self.answer(self.client.run(command)).await
    }

    async fn read_file(&self, path: &str) -> Result<Vec<u8>, ExecdError> {
        let data = self.answer(self.client.download(path)).await?;
        Ok(data.into())
    }

    async fn write_file(
        &self,
        path: &str,
        data: &[u8],
        mode: Option<u32>,
    ) -> Result<(), ExecdError> {
        let permission = Permission {
            mode: Some(mode.unwrap_or(644)),
            ..Permission::default()
        };
        let path = path.to_owned();
        let files = [(FileMetadata { path, permission }, data.to_vec().into())];
        self.answer(self.client.upload(&files)).await
    }

    async fn file_info(&self, path: &str) -> Result<FileInfo, ExecdError> {
        let mut found: BTreeMap<_, _> = self.answer(self.client.file_info(&[path])).await?;
        found.remove(path).ok_or_else(|| {
            ExecdError::transport(
                format!("describing \"{path}\""),
                "the answer does not hold it",
            )
        })
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<FileInfo>, ExecdError> {
        self.answer(self.client.list_directory(path, Some(1))).await
    }

    async fn delete_file(&self, path: &str) -> Result<(), ExecdError> {
        self.answer(self.client.delete_files(&[path])).await
    }
}
