//! What a target is known to do wrong: one line for each scenario that fails.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Scenarios that fail on a target, by their names, each with its reason: the requirement, what the
/// target does, and why that is a violation.
///
/// A scenario among them still runs. One that passes is a failure of the run, so that the list
/// stays true; one that does not exist is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures(BTreeMap<String, String>);

/// A list of known failures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownFailuresError {
    /// Not TOML, or not of the right shape.
    #[error("{0}")]
    Shape(#[from] toml::de::Error),
    /// An entry that says nothing.
    #[error(
        "\"{0}\" has no reason: say which requirement, what the target does, and why that is wrong"
    )]
    NoReason(String),
    /// An entry that is about no scenario.
    #[error("\"{0}\" is the name of no scenario; osb-conformance list shows all")]
    Unknown(String),
}

impl FromStr for KnownFailures {
    type Err = KnownFailuresError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines: BTreeMap<String, String> = toml::from_str(text)?;
        match lines.iter().find(|(_, reason)| reason.trim().is_empty()) {
            Some((name, _)) => Err(KnownFailuresError::NoReason(name.clone())),
            None => {
                let named = |(name, reason): (String, String)| {
                    // The path is as good as the name.
                    (name.trim_end_matches(".lua").to_owned(), reason)
                };
                Ok(Self(lines.into_iter().map(named).collect()))
            }
        }
    }
}

impl KnownFailures {
    /// Why the scenario of that name, such as `api/unknown_route`, is known to fail.
    pub fn reason(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of the scenarios that are known to fail.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_reason() {
        let known: KnownFailures = "\"a/b\" = \"GET-002: answers 200\""
            .parse()
            .expect("a list");
        assert_eq!(known.reason("a/b"), Some("GET-002: answers 200"));
        assert_eq!(known.reason("a/c"), None);
        let by_path: KnownFailures = "\"a/b.lua\" = \"r\"".parse().expect("a list");
        assert_eq!(by_path.reason("a/b"), Some("r"));
        let told = |text: &str| text.parse::<KnownFailures>().expect_err(text).to_string();
        assert!(told("\"a/b\" = \" \"").contains("\"a/b\" has no reason"));
        assert!(told("a = 1").contains("line 1"));
    }
}
