//! What is told of a file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use osb_conformance::execd::protocol::{FileInfo, FileType};

use crate::file::account::Accounts;
use crate::file::permission::show_mode;

/// Describes the file that `metadata` was read of.
pub(crate) fn describe(path: &Path, metadata: &Metadata, accounts: &Accounts) -> FileInfo {
    let kind = metadata.file_type();
    FileInfo {
        path: path.to_string_lossy().into_owned(),
        size: metadata.len(),
        modified_at: moment(metadata.mtime(), metadata.mtime_nsec()),
        // execd tells this one: not every file system keeps the birth of its files.
        created_at: moment(metadata.ctime(), metadata.ctime_nsec()),
        owner: accounts.user_name(metadata.uid()),
        group: accounts.group_name(metadata.gid()),
        mode: show_mode(metadata.mode()),
        file_type: if kind.is_file() {
            FileType::File
        } else if kind.is_dir() {
            FileType::Directory
        } else if kind.is_symlink() {
            FileType::Symlink
        } else {
            FileType::Other
        },
    }
}

/// A file may claim a time that is out of reach; that is no reason not to describe it.
fn moment(seconds: i64, nanoseconds: i64) -> Timestamp {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
