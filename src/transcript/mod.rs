//! Transcripts: recorded, normalised, matched, diffed, accepted.

mod accept;
mod diff;
mod matching;
mod record;

pub use accept::accept;
pub use diff::{Comparison, compare};
pub use record::Recorder;
