//! `/directories`: what is in them; made and removed as trees.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use osb_conformance::execd::protocol::Permission;

use crate::error::{Refusal, json};
use crate::file::account::Accounts;
use crate::file::permission::Access;
use crate::file::walk::Walk;
use crate::file::{info, path, work};
use crate::server::{Pairs, first};

/// Mode of a new directory that none was asked for.
const MODE: u32 = 0o755;

/// `GET /directories/list`: `depth` levels, each entry after the directory that it is in.
pub(crate) async fn list(Query(query): Query<Pairs>) -> Result<Response, Refusal> {
    let root = path::one(&query)?;
    let depth = match first(&query, "depth").filter(|text| !text.is_empty()) {
        None => 1,
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::body(format!("depth \"{text}\" must be a number, at least 0")))?,
    };
    work(move || {
        let metadata = fs::symlink_metadata(&root).map_err(failed(&root))?;
        if !metadata.is_dir() {
            let message = format!("\"{}\" is no directory", root.display());
            return Err(path::invalid(message));
        }
        let accounts = Accounts::read();
        let walk = Walk::below(&root, depth).map_err(failed(&root))?;
        let entries = walk.map(|(path, metadata)| info::describe(&path, &metadata, &accounts));
        Ok(Json(Vec::from_iter(entries)).into_response())
    })
    .await
}

/// `POST /directories`: with their parents; one that is there already stays as it is.
pub(crate) async fn create(body: Bytes) -> Result<Response, Refusal> {
    let request: BTreeMap<String, Permission> = json(&body)?;
    work(move || {
        let accounts = Accounts::read();
        // All are looked at before the first is made.
        let wanted = request.iter().map(|(path, permission)| {
            Ok((path::check(path)?, Access::resolve(permission, &accounts)?))
        });
        let wanted: Vec<(PathBuf, Access)> = wanted.collect::<Result<_, Refusal>>()?;
        // Those that are there now: a directory that is made as another's parent gets its mode.
        let missing = wanted.into_iter().filter(|(path, _)| !path.is_dir());
        for (path, mut access) in missing.collect::<Vec<_>>() {
            fs::create_dir_all(&path).map_err(path::failed(&path))?;
            access.mode.get_or_insert(MODE);
            access.apply(&path)?;
        }
        Ok(StatusCode::OK.into_response())
    })
    .await
}

/// `DELETE /directories`: with everything in them; one that is missing is fine, and so is a file.
pub(crate) async fn delete(Query(query): Query<Pairs>) -> Result<Response, Refusal> {
    let paths = path::all(&query)?;
    // Looked at before the first is removed.
    if let Some((asked, _)) = paths.iter().find(|(_, path)| path.file_name().is_none()) {
        let message = format!("\"{asked}\" cannot be removed: it is the root, or ends in \"..\"");
        return Err(path::invalid(message));
    }
    work(move || {
        for (_, path) in paths {
            let removed = match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
                Ok(_) => fs::remove_file(&path),
                Err(error) => Err(error),
            };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(path::failed(&path)(error));
                }
                _ => {}
            }
        }
        Ok(StatusCode::OK.into_response())
    })
    .await
}

/// As [`path::failed`], where no file was asked for.
fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Refusal + '_ {
    move |error| {
        if error.kind() == ErrorKind::NotFound {
            let message = format!("there is no directory \"{}\"", path.display());
            return Refusal::new(StatusCode::NOT_FOUND, "FILE_NOT_FOUND", message);
        }
        path::failed(path)(error)
    }
}
