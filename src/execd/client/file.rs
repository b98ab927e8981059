//! Files: what they are, what is in them, where they are.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderValue, RANGE};
use uuid::Uuid;

use super::Client;
use super::request::Call;
use crate::execd::api::ExecdError;
use crate::execd::protocol::{
    FileInfo, FileMetadata, Permission, RenameFileItem, ReplaceFileContentItem,
    ReplaceFileContentResult,
};

impl Client {
    /// Describes files, links not followed, by the paths that are asked for (`GET /files/info`).
    ///
    /// # Errors
    /// When there is no such file.
    pub async fn file_info(
        &self,
        paths: &[&str],
    ) -> Result<BTreeMap<String, FileInfo>, ExecdError> {
        let call = Call::get("/files/info").queries("path", paths);
        self.send(call).await?.json().await
    }

    /// Removes files, not directories (`DELETE /files`).
    ///
    /// # Errors
    /// When execd refuses one.
    pub async fn delete_files(&self, paths: &[&str]) -> Result<(), ExecdError> {
        let call = Call::delete("/files").queries("path", paths);
        self.send(call).await?.nothing().await
    }

    /// Sets modes and owners (`POST /files/permissions`).
    ///
    /// # Errors
    /// When there is no such file, or execd may not.
    pub async fn set_permissions(
        &self,
        permissions: &BTreeMap<String, Permission>,
    ) -> Result<(), ExecdError> {
        let call = Call::post("/files/permissions").json(permissions)?;
        self.send(call).await?.nothing().await
    }

    /// Moves files and directories (`POST /files/mv`).
    ///
    /// # Errors
    /// When there is no such file.
    pub async fn move_files(&self, items: &[RenameFileItem]) -> Result<(), ExecdError> {
        let call = Call::post("/files/mv").json(items)?;
        self.send(call).await?.nothing().await
    }

    /// Finds files below `path`, all where there is no `pattern` (`GET /files/search`).
    ///
    /// # Errors
    /// When there is no such directory, or the pattern is none.
    pub async fn search(
        &self,
        path: &str,
        pattern: Option<&str>,
    ) -> Result<Vec<FileInfo>, ExecdError> {
        let call = Call::get("/files/search").query("path", path);
        let call = call.maybe("pattern", pattern);
        self.send(call).await?.json().await
    }

    /// Replaces text in files and answers in how many places of each (`POST /files/replace`).
    ///
    /// # Errors
    /// When there is no such file, or nothing to look for.
    pub async fn replace(
        &self,
        items: &BTreeMap<String, ReplaceFileContentItem>,
    ) -> Result<BTreeMap<String, u64>, ExecdError> {
        let call = Call::post("/files/replace").query("verbose", "true");
        let answer = self.send(call.json(items)?).await?;
        let counts: BTreeMap<String, ReplaceFileContentResult> = answer.json().await?;
        let count = |(path, result): (_, ReplaceFileContentResult)| (path, result.replaced_count);
        Ok(counts.into_iter().map(count).collect())
    }

    /// Writes whole files with their parents, over what is there (`POST /files/upload`).
    ///
    /// # Errors
    /// When execd refuses one.
    pub async fn upload(&self, files: &[(FileMetadata, Bytes)]) -> Result<(), ExecdError> {
        let boundary = format!("osb-{}", Uuid::new_v4().simple());
        let body = form(&boundary, files)
            .map_err(|error| ExecdError::transport("writing a file's metadata", error))?;
        let kind = format!("multipart/form-data; boundary={boundary}");
        let kind = HeaderValue::try_from(kind)
            .map_err(|error| ExecdError::transport("writing POST /files/upload", error))?;
        let call = Call::post("/files/upload").body(kind, body.into());
        self.send(call).await?.nothing().await
    }

    /// Reads a whole file, up to 1 GiB (`GET /files/download`).
    ///
    /// # Errors
    /// When there is no such file, or it is larger.
    pub async fn download(&self, path: &str) -> Result<Bytes, ExecdError> {
        let call = Call::get("/files/download").query("path", path);
        self.send(call).await?.file().await
    }

    /// Reads a part of a file; `range` as the header of that name has it, such as `bytes=0-9`.
    ///
    /// # Errors
    /// As [`Client::download`]; when the file has no such part; and when execd answers with all
    /// of it.
    pub async fn download_range(&self, path: &str, range: &str) -> Result<Bytes, ExecdError> {
        let range = HeaderValue::try_from(range)
            .map_err(|error| ExecdError::transport(format!("the range {range:?}"), error))?;
        let call = Call::get("/files/download").query("path", path);
        let answer = self.send(call.header(RANGE, range)).await?;
        if answer.status != StatusCode::PARTIAL_CONTENT {
            let what = format!("the status is {} instead of 206", answer.status.as_u16());
            let context = format!("{} of a range", answer.context);
            return Err(ExecdError::transport(context, what));
        }
        answer.file().await
    }

    /// Reads `limit` lines of a file from line `offset` on, which counts from 1.
    ///
    /// # Errors
    /// As [`Client::download`]; and when execd refuses the numbers.
    pub async fn read_lines(
        &self,
        path: &str,
        offset: Option<u64>,
        limit: Option<u64>,
    ) -> Result<Bytes, ExecdError> {
        let call = Call::get("/files/download").query("path", path);
        let call = call.maybe("offset", offset).maybe("limit", limit);
        self.send(call).await?.file().await
    }
}

/// A form of files, each after its metadata. Metadata is itself a part with a file's name: other
/// parts execd does not take for it.
fn form(boundary: &str, files: &[(FileMetadata, Bytes)]) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut part = |name: &str, kind: &str, content: &[u8]| {
        let head = format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        // Once for a large file, instead of in steps.
        body.reserve(head.len() + content.len() + 2);
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    for (metadata, content) in files {
        let metadata = serde_json::to_vec(metadata)?;
        part("metadata", "application/json", &metadata);
        part("file", "application/octet-stream", content);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_pairs_of_metadata_and_file() {
        let metadata = FileMetadata {
            path: "/å \"b\"".into(),
            permission: Permission {
                mode: Some(644),
                ..Permission::default()
            },
        };
        let body = form("B", &[(metadata, Bytes::from_static(b"\0\r\n--"))]).expect("a form");
        let expected = "--B\r\n\
            Content-Disposition: form-data; name=\"metadata\"; filename=\"metadata\"\r\n\
            Content-Type: application/json\r\n\r\n\
            {\"path\":\"/å \\\"b\\\"\",\"mode\":644}\r\n\
            --B\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n\
            \0\r\n--\r\n\
            --B--\r\n";
        assert_eq!(String::from_utf8(body).expect("text"), expected);
        assert_eq!(form("B", &[]).expect("a form"), b"--B--\r\n");
    }
}
