//! FILTER: a path prefix, a glob, or a requirement id.

use globset::{GlobBuilder, GlobMatcher};

use super::Scenario;
use super::requirement::is_id;

/// One FILTER of the command line.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Requirement,
    Glob(GlobMatcher),
    Prefix,
}

/// A filter that is no glob.
#[derive(Debug, thiserror::Error)]
#[error("\"{text}\" is not a glob: {source}")]
pub struct FilterError {
    text: String,
    #[source]
    source: globset::Error,
}

impl Filter {
    /// Reads one filter. A text with `*`, `?`, `[` or `{` is a glob over the whole path; one like
    /// `VOL-PVC-002` a requirement id; anything else a path prefix, also when it begins with the
    /// folder's own name, `scenarios/`, as a shell's completion gives it.
    ///
    /// # Errors
    /// When a glob cannot be read.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = text.strip_prefix("scenarios/").unwrap_or(text).to_owned();
        let kind = if is_id(&text) {
            Kind::Requirement
        } else if text.contains(['*', '?', '[', '{']) {
            let glob = GlobBuilder::new(&text).literal_separator(true).build();
            Kind::Glob(
                glob.map_err(|source| FilterError {
                    text: text.clone(),
                    source,
                })?
                .compile_matcher(),
            )
        } else {
            Kind::Prefix
        };
        Ok(Self { text, kind })
    }

    /// Whether the filter selects `scenario`.
    pub fn selects(&self, scenario: &Scenario) -> bool {
        match &self.kind {
            Kind::Requirement => scenario.covers().contains(&self.text),
            Kind::Glob(glob) => glob.is_match(scenario.path()) || glob.is_match(scenario.name()),
            Kind::Prefix => scenario.path().starts_with(&self.text),
        }
    }

    /// The filter as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Metadata, Source};

    fn selects(filter: &str) -> bool {
        let scenario = Scenario {
            source: Source {
                path: "volumes/pvc/read_only.lua".into(),
                lua: String::new(),
                transcript: None,
                transcript_file: None,
            },
            metadata: Ok(Metadata {
                covers: vec!["VOL-PVC-002".into()],
                ..Metadata::default()
            }),
        };
        Filter::parse(filter).expect("a filter").selects(&scenario)
    }

    #[test]
    fn prefixes_globs_and_requirements_select() {
        for filter in [
            "",
            "volumes",
            "volumes/pvc/read_only.lua",
            "scenarios/volumes/pvc",
            "./scenarios/volumes",
            "volumes/*/read_*",
            "**/read_only.lua",
            "volumes/{pvc,host}/*",
            "VOL-PVC-002",
        ] {
            assert!(selects(filter), "{filter}");
        }
        for filter in ["pvc", "volumes/*", "VOL-PVC-001", "volumes/host"] {
            assert!(!selects(filter), "{filter}");
        }
        assert!(Filter::parse("a[").is_err());
    }
}
