//! What the rest of the suite asks of an execd.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::protocol::FileInfo;

/// How much of a command's stdout, and of its stderr, is kept: 1 MiB each. The rest is read, so
/// that the command can go on, and dropped; [`CommandResult::truncated`] says so.
pub const OUTPUT_LIMIT: usize = 1 << 20;

/// A foreground command (`RunCommandRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Shell command line, run by the sandbox's `sh -c`.
    pub command: String,
    /// Working directory; the entrypoint's where absent.
    pub cwd: Option<String>,
    /// Environment on top of the sandbox's.
    pub envs: BTreeMap<String, String>,
    /// After this long the command's process tree is killed.
    pub timeout: Option<Duration>,
    /// User id to run as.
    pub uid: Option<u32>,
    /// Group id to run as; needs `uid`.
    pub gid: Option<u32>,
}

/// What a command left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandResult {
    /// Standard output, up to [`OUTPUT_LIMIT`] bytes.
    pub stdout: Vec<u8>,
    /// Standard error, up to [`OUTPUT_LIMIT`] bytes.
    pub stderr: Vec<u8>,
    /// Exit code; 128 + n after signal n where the engine reports it so, -1 where nothing is known.
    pub exit_code: i64,
    /// Whether the timeout ended it.
    pub timed_out: bool,
    /// Whether output was cut at [`OUTPUT_LIMIT`].
    pub truncated: bool,
}

impl CommandResult {
    /// Keeps what fits of `bytes` and notes a cut.
    pub fn push(&mut self, stream: OutputStream, bytes: &[u8]) {
        let buffer = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let room = OUTPUT_LIMIT.saturating_sub(buffer.len());
        buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.truncated |= bytes.len() > room;
    }
}

/// One of a command's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

/// An error that execd answered, or the failure to reach it.
#[derive(Debug, thiserror::Error)]
pub enum ExecdError {
    /// execd refused the request (`ErrorResponse`).
    #[error("{status} {code}: {message}")]
    Api {
        /// HTTP status.
        status: u16,
        /// Machine-readable code, such as `FILE_NOT_FOUND`.
        code: String,
        /// What was wrong.
        message: String,
    },
    /// No answer, half an answer, or one that cannot be read.
    #[error("{context}")]
    Transport {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ExecdError {
    /// An error of the API.
    pub fn api(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Api {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// A failure of the way to execd, met while doing `context`.
    pub fn transport(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Transport {
            context: context.into(),
            source: source.into(),
        }
    }
}

/// A sandbox's execd.
#[async_trait]
pub trait Execd: Send + Sync {
    /// Runs a command in the foreground and waits for its end (`POST /command`).
    async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError>;
    /// Reads a whole file (`GET /files/download`).
    async fn read_file(&self, path: &str) -> Result<Vec<u8>, ExecdError>;
    /// Writes a whole file, creating parents and overwriting (`POST /files/upload`). `mode` as in
    /// [`FileInfo::mode`].
    async fn write_file(
        &self,
        path: &str,
        data: &[u8],
        mode: Option<u32>,
    ) -> Result<(), ExecdError>;
    /// Describes one file, links not followed (`GET /files/info`).
    async fn file_info(&self, path: &str) -> Result<FileInfo, ExecdError>;
    /// Lists the immediate children of a directory in lexical order (`GET /directories/list`).
    async fn list_directory(&self, path: &str) -> Result<Vec<FileInfo>, ExecdError>;
    /// Removes a file, not a directory (`DELETE /files`); a missing one is fine.
    async fn delete_file(&self, path: &str) -> Result<(), ExecdError>;
}
