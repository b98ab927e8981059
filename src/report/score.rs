//! How an implementation stands: requirements that hold, by how binding they are.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scenario::{Catalogue, Level, Profile};

use super::verdict::Verdict;

/// The requirements of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LevelScore {
    /// Those whose every scenario passed.
    pub held: usize,
    /// Those with a scenario that failed, known or not.
    pub failed: usize,
    /// Those of which nothing is known: a scenario was skipped or could not be judged, or there is
    /// none.
    pub unknown: usize,
}

impl LevelScore {
    /// How many there are.
    pub fn total(self) -> usize {
        self.held + self.failed + self.unknown
    }

    /// Whether every one of them holds.
    pub fn is_whole(self) -> bool {
        self.failed + self.unknown == 0
    }
}

/// The requirements of a run, or of the profile that it makes a claim about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The profile, where one was asked for.
    pub profile: Option<String>,
    /// By level, the most binding first.
    pub levels: BTreeMap<Level, LevelScore>,
    /// Ids of the profile's MUST requirements of which nothing is known.
    pub unknown: Vec<String>,
}

impl Score {
    /// Counts `verdicts`, by requirement id. With a profile, its testable requirements count and no
    /// others; one without a verdict is unknown.
    pub fn new(
        verdicts: &BTreeMap<String, Verdict>,
        catalogue: &Catalogue,
        profile: Option<&Profile>,
    ) -> Self {
        let mut score = Self {
            profile: profile.map(|profile| profile.name().to_owned()),
            ..Self::default()
        };
        for (id, requirement) in catalogue.iter() {
            let verdict = verdicts.get(id).copied();
            let counts = match profile {
                Some(profile) => profile.has(id) && requirement.untestable.is_none(),
                None => verdict.is_some(),
            };
            if !counts {
                continue;
            }
            let level = score.levels.entry(requirement.level).or_default();
            match verdict {
                Some(Verdict::Passed | Verdict::UnexpectedPass) => level.held += 1,
                Some(Verdict::Failed | Verdict::KnownFailure) => level.failed += 1,
                Some(Verdict::Skipped | Verdict::Errored) | None => {
                    level.unknown += 1;
                    if requirement.level == Level::Must {
                        score.unknown.push(id.into());
                    }
                }
            }
        }
        score
    }

    /// Whether the implementation conforms to the profile: every MUST of it holds. `None` where no
    /// claim was asked for.
    pub fn claim(&self) -> Option<bool> {
        self.profile.as_ref()?;
        let must = self.levels.get(&Level::Must).copied().unwrap_or_default();
        Some(must.is_whole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = r#"
        [VOL-A-1]
        level = "MUST"
        text = "t"
        source = "s"
        [VOL-A-2]
        level = "MUST"
        text = "t"
        source = "s"
        untestable = "why"
        [VOL-A-3]
        level = "SHOULD"
        text = "t"
        source = "s"
        [GET-1]
        level = "MUST"
        text = "t"
        source = "s"
    "#;

    fn score(verdicts: &[(&str, Verdict)], profile: Option<&str>) -> Score {
        let verdicts = verdicts
            .iter()
            .map(|(id, verdict)| ((*id).to_owned(), *verdict));
        let profile = profile.map(|name| name.parse().expect("a profile"));
        let catalogue = ROWS.parse().expect("a catalogue");
        Score::new(&verdicts.collect(), &catalogue, profile.as_ref())
    }

    #[test]
    fn a_profile_holds_when_every_must_of_it_passed() {
        let all = [
            ("VOL-A-1", Verdict::Passed),
            ("VOL-A-3", Verdict::Failed),
            ("GET-1", Verdict::Failed),
        ];
        let held = score(&all, Some("volumes"));
        assert_eq!(held.claim(), Some(true));
        assert_eq!(held.levels[&Level::Must].total(), 1);
        assert_eq!(held.levels[&Level::Should].failed, 1);
        for verdict in [
            Verdict::Skipped,
            Verdict::Errored,
            Verdict::Failed,
            Verdict::KnownFailure,
        ] {
            let score = score(&[("VOL-A-1", verdict)], Some("volumes"));
            assert_eq!(score.claim(), Some(false), "{verdict}");
        }
        let nothing = score(&[], Some("volumes"));
        assert_eq!(
            (nothing.claim(), nothing.unknown),
            (Some(false), vec!["VOL-A-1".into()])
        );
    }

    #[test]
    fn without_a_profile_what_ran_is_counted_and_nothing_claimed() {
        let score = score(&[("GET-1", Verdict::Passed)], None);
        assert_eq!(score.claim(), None);
        assert_eq!(score.levels[&Level::Must].held, 1);
        assert!(!score.levels.contains_key(&Level::Should));
    }
}
