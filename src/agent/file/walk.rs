//! Walks over what is below a directory.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Everything below a directory, in lexical order, each after the directory that it is in. Links
/// are not followed. What vanishes meanwhile and what cannot be read is left out, as by `find`.
///
/// It keeps a list of its own instead of recursing: a tree may be deeper than a stack.
pub(crate) struct Walk {
    /// What comes next is the last.
    pending: Vec<Entry>,
}

struct Entry {
    path: PathBuf,
    metadata: Metadata,
    /// How many levels below it are walked too.
    depth: usize,
}

impl Walk {
    /// Begins below `root`, down to `depth` levels.
    ///
    /// # Errors
    /// When `root` itself cannot be read.
    pub(crate) fn below(root: &Path, depth: usize) -> io::Result<Self> {
        let mut walk = Self {
            pending: Vec::new(),
        };
        walk.enter(root, depth)?;
        Ok(walk)
    }

    fn enter(&mut self, directory: &Path, depth: usize) -> io::Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Ok(());
        };
        let begin = self.pending.len();
        for entry in fs::read_dir(directory)?.flatten() {
            if let Ok(metadata) = entry.metadata() {
                self.pending.push(Entry {
                    path: entry.path(),
                    metadata,
                    depth,
                });
            }
        }
        // They differ in their last names alone; paths would compare part by part all the same.
        self.pending[begin..].sort_unstable_by(|one, other| other.path.cmp(&one.path));
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = (PathBuf, Metadata);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.pending.pop()?;
        if entry.metadata.is_dir() {
            let _ = self.enter(&entry.path, entry.depth);
        }
        Some((entry.path, entry.metadata))
    }
}
