//! Transcripts: recorded, normalised, matched, diffed, accepted.
//!
//! Wildcards come from the expected text only. [`compare`] aligns actual with expected and writes
//! every actual line that matches as the expected line it matches, so that a diff shows only what
//! really differs; [`accept`] keeps exactly that normalised text.
//!
//! | expected | matches |
//! | --- | --- |
//! | `...` alone on a line | any number of lines |
//! | `...` between white space or a line's edges | any text; the white space around it any white space |
//! | `exists...` | itself |
//! | `<uuid>` `<timestamp>` `<duration>` `<number>` | such a value, or itself, also inside a word |
//!
//! Trailing white space, and blank lines at the end, have no meaning.

mod align;
mod diff;
mod pattern;
mod record;

pub use diff::{Comparison, Diff, accept, compare};
pub use record::{Recorder, escaped};
