//! The requirement catalogue: `requirements.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How binding a requirement is (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Normative.
    Must,
    /// Described behaviour or a safety property.
    Should,
    /// An implementation's choice worth recording.
    May,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        })
    }
}

/// One testable sentence of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// How binding it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
    /// Where it comes from: file and schema or section.
    pub source: String,
    /// Where sources contradict each other: what is demanded here and why.
    #[serde(default)]
    pub decision: Option<String>,
    /// Why it cannot be tested from outside, where it cannot.
    #[serde(default)]
    pub untestable: Option<String>,
}

/// All requirements by id, such as `VOL-PVC-002`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue(BTreeMap<String, Requirement>);

/// A catalogue that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or not of the right shape.
    #[error("{0}")]
    Shape(#[from] toml::de::Error),
    /// An id that does not look like `VOL-PVC-002`.
    #[error("\"{0}\" is not a requirement id such as VOL-PVC-002")]
    Id(String),
}

impl FromStr for Catalogue {
    type Err = CatalogueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rows: BTreeMap<String, Requirement> = toml::from_str(text)?;
        match rows.keys().find(|id| !is_id(id)) {
            Some(wrong) => Err(CatalogueError::Id(wrong.clone())),
            None => Ok(Self(rows)),
        }
    }
}

impl Catalogue {
    /// The requirement with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.0.get(id)
    }

    /// Every requirement in the order of its id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Requirement)> {
        self.0
            .iter()
            .map(|(id, requirement)| (id.as_str(), requirement))
    }

    /// The known id that `unknown` was probably meant to be.
    pub fn suggest(&self, unknown: &str) -> Option<&str> {
        self.0
            .keys()
            .map(|id| (strsim::damerau_levenshtein(&unknown.to_uppercase(), id), id))
            .filter(|(distance, _)| *distance <= 2)
            .min()
            .map(|(_, id)| id.as_str())
    }

    /// How many requirements are different ones in `other`.
    pub fn altered_by(&self, other: &Self) -> usize {
        let is_other =
            |(id, ours): &(&str, &Requirement)| other.get(id).is_some_and(|theirs| theirs != *ours);
        self.iter().filter(is_other).count()
    }

    /// Adds `other`; where both have an id, `other`'s replaces ours.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Whether `text` has the form of a requirement id: capitals, digits and hyphens, ending in a
/// hyphen and digits.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(allowed)
        && text
            .rsplit_once('-')
            .is_some_and(|(_, n)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "[VOL-PVC-002]\nlevel = \"MUST\"\ntext = \"t\"\nsource = \"s\"\n";

    #[test]
    fn rows_are_read_and_near_misses_suggested() {
        let catalogue: Catalogue = ROW.parse().expect("a catalogue");
        assert_eq!(
            catalogue.get("VOL-PVC-002").map(|r| r.level),
            Some(Level::Must)
        );
        assert_eq!(catalogue.suggest("VOL-PCV-002"), Some("VOL-PVC-002"));
        assert_eq!(catalogue.suggest("ENDPT-001"), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let typo = ROW
            .replace("source", "sauce")
            .parse::<Catalogue>()
            .expect_err("refused");
        assert!(typo.to_string().contains("line 4"), "{typo}");
        let id = ROW
            .replace("VOL-PVC-002", "vol")
            .parse::<Catalogue>()
            .expect_err("refused");
        assert!(id.to_string().contains("\"vol\""), "{id}");
    }
}
