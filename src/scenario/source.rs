//! Finds scenarios: in a folder, or embedded in the binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::requirement::{Catalogue, CatalogueError};

/// One scenario's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path below the scenarios folder, with `/` between the parts.
    pub path: String,
    /// The Lua text.
    pub lua: String,
    /// The expected transcript, `None` where there is none yet.
    pub transcript: Option<String>,
    /// Where the transcript is, or would be, on disk; `None` for an embedded scenario.
    pub transcript_file: Option<PathBuf>,
}

/// Everything below one scenarios folder.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Scenarios in the order of their paths.
    pub sources: Vec<Source>,
    /// Lua modules below `lib/`, by the name that `require` takes: `listing`, `fs/tree`.
    pub modules: BTreeMap<String, String>,
    /// `requirements.toml`; empty where there is none.
    pub catalogue: Catalogue,
    /// How many scenarios, modules and requirements were replaced by different ones.
    pub altered: usize,
}

/// A scenarios folder that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `requirements.toml` is wrong.
    #[error("{}: {source}", path.display())]
    Catalogue {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: CatalogueError,
    },
}

impl Library {
    /// Reads the folder `root`.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read, or `requirements.toml` is wrong.
    pub fn read(root: &Path) -> Result<Self, SourceError> {
        let mut files = BTreeMap::new();
        collect(root, "", &mut files)?;
        Self::of(files, Some(root))
    }

    /// Builds a library from files by path, as they are embedded in the binary.
    ///
    /// # Errors
    /// When `requirements.toml` is wrong.
    pub fn embedded<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SourceError> {
        let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
        Self::of(files.into_iter().map(owned).collect(), None)
    }

    fn of(mut files: BTreeMap<String, String>, root: Option<&Path>) -> Result<Self, SourceError> {
        const CATALOGUE: &str = "requirements.toml";
        let mut library = Self::default();
        if let Some(text) = files.get(CATALOGUE) {
            let path = root.unwrap_or(Path::new("scenarios")).join(CATALOGUE);
            library.catalogue = text
                .parse()
                .map_err(|source| SourceError::Catalogue { path, source })?;
        }
        let names: Vec<_> = files
            .keys()
            .filter(|path| path.ends_with(".lua"))
            .cloned()
            .collect();
        for path in names {
            let stem = path.trim_end_matches(".lua");
            if path.ends_with(".d.lua") {
                continue;
            }
            let lua = files[&path].clone();
            if let Some(module) = stem.strip_prefix("lib/") {
                library.modules.insert(module.into(), lua);
                continue;
            }
            let transcript = format!("{stem}.transcript");
            library.sources.push(Source {
                lua,
                transcript_file: root.map(|root| root.join(&transcript)),
                transcript: files.remove(&transcript),
                path,
            });
        }
        Ok(library)
    }

    /// Adds `other`; where both have the same path, `other`'s replaces ours.
    pub fn merge(mut self, other: Self) -> Self {
        let is_altered = |ours: &&Source| {
            let mut theirs = other.sources.iter().filter(|s| s.path == ours.path);
            theirs.any(|s| (&s.lua, &s.transcript) != (&ours.lua, &ours.transcript))
        };
        let is_other = |(name, text): &(&String, &String)| {
            let theirs = other.modules.get(*name);
            theirs.is_some_and(|theirs| theirs != *text)
        };
        self.altered += self.sources.iter().filter(is_altered).count()
            + self.modules.iter().filter(is_other).count()
            + self.catalogue.altered_by(&other.catalogue);
        self.sources
            .retain(|ours| other.sources.iter().all(|theirs| theirs.path != ours.path));
        self.sources.extend(other.sources);
        self.sources.sort_by(|a, b| a.path.cmp(&b.path));
        self.modules.extend(other.modules);
        self.catalogue.merge(other.catalogue);
        self
    }
}

/// Reads every file of interest below `root/below` into `files`, by path below `root`.
fn collect(
    root: &Path,
    below: &str,
    files: &mut BTreeMap<String, String>,
) -> Result<(), SourceError> {
    let folder = root.join(below);
    let wrong = |path: PathBuf| move |source| SourceError::Read { path, source };
    for entry in fs::read_dir(&folder).map_err(wrong(folder.clone()))? {
        let entry = entry.map_err(wrong(folder.clone()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        let full = entry.path();
        if full.is_dir() {
            if !name.starts_with('.') {
                collect(root, &path, files)?;
            }
        } else if [".lua", ".transcript", ".toml"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            files.insert(path, fs::read_to_string(&full).map_err(wrong(full))?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_modules_and_declarations_are_told_apart() {
        let library = Library::embedded([
            ("b.lua", "B"),
            ("a/x.lua", "X"),
            ("a/x.transcript", "T"),
            ("lib/fs/tree.lua", "M"),
            ("osb.d.lua", "D"),
        ])
        .expect("a library");
        let paths: Vec<_> = library.sources.iter().map(|s| s.path.as_str()).collect();
        assert_eq!(paths, ["a/x.lua", "b.lua"]);
        assert_eq!(library.sources[0].transcript.as_deref(), Some("T"));
        assert_eq!(library.sources[1].transcript, None);
        assert_eq!(library.modules["fs/tree"], "M");
    }

    #[test]
    fn a_folder_replaces_what_is_embedded_under_the_same_path() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.lua"), "new").expect("written");
        let ours = Library::embedded([("a.lua", "old"), ("b.lua", "B")]).expect("a library");
        let merged = ours.merge(Library::read(folder.path()).expect("a library"));
        let texts: Vec<_> = merged.sources.iter().map(|s| s.lua.as_str()).collect();
        assert_eq!(texts, ["new", "B"]);
        let transcript = folder.path().join("a.transcript");
        assert_eq!(
            merged.sources[0].transcript_file.as_ref(),
            Some(&transcript)
        );
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Library::read(Path::new("/no/such/folder")).expect_err("refused");
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
