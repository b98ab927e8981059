//! The conformance suite for OpenSandbox, and a harness that runs Lua scenario scripts against a
//! sandbox API and compares what they print with expected transcripts.
//!
//! A [`scenario`] is one Lua file and its expected transcript. A [`target::Target`] is what is
//! tested: an implementation of OpenSandbox. The [`runner`] runs the one against the other, each
//! scenario with a ledger of what it creates, and emits [`report`] events. The `osb-conformance`
//! command is a thin layer over this library.
//!
//! # Embedding
//!
//! Another project runs scenarios under its own `cargo test` and cargo-nextest: a folder
//! `scenarios/`, an entry in `Cargo.toml`,
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! and `tests/conformance.rs`:
//!
//! ```no_run
//! use osb_conformance::harness::Harness;
//! use osb_conformance::runner::{Suite, SuiteError};
//! use osb_conformance::target::docker::{DockerConfig, DockerTarget};
//! use osb_conformance::target::local::{LocalConfig, LocalTarget};
//!
//! fn main() -> Result<std::process::ExitCode, SuiteError> {
//!     let suite = Suite::folder("scenarios".as_ref())?;
//!     let docker = DockerTarget::connect(DockerConfig::default());
//!     let local = LocalTarget::connect(LocalConfig::default());
//!     Ok(Harness::new(suite).target("docker", docker).target("local", local).main())
//! }
//! ```
//!
//! [`Suite::shipped`](runner::Suite::shipped) is the suite of this crate, and
//! [`Harness::target`](harness::Harness::target) takes any [`target::Target`]: implement that
//! trait for your own sandboxes and pass what connects to them.

pub mod execd;

// The agent is built of the protocol alone; everything else is the suite's.
#[cfg(feature = "suite")]
pub mod harness;
#[cfg(feature = "suite")]
mod lua;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod runner;
#[cfg(feature = "suite")]
pub mod sandbox;
#[cfg(feature = "suite")]
pub mod scenario;
#[cfg(feature = "suite")]
pub mod serve;
#[cfg(feature = "suite")]
pub mod signal;
#[cfg(feature = "suite")]
pub mod target;
#[cfg(feature = "suite")]
pub mod transcript;
