//! One expected line as a pattern.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What an expected line matches.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Any number of lines.
    Lines,
    /// The line itself.
    Literal(String),
    /// A line with wildcards or placeholders in it.
    Regex(Regex),
}

/// The typed placeholders. Each also matches its own name, so that a line that really holds one
/// matches itself after it was accepted.
const PLACEHOLDERS: [(&str, &str); 4] = [
    (
        "<uuid>",
        r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
    ),
    (
        "<timestamp>",
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?",
    ),
    (
        "<duration>",
        r"\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)(?: ?\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))*",
    ),
    ("<number>", r"[+-]?\d+(?:\.\d+)?"),
];

static PLACEHOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("<(?:uuid|timestamp|duration|number)>").ok());

impl Pattern {
    /// Reads one expected line.
    pub(super) fn parse(line: &str) -> Self {
        let line = line.trim_end();
        if line.trim_start() == "..." {
            return Self::Lines;
        }
        let wild = line.split_whitespace().any(|word| word == "...");
        let typed = PLACEHOLDERS.iter().any(|(name, _)| line.contains(name));
        if !wild && !typed {
            return Self::Literal(line.into());
        }
        // A line too long for a pattern stands for itself.
        Regex::new(&source(line)).map_or_else(|_| Self::Literal(line.into()), Self::Regex)
    }

    /// Whether `line` matches; [`Pattern::Lines`] matches every line.
    pub(super) fn matches(&self, line: &str) -> bool {
        match self {
            Self::Lines => true,
            Self::Literal(text) => text == line.trim_end(),
            Self::Regex(regex) => regex.is_match(line.trim_end()),
        }
    }
}

/// The regular expression for a line: `a ... b` is `a`, perhaps white space and anything, white
/// space, `b`.
fn source(line: &str) -> String {
    let mut pattern = String::from("^");
    let mut rest = line;
    // White space that is not written yet, and whether a wildcard stands before it.
    let (mut space, mut gap, mut first) = ("", false, true);
    while !rest.is_empty() {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            (space, rest) = rest.split_at(blank);
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        if word == "..." {
            gap = true;
        } else {
            match (gap, first) {
                (false, _) => pattern.push_str(&regex::escape(space)),
                (true, true) => pattern.push_str(r"(?:.*\s)?"),
                (true, false) => pattern.push_str(r"(?:\s.*)?\s"),
            }
            pattern.push_str(&word_source(word));
            (gap, first) = (false, false);
        }
        space = "";
    }
    if gap {
        pattern.push_str(if first { ".*" } else { r"(?:\s.*)?" });
    }
    pattern.push('$');
    pattern
}

/// A word with its placeholders turned into groups.
fn word_source(word: &str) -> Cow<'static, str> {
    let escaped = regex::escape(word);
    let Some(placeholder) = PLACEHOLDER.as_ref() else {
        return escaped.into();
    };
    let group = |found: &regex::Captures<'_>| {
        let name = &found[0];
        let value = PLACEHOLDERS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value);
        format!("(?:{value}|{})", regex::escape(name))
    };
    placeholder.replace_all(&escaped, group).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::parse(expected);
        for line in matching {
            assert!(pattern.matches(line), "{expected:?} must match {line:?}");
        }
        for line in others {
            assert!(
                !pattern.matches(line),
                "{expected:?} must not match {line:?}"
            );
        }
    }

    #[test]
    fn a_plain_line_is_itself() {
        check("a.b*", &["a.b*", "a.b*  "], &["axb", "a.b", " a.b*"]);
        check("", &["", "  "], &["x"]);
    }

    #[test]
    fn dots_between_white_space_are_any_text() {
        check(
            "-rw-r--r-- 1 root root   ... marker.txt",
            &[
                "-rw-r--r-- 1 root root   24 Nov 24 15:17 marker.txt",
                "-rw-r--r-- 1 root root 24 Nov 24 15:17 marker.txt",
                "-rw-r--r-- 1 root root marker.txt",
            ],
            &[
                "-rw-r--r-- 1 root rootmarker.txt",
                "-rw-r--r-- 1 root rooty 24 marker.txt",
                "-rw-r--r-- 1 root root 24 xmarker.txt",
                "-rw-r--r-- 1 root root 24 marker.txt.bak",
            ],
        );
        check(
            "touch: ... Read-only file system",
            &[
                "touch: cannot touch '/a b': Read-only file system",
                "touch: /a: Read-only file system",
            ],
            &["touch: Read-write file system"],
        );
        check("a ...", &["a", "a b c"], &["ab", "b a"]);
        check("  ... b", &["b", "  x b", "x y b"], &["xb", "b x"]);
        check(
            "a ... b ... c",
            &["a b c", "a 1 b 2 3 c"],
            &["a c", "a 1 c b"],
        );
    }

    #[test]
    fn dots_that_end_a_word_are_themselves() {
        check("exists...", &["exists..."], &["exists", "exists and more"]);
        check("a ...b", &["a ...b"], &["a x b", "a xb"]);
    }

    #[test]
    fn dots_alone_are_lines() {
        for line in ["...", "  ...", "  ...  "] {
            assert!(matches!(Pattern::parse(line), Pattern::Lines), "{line:?}");
        }
        assert!(!matches!(Pattern::parse("...."), Pattern::Lines));
    }

    #[test]
    fn placeholders_match_their_type_inside_words_too() {
        check(
            "id=<uuid>,",
            &["id=1b4e28ba-2fa1-11d2-883f-0016d3cca427,", "id=<uuid>,"],
            &["id=1b4e28ba,", "id=,"],
        );
        check(
            "at <timestamp>",
            &[
                "at 2026-11-24T15:17:00Z",
                "at 2026-11-24T15:17:00.123+02:00",
                "at 2026-11-24 15:17",
            ],
            &["at 2026-11-24", "at noon"],
        );
        check(
            "took <duration>.",
            &["took 12ms.", "took 1.5s.", "took 2m 3s.", "took 7µs."],
            &["took 12.", "took s."],
        );
        check(
            "<number> of <number>",
            &["3 of 4", "-1 of +2.5"],
            &["three of 4", "3 of 4x"],
        );
        check("<name>", &["<name>"], &["x"]);
    }

    #[test]
    fn many_wildcards_stay_linear() {
        let pattern = Pattern::parse(&"a ... ".repeat(50));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(200_000))));
    }
}
