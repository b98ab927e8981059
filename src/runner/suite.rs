//! What can be run: scenarios with their metadata, checked against the catalogue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, DirEntry, include_dir};

use crate::lua;
use crate::scenario::{
    Catalogue, Defect, Filter, KnownFailures, KnownFailuresError, Library, Metadata, Profile,
    Scenario, Source, SourceError,
};
use crate::target::Capability;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// All scenarios, in the order in which they are listed, run and reported.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    scenarios: Vec<Scenario>,
    modules: Arc<BTreeMap<String, String>>,
    catalogue: Catalogue,
    altered: usize,
}

/// Scenarios that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The folder cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A filter selects nothing.
    #[error(
        "\"{filter}\" selects no scenario; osb-conformance list shows all{}",
        suggestion.as_ref().map_or_else(String::new, |path| format!(" (did you mean {path}?)"))
    )]
    NothingSelected {
        /// The filter.
        filter: String,
        /// A path that is near.
        suggestion: Option<String>,
    },
    /// Of what was selected, nothing is about the profile.
    #[error("nothing that was selected covers a requirement of the profile {0}")]
    NothingCovers(&'static str),
    /// There is no scenario at all.
    #[error("there is no scenario{}", folder.as_ref().map_or_else(String::new, |f| format!(" in {f}")))]
    Empty {
        /// Where they were looked for.
        folder: Option<String>,
    },
}

/// Scenarios that were selected, in the suite's order.
pub type Selection = Vec<Scenario>;

impl Suite {
    /// The scenarios that ship with the crate.
    ///
    /// # Errors
    /// Never for a released crate: when the embedded catalogue is wrong.
    pub fn shipped() -> Result<Self, SuiteError> {
        Ok(Self::of(shipped()?))
    }

    /// The shipped scenarios with those of the folder `root` added; where both have the same
    /// path, the folder's replaces the shipped one.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no scenario, or its catalogue is wrong.
    pub fn shipped_and(root: &Path) -> Result<Self, SuiteError> {
        Ok(Self::of(shipped()?.merge(folder(root)?)))
    }

    /// Only the scenarios of the folder `root`, with the shipped catalogue and modules beside its
    /// own: what another project's harness runs.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no scenario, or its catalogue is wrong.
    pub fn folder(root: &Path) -> Result<Self, SuiteError> {
        let mut base = shipped()?;
        base.sources.clear();
        Ok(Self::of(base.merge(folder(root)?)))
    }

    fn of(library: Library) -> Self {
        let Library {
            sources,
            modules,
            catalogue,
            altered,
        } = library;
        let scenario = |source: Source| Scenario {
            metadata: lua::declare(&source)
                .and_then(|metadata| check(metadata, &source, &catalogue)),
            source,
        };
        let mut scenarios: Vec<_> = sources.into_iter().map(scenario).collect();
        scenarios.sort_by_cached_key(Scenario::order);
        Self {
            scenarios,
            modules: Arc::new(modules),
            catalogue,
            altered,
        }
    }

    /// Every scenario, in order.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The requirements.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How many of the shipped scenarios, modules and requirements a folder has replaced by
    /// different ones.
    pub fn altered(&self) -> usize {
        self.altered
    }

    /// What `require` finds, by name.
    pub(crate) fn modules(&self) -> &Arc<BTreeMap<String, String>> {
        &self.modules
    }

    /// The scenarios that any of `filters` selects, or all where there is none.
    ///
    /// # Errors
    /// When a filter selects nothing, or there is nothing to select from: a run of no scenario is
    /// never a success.
    pub fn select(&self, filters: &[Filter]) -> Result<Selection, SuiteError> {
        if self.scenarios.is_empty() {
            return Err(SuiteError::Empty { folder: None });
        }
        let idle = |filter: &&Filter| {
            !self
                .scenarios
                .iter()
                .any(|scenario| filter.selects(scenario))
        };
        if let Some(filter) = filters.iter().find(idle) {
            return Err(SuiteError::NothingSelected {
                filter: filter.text().into(),
                suggestion: self.nearest(filter.text()),
            });
        }
        let selected = |scenario: &&Scenario| {
            filters.is_empty() || filters.iter().any(|filter| filter.selects(scenario))
        };
        Ok(self.scenarios.iter().filter(selected).cloned().collect())
    }

    /// Those of `selection` that cover a requirement of `profile`.
    ///
    /// # Errors
    /// When there is none.
    pub fn narrow(&self, selection: Selection, profile: &Profile) -> Result<Selection, SuiteError> {
        let covers = |scenario: &Scenario| scenario.covers().iter().any(|id| profile.has(id));
        let narrowed: Selection = selection.into_iter().filter(covers).collect();
        match narrowed.is_empty() {
            true => Err(SuiteError::NothingCovers(profile.name())),
            false => Ok(narrowed),
        }
    }

    /// The list of known failures that ships under `name`, such as `opensandbox-server-1.1`.
    pub fn shipped_known_failures(name: &str) -> Option<&'static str> {
        let file = EMBEDDED.get_file(format!("known-failures/{name}.toml"))?;
        file.contents_utf8()
    }

    /// The names of the lists of known failures that ship.
    pub fn shipped_lists() -> impl Iterator<Item = &'static str> {
        let lists = EMBEDDED.get_dir("known-failures").into_iter();
        let stem = |file: &include_dir::File<'static>| file.path().file_stem()?.to_str();
        lists.flat_map(include_dir::Dir::files).filter_map(stem)
    }

    /// Checks that every one of `known` is a scenario of this suite.
    ///
    /// # Errors
    /// [`KnownFailuresError::Unknown`] for the first that is not.
    pub fn check_known(&self, known: &KnownFailures) -> Result<(), KnownFailuresError> {
        let is_unknown = |name: &&str| !self.scenarios.iter().any(|s| s.name() == *name);
        match known.names().find(is_unknown) {
            Some(name) => Err(KnownFailuresError::Unknown(name.into())),
            None => Ok(()),
        }
    }

    fn nearest(&self, text: &str) -> Option<String> {
        if let Some(id) = self.catalogue.suggest(text) {
            return Some(id.into());
        }
        let name = |path: &str| {
            path.rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".lua")
                .to_owned()
        };
        let score = |scenario: &Scenario| {
            let path = strsim::jaro_winkler(text, scenario.path());
            path.max(strsim::jaro_winkler(&name(text), &name(scenario.path())))
        };
        let best = self
            .scenarios
            .iter()
            .max_by(|a, b| score(a).total_cmp(&score(b)))?;
        (score(best) > 0.8).then(|| best.path().into())
    }
}

fn shipped() -> Result<Library, SuiteError> {
    fn files<'a>(dir: &'a Dir<'a>, found: &mut Vec<(&'a str, &'a str)>) {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) => files(dir, found),
                DirEntry::File(file) => {
                    found.extend(file.path().to_str().zip(file.contents_utf8()));
                }
            }
        }
    }
    let mut found = Vec::new();
    files(&EMBEDDED, &mut found);
    Ok(Library::embedded(found)?)
}

fn folder(root: &Path) -> Result<Library, SuiteError> {
    let library = Library::read(root)?;
    if library.sources.is_empty() {
        return Err(SuiteError::Empty {
            folder: Some(root.display().to_string()),
        });
    }
    Ok(library)
}

/// Checks what a scenario declares against what is known.
fn check(metadata: Metadata, source: &Source, catalogue: &Catalogue) -> Result<Metadata, Defect> {
    let line_of = |word: &str| {
        let line = source
            .lua
            .lines()
            .position(|line| line.contains(word))
            .map_or(1, |n| n + 1);
        Some(format!("{}:{line}", source.path))
    };
    if let Some(id) = metadata
        .covers
        .iter()
        .find(|id| catalogue.get(id).is_none())
    {
        let hint = match catalogue.suggest(id) {
            Some(near) => format!("did you mean {near}?"),
            None => "scenarios/requirements.toml has the known ones".into(),
        };
        return Err(Defect {
            kind: "unknown_requirement",
            location: line_of(id),
            message: format!("covers names the unknown requirement \"{id}\"; {hint}"),
        });
    }
    let unknown = |name: &&String| name.parse::<Capability>().is_err();
    if let Some(name) = metadata.requires.iter().find(unknown) {
        let known: Vec<_> = Capability::ALL.iter().map(|(_, name)| *name).collect();
        return Err(Defect {
            kind: "unknown_capability",
            location: line_of(name),
            message: format!(
                "requires names the unknown capability \"{name}\"; known: {}",
                known.join(", ")
            ),
        });
    }
    Ok(metadata)
}
