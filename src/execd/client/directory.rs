//! Directories.

use std::collections::BTreeMap;

use super::Client;
use super::request::Call;
use crate::execd::api::ExecdError;
use crate::execd::protocol::{FileInfo, Permission};

impl Client {
    /// Makes directories with their parents (`POST /directories`).
    ///
    /// # Errors
    /// When execd refuses one.
    pub async fn create_directories(
        &self,
        directories: &BTreeMap<String, Permission>,
    ) -> Result<(), ExecdError> {
        let call = Call::post("/directories").json(directories)?;
        self.send(call).await?.nothing().await
    }

    /// Removes directories with all that is in them (`DELETE /directories`).
    ///
    /// # Errors
    /// When execd refuses one.
    pub async fn delete_directories(&self, paths: &[&str]) -> Result<(), ExecdError> {
        let call = Call::delete("/directories").queries("path", paths);
        self.send(call).await?.nothing().await
    }

    /// Lists what is in a directory, `depth` levels of it, 1 where absent, in lexical order
    /// (`GET /directories/list`).
    ///
    /// # Errors
    /// When there is no such directory.
    pub async fn list_directory(
        &self,
        path: &str,
        depth: Option<u32>,
    ) -> Result<Vec<FileInfo>, ExecdError> {
        let call = Call::get("/directories/list").query("path", path);
        self.send(call.maybe("depth", depth)).await?.json().await
    }
}
