//! Named sets of requirements that a conformance claim is about.

use std::str::FromStr;

/// A set of requirements: those whose ids begin in certain ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    prefixes: &'static [&'static str],
}

/// Every profile.
const ALL: [Profile; 1] = [Profile {
    name: "volumes",
    prefixes: &["VOL-"],
}];

/// A name that no profile has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile \"{0}\"; there is: {known}", known = names())]
pub struct UnknownProfile(pub String);

fn names() -> String {
    ALL.map(|profile| profile.name).join(", ")
}

impl Profile {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the requirement with this id is in it.
    pub fn has(&self, id: &str) -> bool {
        self.prefixes.iter().any(|prefix| id.starts_with(prefix))
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = ALL.into_iter().find(|profile| profile.name == text);
        found.ok_or_else(|| UnknownProfile(text.into()))
    }
}
