//! Whether a transcript matches, what differs, and what is kept when it is accepted.

use similar::TextDiff;

use super::align::{lines, normalise};

/// Outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Every line matches.
    Match,
    /// Some lines differ.
    Differs(Diff),
}

/// Two texts that differ, the actual one normalised towards the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    expected: String,
    actual: String,
}

/// Compares what was printed with what was expected.
pub fn compare(expected: &str, actual: &str) -> Comparison {
    let (expected, actual) = (lines(expected), normalise(expected, actual));
    if expected == actual {
        return Comparison::Match;
    }
    Comparison::Differs(Diff {
        expected: text(&expected),
        actual: text(&actual),
    })
}

/// The new expected text after `actual` was accepted: only lines that did not match are replaced,
/// every wildcard that did is kept. Without an expected text, `actual` itself.
///
/// A line of `actual` that happens to look like a wildcard becomes one.
pub fn accept(expected: Option<&str>, actual: &str) -> String {
    match expected {
        Some(expected) => text(&normalise(expected, actual)),
        None => text(&lines(actual)),
    }
}

fn text<S: AsRef<str>>(lines: &[S]) -> String {
    lines
        .iter()
        .flat_map(|line| [line.as_ref(), "\n"])
        .collect()
}

impl Diff {
    /// The difference as a unified diff with three lines of context, its sides labelled.
    pub fn render(&self) -> String {
        self.render_as("expected", "actual")
    }

    /// The difference between two sides with other names.
    pub fn render_as(&self, left: &str, right: &str) -> String {
        TextDiff::from_lines(&self.expected, &self.actual)
            .unified_diff()
            .context_radius(3)
            .header(left, right)
            .to_string()
            .trim_end()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expected: &str, actual: &str) -> bool {
        compare(expected, actual) == Comparison::Match
    }

    fn diff(expected: &str, actual: &str) -> String {
        match compare(expected, actual) {
            Comparison::Differs(diff) => diff.render(),
            Comparison::Match => panic!("{actual:?} matches"),
        }
    }

    #[test]
    fn dots_alone_stand_for_any_number_of_lines() {
        for actual in ["a\nb", "a\nx\nb", "a\n\n\ny\nb\nb"] {
            assert!(matches("a\n  ...\nb", actual), "{actual:?}");
        }
        assert!(!matches("a\n...\nb", "a\nx"));
        assert!(matches("...", "") && matches("...", "a\nb"));
        assert!(matches("...\nb\n...\nb\n...", "b\nx\nb"));
        assert!(!matches("...\nb\n...\nb\n...", "x\nb"));
    }

    #[test]
    fn trailing_white_space_has_no_meaning() {
        assert!(matches("a \nb\n\n\n", "a\nb\t"));
        assert!(!matches("a\n\nb", "a\nb"));
    }

    #[test]
    fn wildcards_of_the_actual_side_are_text() {
        assert!(!matches("a\nb", "a\n..."));
        assert!(!matches("x 1 y", "x ... y"));
    }

    #[test]
    fn a_diff_shows_what_differs_and_labels_its_sides() {
        let shown = diff(
            "head\n...\nid <number>\nold\ntail",
            "head\nx\ny\nid 7\nnew\ntail",
        );
        assert_eq!(
            shown,
            "--- expected\n+++ actual\n@@ -1,5 +1,5 @@\n head\n ...\n id <number>\n-old\n+new\n tail"
        );
    }

    #[test]
    fn what_stands_in_a_lines_place_is_shown_not_swallowed() {
        assert_eq!(
            diff("...\nb", "a\nc"),
            "--- expected\n+++ actual\n@@ -1,2 +1,2 @@\n ...\n-b\n+c"
        );
    }

    #[test]
    fn accept_replaces_what_differs_and_keeps_matched_wildcards() {
        let expected = "a ... z\n...\nid <uuid>\nold\n";
        let actual = "a 1 z\nx\ny\nid 1b4e28ba-2fa1-11d2-883f-0016d3cca427\nnew\nmore";
        assert_eq!(
            accept(Some(expected), actual),
            "a ... z\n...\nid <uuid>\nnew\nmore\n"
        );
        assert_eq!(accept(None, "a  \n\n"), "a\n");
    }

    #[test]
    fn what_was_accepted_matches() {
        let words = [
            "a",
            "b c",
            "...",
            "a ... c",
            "exists...",
            "<uuid>",
            "n <number>",
            "n 4",
            "",
        ];
        let mut texts = Vec::new();
        for x in words {
            for y in words {
                texts.extend(words.map(|z| format!("{x}\n{y}\n{z}")));
            }
        }
        for expected in texts.iter().step_by(29) {
            for actual in texts.iter().step_by(19) {
                let accepted = accept(Some(expected), actual);
                assert!(
                    matches(&accepted, actual),
                    "{expected:?} {actual:?} {accepted:?}"
                );
                assert_eq!(accept(Some(&accepted), actual), accepted);
            }
        }
    }

    #[test]
    fn large_texts_are_bounded() {
        let many = |prefix: &str| {
            (0..30_000)
                .map(|n| format!("{prefix}{n}\n"))
                .collect::<String>()
        };
        assert!(matches(&many("a"), &many("a")));
        assert!(!matches(&many("a"), &many("b")));
        assert!(matches(
            &format!("head\n...\n{}", many("a")),
            &format!("head\n1\n2\n{}", many("a"))
        ));
    }
}
