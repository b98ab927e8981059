//! Where there is no Linux, no volume's content is a directory of this machine.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::Files;

/// There is none.
pub(super) enum Directory {}

/// As on Linux.
pub(super) enum Broken {
    Refused(String),
    Failed(io::Error),
}

impl Directory {
    pub(super) fn open(_: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn fill(&self, _: &Files) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn read(&self, _: &str) -> io::Result<Option<Vec<u8>>> {
        match *self {}
    }

    pub(super) fn names(&self, _: &str) -> io::Result<BTreeSet<String>> {
        match *self {}
    }

    pub(super) fn tree(&self) -> io::Result<BTreeSet<String>> {
        match *self {}
    }

    pub(super) fn descend(&self, _: &str) -> Result<PathBuf, Broken> {
        match *self {}
    }
}
