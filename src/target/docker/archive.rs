//! Files in and out of containers, running or not, by the engine's archive API: no shell is
//! needed, and bytes stay what they are.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::body_full;
use bollard::errors::Error;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use futures_util::TryStreamExt;

/// Most bytes that are taken out of a container at once.
const LARGEST: usize = 256 << 20;

/// Bits of Go's `fs.FileMode`, in which the engine describes files.
const DIRECTORY: u64 = 1 << 31;
const SYMLINK: u64 = 1 << 27;

/// What a path in a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// A link; its target fully resolved within the container's root.
    Symlink(String),
    Other,
}

/// An archive that cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error(transparent)]
    Engine(#[from] Error),
    #[error("it is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    #[error("the engine's archive cannot be read: {0}")]
    Broken(#[from] std::io::Error),
}

/// One file of an archive.
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) header: tar::Header,
    pub(super) data: Vec<u8>,
}

/// What `path` is, its last component not followed; `None` where there is nothing.
pub(super) async fn stat(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<Option<Kind>, Error> {
    let options = ContainerArchiveInfoOptionsBuilder::default()
        .path(path)
        .build();
    match docker
        .get_container_archive_info(container, Some(options))
        .await
    {
        Ok(stat) => {
            let mode = u64::from(stat.file_mode);
            Ok(Some(if mode & SYMLINK != 0 {
                Kind::Symlink(stat.link_target)
            } else if mode & DIRECTORY != 0 {
                Kind::Directory
            } else {
                Kind::Other
            }))
        }
        Err(error) if super::error::status(&error) == Some(404) => Ok(None),
        // The answer to a HEAD request has no words; the same path asked with GET has.
        Err(error) if super::error::status(&error).is_some() => {
            match get(docker, container, path).await {
                Err(ArchiveError::Engine(error)) => match super::error::words(&error) {
                    words if words.contains("not a directory") => Ok(None),
                    _ => Err(error),
                },
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Fetches `path`: a file is one entry, a directory itself and everything below it.
pub(super) async fn get(
    docker: &Docker,
    container: &str,
    path: &str,
) -> Result<Vec<Entry>, ArchiveError> {
    let options = DownloadFromContainerOptionsBuilder::default()
        .path(path)
        .build();
    let mut stream = std::pin::pin!(docker.download_from_container(container, Some(options)));
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(ArchiveError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut entries = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut data = Vec::new();
        entry.read_to_end(&mut data)?;
        entries.push(Entry {
            path,
            header: entry.header().clone(),
            data,
        });
    }
    Ok(entries)
}

/// Unpacks a tar archive into the directory `path`.
pub(super) async fn put(
    docker: &Docker,
    container: &str,
    path: &str,
    tar: Vec<u8>,
) -> Result<(), Error> {
    let options = UploadToContainerOptionsBuilder::default()
        .path(path)
        .build();
    docker
        .upload_to_container(container, Some(options), body_full(tar.into()))
        .await
}

/// A tar archive in the making; everything in it belongs to root.
pub(super) struct Builder {
    tar: tar::Builder<Vec<u8>>,
    now: u64,
}

impl Builder {
    /// An empty archive whose entries carry the present time.
    pub(super) fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_secs());
        Self {
            tar: tar::Builder::new(Vec::new()),
            now,
        }
    }

    /// Adds a directory with mode 755.
    pub(super) fn directory(&mut self, path: &str) -> std::io::Result<()> {
        self.entry(path, tar::EntryType::Directory, 0o755, &[])
    }

    /// Adds a file.
    pub(super) fn file(&mut self, path: &str, mode: u32, data: &[u8]) -> std::io::Result<()> {
        self.entry(path, tar::EntryType::Regular, mode, data)
    }

    fn entry(
        &mut self,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        data: &[u8],
    ) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.now);
        header.set_size(data.len() as u64);
        self.tar.append_data(&mut header, path, data)
    }

    /// The finished archive.
    pub(super) fn finish(self) -> std::io::Result<Vec<u8>> {
        self.tar.into_inner()
    }
}
