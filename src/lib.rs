//! The conformance suite for OpenSandbox, and a harness that runs Lua scenario scripts against a
//! sandbox API and compares what they print with expected transcripts.

pub mod execd;
pub mod report;
pub mod sandbox;
pub mod scenario;
pub mod target;
pub mod transcript;
