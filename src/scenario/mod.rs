//! Scenarios and requirements as data: where they are found, what they say about themselves, and
//! which of them a filter selects. Nothing here runs a script.

mod filter;
mod known;
mod profile;
mod requirement;
mod source;

use serde::Deserialize;

pub use filter::{Filter, FilterError};
pub use known::{KnownFailures, KnownFailuresError};
pub use profile::{Profile, UnknownProfile};
pub use requirement::{Catalogue, CatalogueError, Level, Requirement};
pub use source::{Library, Source, SourceError};

/// One scenario: its source and what it declares about itself.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Where it is and what it says.
    pub source: Source,
    /// Its `scenario { … }` table, or why it could not be read: such a scenario is listed and
    /// reported as errored.
    pub metadata: Result<Metadata, Defect>,
}

/// Why a scenario cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Defect {
    /// Machine-readable kind, as in [`Finding::kind`](crate::report::Finding::kind).
    pub kind: &'static str,
    /// `file:line`, where one is known.
    pub location: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// The `scenario { … }` table at the head of a scenario's file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// What is shown in the banner.
    pub title: String,
    /// Position among its folder's scenarios, shown in the banner; those without one come after
    /// those with, in the order of their names.
    #[serde(default)]
    pub number: Option<u32>,
    /// Ids of the requirements that it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Names of the capabilities that it requires.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Whether it takes a minute or more, because it waits for something that does: run only where
    /// that was asked for.
    #[serde(default)]
    pub slow: bool,
}

impl Scenario {
    /// Path below the scenarios folder, with `/` between the parts: `volumes/pvc/read_only.lua`.
    pub fn path(&self) -> &str {
        &self.source.path
    }

    /// The path without its extension: the name of a trial.
    pub fn name(&self) -> &str {
        self.source
            .path
            .strip_suffix(".lua")
            .unwrap_or(&self.source.path)
    }

    /// The title, or the path where the metadata could not be read.
    pub fn title(&self) -> &str {
        self.metadata
            .as_ref()
            .map_or(self.path(), |metadata| &metadata.title)
    }

    /// The ids of the requirements that it covers.
    pub fn covers(&self) -> &[String] {
        self.metadata
            .as_ref()
            .map_or(&[], |metadata| &metadata.covers)
    }

    /// Whether it takes a minute or more.
    pub fn is_slow(&self) -> bool {
        self.metadata.as_ref().is_ok_and(|metadata| metadata.slow)
    }

    /// Orders scenarios as every list and report does: by folder, then number, then name.
    pub fn order(&self) -> impl Ord + use<> {
        let (folder, file) = self.path().rsplit_once('/').unwrap_or(("", self.path()));
        let number = self
            .metadata
            .as_ref()
            .ok()
            .and_then(|metadata| metadata.number);
        (
            folder.to_owned(),
            number.unwrap_or(u32::MAX),
            file.to_owned(),
        )
    }
}
