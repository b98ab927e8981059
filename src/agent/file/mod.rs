//! `/files`: what files there are, whose they are, and what is in them.
//!
//! Everything here is done by blocking calls, away from the thread that serves; see [`work`].

pub(crate) mod account;
pub(crate) mod download;
pub(crate) mod info;
mod line;
pub(crate) mod path;
pub(crate) mod permission;
mod range;
pub(crate) mod replace;
pub(crate) mod search;
pub(crate) mod upload;
pub(crate) mod walk;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use axum::Json;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use osb_conformance::execd::protocol::{FileInfo, Permission, RenameFileItem};
use tokio::sync::oneshot;

use crate::error::{Refusal, json};
use crate::server::Pairs;

use account::Accounts;
use permission::Access;

/// Makes an answer by blocking calls, away from the one thread that serves.
pub(crate) async fn work(
    work: impl FnOnce() -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let (done, answer) = oneshot::channel();
    detach(Box::new(move || {
        // A client that has gone needs no answer.
        let _ = done.send(work());
    }));
    let lost = |_| Err(Refusal::runtime("the agent gave the request up"));
    answer.await.unwrap_or_else(lost)
}

/// Lets blocking calls be made while the thread that serves goes on.
///
/// In a box, as one type: tokio's part would be compiled for each kind of work anew.
fn detach(work: Box<dyn FnOnce() + Send>) {
    tokio::task::spawn_blocking(work);
}

/// `GET /files/info`: links are not followed.
pub(crate) async fn info(Query(query): Query<Pairs>) -> Result<Response, Refusal> {
    let paths = path::all(&query)?;
    work(move || {
        let accounts = Accounts::read();
        let mut found: BTreeMap<String, FileInfo> = BTreeMap::new();
        for (asked, path) in paths {
            let metadata = fs::symlink_metadata(&path).map_err(path::failed(&path))?;
            found.insert(asked, info::describe(&path, &metadata, &accounts));
        }
        Ok(Json(found).into_response())
    })
    .await
}

/// `DELETE /files`: one that is missing is fine, a directory is not.
pub(crate) async fn delete(Query(query): Query<Pairs>) -> Result<Response, Refusal> {
    let paths = path::all(&query)?;
    work(move || {
        for (_, path) in paths {
            match fs::remove_file(&path) {
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

/// `POST /files/permissions`.
pub(crate) async fn permit(body: Bytes) -> Result<Response, Refusal> {
    let request: BTreeMap<String, Permission> = json(&body)?;
    work(move || {
        let accounts = Accounts::read();
        // All are looked at before the first is changed.
        let wanted = request.iter().map(|(path, permission)| {
            Ok((path::check(path)?, Access::resolve(permission, &accounts)?))
        });
        for (path, access) in wanted.collect::<Result<Vec<_>, Refusal>>()? {
            access.apply(&path)?;
        }
        Ok(StatusCode::OK.into_response())
    })
    .await
}

/// `POST /files/mv`: never over something that is there already.
pub(crate) async fn rename(body: Bytes) -> Result<Response, Refusal> {
    let request: Vec<RenameFileItem> = json(&body)?;
    let ways = request
        .iter()
        .map(|item| Ok((path::check(&item.src)?, path::check(&item.dest)?)));
    let ways: Vec<(PathBuf, PathBuf)> = ways.collect::<Result<_, Refusal>>()?;
    work(move || {
        for (from, to) in ways {
            fs::symlink_metadata(&from).map_err(path::failed(&from))?;
            if fs::symlink_metadata(&to).is_ok() {
                let message = format!("\"{}\" exists already", to.display());
                return Err(Refusal::runtime(message));
            }
            path::make_parents(&to)?;
            fs::rename(&from, &to).map_err(|error| {
                let (from, to) = (from.display(), to.display());
                Refusal::runtime(format!("\"{from}\" cannot become \"{to}\": {error}"))
            })?;
        }
        Ok(StatusCode::OK.into_response())
    })
    .await
}
