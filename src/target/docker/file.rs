//! Files of a running container, as execd serves them, through the engine's archives.

use bollard::Docker;
use bollard::errors::Error;
use jiff::Timestamp;

use crate::execd::{ExecdError, FileInfo, FileType};

use super::archive::{self, ArchiveError, Builder, Entry, Kind};
use super::error::{status, words};

fn not_found(path: &str) -> ExecdError {
    ExecdError::api(
        404,
        "FILE_NOT_FOUND",
        format!("there is no file \"{path}\""),
    )
}

fn invalid(message: String) -> ExecdError {
    ExecdError::api(400, "INVALID_FILE", message)
}

fn engine(context: &str, path: &str) -> impl FnOnce(Error) -> ExecdError {
    let context = format!("{context} \"{path}\"");
    move |error| match status(&error) {
        Some(http) => ExecdError::api(
            http,
            "RUNTIME_ERROR",
            format!("{context}: {}", words(&error)),
        ),
        None => ExecdError::transport(format!("{context} failed"), error),
    }
}

fn fetched(context: &str, path: &str) -> impl FnOnce(ArchiveError) -> ExecdError {
    let (context, path) = (context.to_owned(), path.to_owned());
    move |error| match error {
        ArchiveError::Engine(error) => engine(&context, &path)(error),
        other => ExecdError::transport(format!("{context} \"{path}\" failed"), other),
    }
}

/// `path` with its last component followed where it is a link.
async fn follow(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<(String, Kind), ExecdError> {
    let stat = async |path: &str| {
        let kind = archive::stat(docker, container, path)
            .await
            .map_err(engine("looking for", path))?;
        kind.ok_or_else(|| not_found(path))
    };
    match stat(path).await? {
        Kind::Symlink(target) => {
            let kind = stat(&target).await?;
            Ok((target, kind))
        }
        kind => Ok((path.to_owned(), kind)),
    }
}

pub(super) async fn read(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<Vec<u8>, ExecdError> {
    check(path)?;
    let (path, kind) = follow(docker, container, path).await?;
    if kind == Kind::Directory {
        return Err(invalid(format!("\"{path}\" is a directory")));
    }
    let entries = archive::get(docker, container, &path)
        .await
        .map_err(fetched("reading", &path))?;
    entries
        .into_iter()
        .next()
        .map(|entry| entry.data)
        .ok_or_else(|| not_found(&path))
}

pub(super) async fn write(
    docker: &Docker,
    container: &str,
    path: &str,
    data: &[u8],
    mode: Option<u32>,
) -> Result<(), ExecdError> {
    check(path)?;
    let mode = match mode {
        None => 0o644,
        Some(mode) => u32::from_str_radix(&mode.to_string(), 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| {
                invalid(format!(
                    "mode {mode} is not written in octal digits, such as 644"
                ))
            })?,
    };
    // Unpacked in the deepest folder that exists: the engine checks that one for read-only
    // mounts, and existing folders keep their owner and mode.
    let (mut base, mut inner) = path
        .rsplit_once('/')
        .map(|(b, i)| (b, i.to_owned()))
        .unwrap_or(("", path.into()));
    let name = path;
    loop {
        let folder = if base.is_empty() { "/" } else { base };
        match follow(docker, container, folder).await {
            Ok((_, Kind::Directory)) => break,
            Ok(_) => return Err(invalid(format!("\"{folder}\" is no directory"))),
            Err(ExecdError::Api {
                status: 404, code, ..
            }) if code == "FILE_NOT_FOUND" && !base.is_empty() => {
                let (parent, part) = base.rsplit_once('/').unwrap_or(("", base));
                inner = format!("{part}/{inner}");
                base = parent;
            }
            Err(error) => return Err(error),
        }
    }
    let pack = || -> std::io::Result<Vec<u8>> {
        let mut tar = Builder::new();
        for (at, _) in inner.match_indices('/') {
            tar.directory(&inner[..at])?;
        }
        tar.file(&inner, mode, data)?;
        tar.finish()
    };
    let tar = pack().map_err(|error| invalid(format!("\"{name}\": {error}")))?;
    let folder = if base.is_empty() { "/" } else { base };
    archive::put(docker, container, folder, tar)
        .await
        .map_err(engine("writing", name))
}

pub(super) async fn info(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<FileInfo, ExecdError> {
    check(path)?;
    let kind = archive::stat(docker, container, path)
        .await
        .map_err(engine("looking for", path))?;
    kind.ok_or_else(|| not_found(path))?;
    let entries = archive::get(docker, container, path)
        .await
        .map_err(fetched("describing", path))?;
    entries
        .first()
        .map(|entry| describe(path.to_owned(), entry))
        .ok_or_else(|| not_found(path))
}

pub(super) async fn list(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<Vec<FileInfo>, ExecdError> {
    check(path)?;
    let (_, kind) = follow(docker, container, path).await?;
    if kind != Kind::Directory {
        return Err(invalid(format!("\"{path}\" is no directory")));
    }
    // With the trailing slash a link to a directory is followed.
    let entries = archive::get(docker, container, &format!("{path}/."))
        .await
        .map_err(fetched("listing", path))?;
    let mut files: Vec<_> = entries
        .iter()
        .filter_map(|entry| child(path, entry))
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The description of an entry right below the directory `path`.
fn child(path: &str, entry: &Entry) -> Option<FileInfo> {
    let below = entry.path.trim_start_matches("./").trim_end_matches('/');
    let is_child = !below.is_empty() && below != "." && !below.contains('/');
    is_child.then(|| describe(format!("{}/{below}", path.trim_end_matches('/')), entry))
}

fn describe(path: String, entry: &Entry) -> FileInfo {
    let header = &entry.header;
    let name =
        |name: Result<Option<&str>, std::str::Utf8Error>, id: std::io::Result<u64>, root: &str| {
            match (name, id) {
                (Ok(Some(name)), _) if !name.is_empty() => name.to_owned(),
                (_, Ok(0)) => root.to_owned(),
                (_, Ok(id)) => id.to_string(),
                _ => "unknown".into(),
            }
        };
    let seconds = header
        .mtime()
        .ok()
        .and_then(|seconds| i64::try_from(seconds).ok());
    let mode = header.mode().unwrap_or_default() & 0o7777;
    let modified_at = seconds
        .and_then(|s| Timestamp::from_second(s).ok())
        .unwrap_or_default();
    FileInfo {
        path,
        size: header.size().unwrap_or_default(),
        modified_at,
        // An archive does not tell more.
        created_at: modified_at,
        owner: name(header.username(), header.uid(), "root"),
        group: name(header.groupname(), header.gid(), "root"),
        mode: format!("{mode:o}").parse().unwrap_or_default(),
        file_type: match header.entry_type() {
            tar::EntryType::Regular => FileType::File,
            tar::EntryType::Directory => FileType::Directory,
            tar::EntryType::Symlink => FileType::Symlink,
            _ => FileType::Other,
        },
    }
}

fn check(path: &str) -> Result<(), ExecdError> {
    if path.starts_with('/') && !path.contains('\0') {
        return Ok(());
    }
    Err(invalid(format!("the path \"{path}\" must be absolute")))
}
