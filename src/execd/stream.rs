//! Reads streams of events as servers really send them.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::api::ExecdError;

/// Longest line, in bytes: an event of ours is far shorter, and no line fills the memory.
const LONGEST: usize = 4 << 20;

/// Splits bytes into events of type `T`: bare JSON lines and `data:` lines alike.
#[derive(Debug)]
pub(super) struct EventParser<T> {
    bytes: Vec<u8>,
    /// Where the line begins that is read next.
    line: usize,
    /// Up to where there is known to be no end of that line.
    seen: usize,
    event: PhantomData<fn() -> T>,
}

impl<T> Default for EventParser<T> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            line: 0,
            seen: 0,
            event: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> EventParser<T> {
    /// Takes bytes as they come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.line);
        self.seen -= self.line;
        self.line = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next event that is complete. One after another, so that what follows an event that can
    /// be read never hides it.
    ///
    /// # Errors
    /// When a line is no event, or is too long to be one.
    pub(super) fn next(&mut self) -> Result<Option<T>, ExecdError> {
        while let Some(length) = self.bytes[self.seen..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let end = self.seen + length;
            let line = self.line..end;
            (self.line, self.seen) = (end + 1, end + 1);
            if let Some(event) = event(&self.bytes[line])? {
                return Ok(Some(event));
            }
        }
        self.seen = self.bytes.len();
        if self.seen - self.line > LONGEST {
            let what = format!("an event is longer than {} MiB", LONGEST >> 20);
            return Err(ExecdError::transport("reading events", what));
        }
        Ok(None)
    }

    /// The event of a last line that nothing ended; `None` where it is not whole.
    pub(super) fn end(&mut self) -> Option<T> {
        let line = std::mem::take(&mut self.bytes).split_off(self.line);
        (self.line, self.seen) = (0, 0);
        event(&line).ok().flatten()
    }
}

/// The event of a line; `None` for one that carries none.
fn event<T: DeserializeOwned>(line: &[u8]) -> Result<Option<T>, ExecdError> {
    let line = line.trim_ascii();
    let framing: [&[u8]; 4] = [b":", b"event:", b"id:", b"retry:"];
    if line.is_empty() || framing.iter().any(|start| line.starts_with(start)) {
        return Ok(None);
    }
    let json = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
    // A `data:` alone is the empty line of an event that has no other.
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(json).map(Some).map_err(|error| {
        let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
        ExecdError::transport(format!("an event cannot be read: {shown}"), error)
    })
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Event;
    use super::*;

    fn kinds(pieces: &[&str]) -> Vec<String> {
        let mut parser = EventParser::<Event>::default();
        let mut kinds = Vec::new();
        for piece in pieces {
            parser.push(piece.as_bytes());
            while let Some(event) = parser.next().expect("events") {
                kinds.push(event.kind);
            }
        }
        kinds.extend(parser.end().map(|event| event.kind));
        kinds
    }

    #[test]
    fn both_framings_are_read_and_the_rest_is_skipped() {
        let stream = "{\"type\":\"init\"}\n\n: comment\nevent: x\nid: 1\nretry: 2\r\ndata: {\"type\":\"ping\"}\r\ndata:\n\n{\"type\":\"new\",\"x\":1}\n";
        assert_eq!(kinds(&[stream]), ["init", "ping", "new"]);
        let bytes: Vec<_> = stream.split_inclusive(|_| true).collect();
        assert_eq!(kinds(&bytes), ["init", "ping", "new"]);
    }

    #[test]
    fn a_last_line_needs_no_end_but_must_be_whole() {
        assert_eq!(
            kinds(&["{\"type\":\"init\"}\n{\"type\":\"last\"}"]),
            ["init", "last"]
        );
        assert_eq!(kinds(&["{\"type\":\"init\"}\n{\"type\":\"la"]), ["init"]);
    }

    #[test]
    fn what_follows_an_event_does_not_hide_it() {
        let mut parser = EventParser::<Event>::default();
        parser.push(b"{\"type\":\"init\"}\n<html>\n");
        assert!(parser.next().expect("an event").is_some());
        let error = parser.next().expect_err("refused");
        assert!(error.to_string().contains("<html>"), "{error}");
    }

    #[test]
    fn a_line_that_never_ends_is_refused() {
        let mut parser = EventParser::<Event>::default();
        parser.push(&vec![b'x'; LONGEST]);
        assert!(parser.next().expect("may go on").is_none());
        parser.push(b"x");
        assert!(parser.next().is_err());
    }

    #[test]
    fn no_bytes_make_it_panic() {
        // A linear congruential generator: the same bytes on every run.
        let mut state: u64 = 42;
        let alphabet = b"{}\":,[]\\ntype\r\n data\x00\xff1";
        let mut byte = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            alphabet[(state >> 33) as usize % alphabet.len()]
        };
        let mut parser = EventParser::<Event>::default();
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..40).map(|_| byte()).collect();
            parser.push(&bytes);
            for _ in 0..3 {
                let _ = parser.next();
            }
        }
        let _ = parser.end();
    }
}
