//! The conformance suite for OpenSandbox, and a harness that runs Lua scenario scripts against a
//! sandbox API and compares what they print with expected transcripts.

pub mod execd;
pub mod harness;
mod lua;
pub mod report;
pub mod runner;
pub mod sandbox;
pub mod scenario;
pub mod signal;
pub mod target;
pub mod transcript;
