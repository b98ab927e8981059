//! What a harness and our agent tell each other before execd's protocol begins.
//!
//! On its standard output the agent first says one line of JSON, a [`Greeting`]; what follows is
//! HTTP/2.
//!
//! An agent that is to make the sandbox itself (`osb-agent enclose`) says [`Greeting::Unshared`]
//! before that. The harness then maps the users of its user namespace, and writes the length of an
//! [`Enclosure`] in JSON, a line feed, and the JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Longest greeting, in bytes.
pub const LONGEST_GREETING: usize = 64 << 10;

/// How [`Greeting::NotEnclosed`]'s step begins where one of the [`Bind`]s cannot be had: its target
/// and the step follow.
pub const GIVING: &str = "mounting at ";

/// The agent's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Greeting {
    /// The namespaces are made; users can be mapped.
    Unshared,
    /// The entrypoint runs, and execd answers.
    Ready,
    /// The entrypoint cannot be started.
    NotStarted(String),
    /// The kernel refuses to make the sandbox: what was being done, and the errno.
    NotEnclosed {
        /// What was being done, such as `making a user namespace`.
        step: String,
        /// The kernel's errno; 0 where it was not the kernel.
        errno: i32,
        /// For a person.
        message: String,
    },
}

/// A sandbox made of namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Host name inside.
    pub hostname: String,
    /// The entry process: program and arguments.
    pub entrypoint: Vec<String>,
    /// Environment of the entrypoint and of every command.
    pub env: BTreeMap<String, String>,
    /// Directories of the host that are visible inside, beside those of its system.
    pub binds: Vec<Bind>,
    /// Most bytes in the sandbox's own files, which are in memory.
    pub memory_bytes: Option<i64>,
    /// Most processes at once.
    pub processes: u64,
}

/// One directory of the host inside of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Absolute path on the host, without links: a link met on the way is refused.
    pub source: PathBuf,
    /// Absolute path inside, made where it is missing.
    pub target: PathBuf,
    /// Whether the kernel refuses writes.
    pub read_only: bool,
}
