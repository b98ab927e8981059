//! The execd of a server's sandbox, wherever the server says that it is by now.

use std::sync::Arc;

use async_trait::async_trait;

use crate::execd::protocol::FileInfo;
use crate::execd::{Command, CommandResult, Execd, ExecdError};
use crate::target::TargetError;
use crate::target::reach::SandboxExecd;

use super::sandbox::Server;

/// A sandbox's execd, found anew when its place may have changed.
pub(super) struct ServerExecd {
    server: Arc<Server>,
    id: String,
}

impl ServerExecd {
    pub(super) fn new(server: &Arc<Server>, id: &str) -> Self {
        Self {
            server: Arc::clone(server),
            id: id.into(),
        }
    }

    async fn reach(&self) -> Result<SandboxExecd, ExecdError> {
        let client = self
            .server
            .client(&self.id)
            .await
            .map_err(|error| match error {
                TargetError::Api(error) => ExecdError::api(error.status, error.code, error.message),
                other => ExecdError::transport("finding the sandbox's execd", other),
            })?;
        Ok(SandboxExecd {
            client,
            id: self.id.clone(),
            lookup: Arc::clone(&self.server) as _,
        })
    }
}

#[async_trait]
impl Execd for ServerExecd {
    async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError> {
        self.reach().await?.run(command).await
    }

    async fn read_file(&self, path: &str) -> Result<Vec<u8>, ExecdError> {
        self.reach().await?.read_file(path).await
    }

    async fn write_file(
        &self,
        path: &str,
        data: &[u8],
        mode: Option<u32>,
    ) -> Result<(), ExecdError> {
        self.reach().await?.write_file(path, data, mode).await
    }

    async fn file_info(&self, path: &str) -> Result<FileInfo, ExecdError> {
        self.reach().await?.file_info(path).await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<FileInfo>, ExecdError> {
        self.reach().await?.list_directory(path).await
    }

    async fn delete_file(&self, path: &str) -> Result<(), ExecdError> {
        self.reach().await?.delete_file(path).await
    }
}
