//! Aligns actual lines with expected ones, with as few differences as possible.

use super::pattern::Pattern;

/// Most cells of the alignment's table; beyond, what lies between the equal beginning and the
/// equal end is shown as differing.
const CELLS: usize = 4_000_000;

/// Rewrites `actual` with every line that matches written as the expected line that it matches,
/// and every run of lines that a `...` swallows written as that `...`.
pub(super) fn normalise(expected: &str, actual: &str) -> Vec<String> {
    let (expected, actual) = (lines(expected), lines(actual));
    let patterns: Vec<_> = expected.iter().map(|line| Pattern::parse(line)).collect();
    let single = |i: usize, j: usize| {
        !matches!(patterns[i], Pattern::Lines) && patterns[i].matches(actual[j])
    };
    let shorter = expected.len().min(actual.len());
    let start = (0..shorter).take_while(|&k| single(k, k)).count();
    let end = (0..shorter - start)
        .take_while(|&k| single(expected.len() - 1 - k, actual.len() - 1 - k))
        .count();
    let (inner_expected, inner_actual) = (start..expected.len() - end, start..actual.len() - end);
    let keep = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let mut result = keep(&expected[..start]);
    if (inner_expected.len() + 1).saturating_mul(inner_actual.len() + 1) > CELLS {
        result.extend(keep(&actual[inner_actual]));
    } else {
        let table = Table::new(
            &patterns[inner_expected.clone()],
            &actual[inner_actual.clone()],
        );
        result.extend(table.trace(&expected[inner_expected]));
    }
    result.extend(keep(&expected[expected.len() - end..]));
    result
}

/// The lines of a text, trailing white space and trailing blank lines dropped.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

/// What a difference costs: more than any number of matching lines gains. Among alignments with
/// equally many differences, the one with most matches is best.
const EDIT: i64 = 1 << 32;

/// How the cheapest alignment reaches a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The expected line matches the actual one, or a `...` begins or ends: costs nothing.
    Match,
    /// A `...` swallows the actual line: costs nothing.
    Swallow,
    /// A `...` swallows no more: costs nothing.
    Close,
    /// The actual line stands in the expected one's place.
    Replace,
    /// The expected line is missing.
    Missing,
    /// The actual line is too much.
    Extra,
}

/// Edit distance with wildcards: cell (i, j) is the cheapest way to align the first i expected
/// with the first j actual lines.
struct Table<'a> {
    patterns: &'a [Pattern],
    actual: &'a [&'a str],
    steps: Vec<Step>,
}

impl<'a> Table<'a> {
    fn new(patterns: &'a [Pattern], actual: &'a [&'a str]) -> Self {
        let width = actual.len() + 1;
        let mut steps = vec![Step::Extra; (patterns.len() + 1) * width];
        let mut above: Vec<i64> = (0..width as i64).map(|extra| extra * EDIT).collect();
        for (i, pattern) in patterns.iter().enumerate() {
            let mut row = Vec::with_capacity(width);
            for j in 0..width {
                let left = j.checked_sub(1);
                let mut best = if matches!(pattern, Pattern::Lines) {
                    (above[j], Step::Close)
                } else {
                    (above[j] + EDIT, Step::Missing)
                };
                let mut offer = |cost: i64, step: Step| {
                    if cost < best.0 || (cost == best.0 && step == Step::Replace) {
                        best = (cost, step);
                    }
                };
                if let Some(left) = left {
                    if matches!(pattern, Pattern::Lines) {
                        offer(row[left], Step::Swallow);
                    } else if pattern.matches(actual[left]) {
                        offer(above[left] - 1, Step::Match);
                    } else {
                        offer(above[left] + EDIT, Step::Replace);
                    }
                    if !matches!(pattern, Pattern::Lines) {
                        offer(row[left] + EDIT, Step::Extra);
                    }
                }
                steps[(i + 1) * width + j] = best.1;
                row.push(best.0);
            }
            above = row;
        }
        Self {
            patterns,
            actual,
            steps,
        }
    }

    /// The normalised lines along the cheapest way.
    fn trace(&self, expected: &[&str]) -> Vec<String> {
        let (mut i, mut j) = (self.patterns.len(), self.actual.len());
        let mut result = Vec::new();
        while i > 0 || j > 0 {
            let step = if i == 0 {
                Step::Extra
            } else {
                self.steps[i * (self.actual.len() + 1) + j]
            };
            match step {
                Step::Match => {
                    result.push(expected[i - 1].to_owned());
                    (i, j) = (i - 1, j - 1);
                }
                Step::Swallow => j -= 1,
                Step::Close => {
                    result.push(expected[i - 1].to_owned());
                    i -= 1;
                }
                Step::Replace => {
                    result.push(self.actual[j - 1].to_owned());
                    (i, j) = (i - 1, j - 1);
                }
                Step::Missing => i -= 1,
                Step::Extra => {
                    result.push(self.actual[j - 1].to_owned());
                    j -= 1;
                }
            }
        }
        result.reverse();
        result
    }
}
