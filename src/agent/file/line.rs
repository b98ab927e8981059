//! Some of a file's lines.

use crate::error::Refusal;
use crate::server::{Pairs, first};

/// Cuts lines out of a file that comes in pieces. It keeps no line, however long: only what may
/// turn out to be a line's end.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Lines still to leave out.
    skip: u64,
    /// Lines still to take, with the current one.
    take: u64,
    /// What is only taken if more follows it: no line feed ends the last line.
    held: Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    /// Part of the line's end, if a line feed follows.
    Return,
    /// The line's end, if another line follows.
    Feed,
}

impl Lines {
    /// What the query parameters `offset` (the first line is 1) and `limit` ask for, if any.
    pub(crate) fn asked(query: &Pairs) -> Result<Option<Self>, Refusal> {
        let (offset, limit) = (positive(query, "offset")?, positive(query, "limit")?);
        Ok((offset.is_some() || limit.is_some()).then(|| Self {
            skip: offset.map_or(0, |offset| offset - 1),
            take: limit.unwrap_or(u64::MAX),
            held: Held::Nothing,
        }))
    }

    /// Whether no line is wanted any more.
    pub(crate) fn is_done(&self) -> bool {
        self.take == 0
    }

    /// What is wanted of the next piece.
    pub(crate) fn cut(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut wanted = Vec::new();
        for byte in piece {
            if self.is_done() {
                break;
            }
            if self.skip > 0 {
                self.skip -= u64::from(*byte == b'\n');
                continue;
            }
            match self.held {
                Held::Feed => wanted.push(b'\n'),
                Held::Return if *byte != b'\n' => wanted.push(b'\r'),
                _ => {}
            }
            self.held = match byte {
                b'\n' => {
                    self.take -= 1;
                    Held::Feed
                }
                b'\r' => Held::Return,
                other => {
                    wanted.push(*other);
                    Held::Nothing
                }
            };
        }
        wanted
    }

    /// What is left to take at the file's end.
    pub(crate) fn rest(&self) -> &'static [u8] {
        match self.held {
            Held::Return => b"\r",
            _ => b"",
        }
    }
}

fn positive(query: &Pairs, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = first(query, name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(Refusal::body(format!(
            "{name} \"{text}\" must be a number, at least 1"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Lines};

    #[test]
    fn lines_are_cut_wherever_the_pieces_end() {
        let file = "line1\nline2\r\nline3\n\nli\rne5\n";
        for (skip, take, wanted) in [
            (1, 2, "line2\nline3"),
            (0, 1, "line1"),
            (2, 2, "line3\n"),
            (3, u64::MAX, "\nli\rne5"),
            (4, 1, "li\rne5"),
            (5, 1, ""),
            (99, 9, ""),
        ] {
            for size in [1, 2, 3, 7, 99] {
                let held = Held::Nothing;
                let mut lines = Lines { skip, take, held };
                let pieces = file.as_bytes().chunks(size);
                let mut cut: Vec<_> = pieces.flat_map(|piece| lines.cut(piece)).collect();
                cut.extend_from_slice(lines.rest());
                assert_eq!(
                    String::from_utf8_lossy(&cut),
                    wanted,
                    "{skip} {take} {size}"
                );
            }
        }
    }
}
