//! `POST /files/upload`: files from a multipart form.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use osb_conformance::execd::protocol::FileMetadata;

use crate::error::Refusal;
use crate::file::account::Accounts;
use crate::file::permission::Access;
use crate::file::{path, work};

/// Mode of a new file that none was asked for.
const MODE: u32 = 0o644;

/// Mode of a new file until it is what was asked for: others must not read it before.
const PRIVATE: u32 = 0o600;

/// One file to write.
struct Upload {
    path: PathBuf,
    access: Access,
    content: Bytes,
}

/// `POST /files/upload`: the first part `metadata` goes with the first part `file`, and so on.
pub(crate) async fn upload(
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let mut form = form.map_err(|rejection| {
        path::invalid(format!("the body is no form: {}", rejection.body_text()))
    })?;
    let (mut metadata, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = form.next_field().await.map_err(broken)? {
        // Some clients give `metadata` a file name, others do not; both are read alike.
        match part.name() {
            Some("metadata") => metadata.push(part.bytes().await.map_err(broken)?),
            Some("file") => files.push(part.bytes().await.map_err(broken)?),
            _ => {}
        }
    }
    if metadata.is_empty() {
        return Err(path::invalid("the form has no part metadata"));
    }
    if files.is_empty() {
        return Err(path::invalid("the form has no part file"));
    }
    let (described, sent) = (metadata.len(), files.len());
    if described != sent {
        let message = format!("parts metadata and parts file do not pair: {described} and {sent}");
        return Err(path::invalid(message));
    }
    work(move || {
        let accounts = Accounts::read();
        let pairs = metadata.iter().zip(files);
        let uploads = pairs.map(|(metadata, content)| Upload::read(metadata, content, &accounts));
        // All are looked at before the first is written.
        for upload in uploads.collect::<Result<Vec<_>, _>>()? {
            upload.write()?;
        }
        Ok(StatusCode::OK.into_response())
    })
    .await
}

/// A form that ends too early, is none, or is larger than the agent takes.
fn broken(error: MultipartError) -> Refusal {
    let message = format!("the form cannot be read: {}", error.body_text());
    Refusal::new(error.status(), "INVALID_FILE_CONTENT", message)
}

impl Upload {
    fn read(metadata: &[u8], content: Bytes, accounts: &Accounts) -> Result<Self, Refusal> {
        let refused = |message: String| {
            Refusal::new(StatusCode::BAD_REQUEST, "INVALID_FILE_METADATA", message)
        };
        let metadata: FileMetadata = serde_json::from_slice(metadata)
            .map_err(|error| refused(format!("metadata cannot be read: {error}")))?;
        if metadata.path.is_empty() {
            return Err(refused("metadata needs a path".into()));
        }
        Ok(Self {
            path: path::check(&metadata.path)?,
            access: Access::resolve(&metadata.permission, accounts)?,
            content,
        })
    }

    fn write(mut self) -> Result<(), Refusal> {
        let path = &self.path;
        match fs::metadata(path) {
            Ok(metadata) => path::check_regular(path, &metadata)?,
            Err(_) => {
                path::make_parents(path)?;
                self.access.mode.get_or_insert(MODE);
            }
        }
        // The file that is there is truncated and not replaced: it may be on a volume, where
        // others hold it open.
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(PRIVATE)
            .open(path)
            .map_err(path::failed(path))?;
        let written = file.write_all(&self.content);
        written.map_err(path::failed(path))?;
        self.access.apply(path)
    }
}
