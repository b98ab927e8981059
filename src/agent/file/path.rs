//! The paths that requests name, and how those are refused that cannot be used.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use axum::http::StatusCode;

use crate::error::Refusal;
use crate::server::{Pairs, first};

/// 400 `INVALID_FILE`.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "INVALID_FILE", message)
}

/// 404 `FILE_NOT_FOUND` for what is missing, 500 for everything else.
pub(crate) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Refusal + '_ {
    move |error| {
        let path = path.display();
        // Below a file there is none, either.
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            let message = format!("there is no file \"{path}\"");
            return Refusal::new(StatusCode::NOT_FOUND, "FILE_NOT_FOUND", message);
        }
        Refusal::runtime(format!("\"{path}\": {error}"))
    }
}

/// The path, if it can be one.
pub(crate) fn check(path: &str) -> Result<PathBuf, Refusal> {
    if !path.starts_with('/') {
        return Err(invalid(format!("the path \"{path}\" must be absolute")));
    }
    if path.contains('\0') {
        let message = format!("the path \"{path}\" must not hold a NUL character");
        return Err(invalid(message));
    }
    // A slash at its end goes: the system would follow a link before it.
    Ok(Path::new(path).components().collect())
}

/// Every query parameter `path`, also as it was asked for.
pub(crate) fn all(query: &Pairs) -> Result<Vec<(String, PathBuf)>, Refusal> {
    let named = query.iter().filter(|(key, _)| key == "path");
    let paths = named.map(|(_, path)| Ok((path.clone(), check(path)?)));
    let paths: Vec<_> = paths.collect::<Result<_, Refusal>>()?;
    if paths.is_empty() {
        return Err(Refusal::query("path"));
    }
    Ok(paths)
}

/// The query parameter `path`.
pub(crate) fn one(query: &Pairs) -> Result<PathBuf, Refusal> {
    let path = first(query, "path").filter(|path| !path.is_empty());
    check(path.ok_or_else(|| Refusal::query("path"))?)
}

/// Refuses what is no regular file: a pipe, say, may never end.
pub(crate) fn check_regular(path: &Path, metadata: &fs::Metadata) -> Result<(), Refusal> {
    let path = path.display();
    if metadata.is_dir() {
        return Err(invalid(format!("\"{path}\" is a directory")));
    }
    if !metadata.is_file() {
        return Err(invalid(format!("\"{path}\" is no regular file")));
    }
    Ok(())
}

/// Makes the directories that a new file's path leads through.
pub(crate) fn make_parents(path: &Path) -> Result<(), Refusal> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(failed(parent)),
        None => Ok(()),
    }
}
