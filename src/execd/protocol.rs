//! What travels between a client and execd: bodies, answers and events
//! (`specs/execd-api.yaml`; `requirements.md` part A has the wire facts).
//!
//! Our agent and our client agree on one thing more: a request with the header [`CHUNKS`] gets
//! output as it was written, in pieces of any size, instead of one event per line, and an answer
//! with the same header; a piece that is not UTF-8 comes as [`Event::base64`]. Any other execd
//! ignores the header.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Request header that asks for output as it is, byte for byte; in an answer, that it comes so.
pub const CHUNKS: &str = "x-osb-output-chunks";

/// Response header of `GET /command/{id}/logs`: the cursor that continues where this answer ends.
pub const TAIL_CURSOR: &str = "execd-commands-tail-cursor";

/// Body of `POST /command` (`RunCommandRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommandRequest {
    /// Shell command line.
    pub command: String,
    /// Working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Whether to answer at once and go on running.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// Milliseconds after which the process tree is killed; 0 or absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// User to run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group to run as; needs `uid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Environment on top of the sandbox's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub envs: BTreeMap<String, String>,
}

/// Body of `POST /session` (`CreateSessionRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSessionRequest {
    /// Working directory that the session begins in; made where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

/// Answer to `POST /session` (`CreateSessionResponse`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSessionResponse {
    /// Id for runs in the session.
    pub session_id: String,
}

/// Body of `POST /session/{id}/run` (`RunInSessionRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInSessionRequest {
    /// Shell command line.
    pub command: String,
    /// Working directory, from this run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Milliseconds after which the process tree is killed; 0 or absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
}

/// One event of a command's stream (`ServerStreamEvent`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Kind of event; an open set. A line without one is an error that came too late for a status.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Output, or the command's id in `init`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Output that is not UTF-8; only between our own client and agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// Milliseconds that the command took, in `execution_complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_time: Option<i64>,
    /// How the command failed, in `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExecutionError>,
    /// Code of an error without a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Message of an error without a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How a command failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionError {
    /// `CommandExecError` for an exit code other than 0.
    pub ename: String,
    /// The exit code in decimal, -1 after a signal; or free text where nothing could be started.
    pub evalue: String,
    /// For a person: `exit status 7`, `signal: killed`.
    #[serde(default)]
    pub traceback: Vec<String>,
}

/// Answer to `GET /command/status/{id}` (`CommandStatusResponse`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStatus {
    /// The command's id.
    pub id: String,
    /// The command line.
    #[serde(default)]
    pub content: String,
    /// Whether it still runs.
    pub running: bool,
    /// Its exit code, once it has ended; -1 after a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How it failed: `exit status 5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// What kind of file a [`FileInfo`] is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link, not followed.
    Symlink,
    /// Device, socket or pipe; or not told, which the specification allows.
    #[default]
    Other,
}

/// One file or directory (`FileInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Absolute path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Last change of the content.
    pub modified_at: Timestamp,
    /// Last change of the file itself, as execd tells it (the inode's change time).
    pub created_at: Timestamp,
    /// Owner's name, or the id where it has none.
    pub owner: String,
    /// Group's name, or the id where it has none.
    pub group: String,
    /// Permissions as the decimal number whose digits are the octal mode: 644.
    pub mode: u32,
    /// Kind of file.
    #[serde(rename = "type", default)]
    pub file_type: FileType,
}

/// Owner, group and mode to set (`Permission`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Owner's name; unchanged where absent or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group's name; unchanged where absent or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permissions as in [`FileInfo::mode`]; unchanged where absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// The `metadata` part of `POST /files/upload` (`FileMetadata`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMetadata {
    /// Where the file is to be.
    #[serde(default)]
    pub path: String,
    /// Whose it is to be, and how.
    #[serde(flatten)]
    pub permission: Permission,
}

/// One item of `POST /files/mv` (`RenameFileItem`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameFileItem {
    /// Path of a file or directory.
    pub src: String,
    /// Its new path.
    pub dest: String,
}

/// One item of `POST /files/replace` (`ReplaceFileContentItem`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceFileContentItem {
    /// What is replaced; not empty.
    pub old: String,
    /// What takes its place.
    pub new: String,
}

/// One item of the answer to `POST /files/replace?verbose=true` (`ReplaceFileContentResult`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceFileContentResult {
    /// How many places were replaced.
    #[serde(rename = "replacedCount")]
    pub replaced_count: u64,
}

/// Answer to `GET /metrics` (`Metrics`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Processors.
    pub cpu_count: f64,
    /// Share of their time in use, 0 to 100.
    pub cpu_used_pct: f64,
    /// Memory in MiB.
    pub mem_total_mib: f64,
    /// Memory in use in MiB.
    pub mem_used_mib: f64,
    /// Unix milliseconds.
    pub timestamp: i64,
}

/// An answer that is not a success (`ErrorResponse`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// Machine-readable code.
    pub code: String,
    /// What was wrong.
    #[serde(default)]
    pub message: String,
}
