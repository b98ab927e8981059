//! execd: commands and files inside a sandbox (`specs/execd-api.yaml`).
//!
//! [`Execd`] is what the rest of the suite asks of it; a target hands out one per sandbox. Errors
//! that execd answers are values with a status, a code and a message, like the lifecycle API's.
//! [`Client`] speaks the [`protocol`], to an execd on a port and to our own, the [`agent`], over any
//! stream of bytes.

#[cfg(feature = "suite")]
pub mod agent;
#[cfg(feature = "suite")]
mod api;
#[cfg(feature = "suite")]
mod client;
pub mod enclosure;
pub mod protocol;
#[cfg(feature = "suite")]
mod stream;

#[cfg(feature = "suite")]
pub use api::{Command, CommandResult, Execd, ExecdError, OUTPUT_LIMIT, OutputStream};
#[cfg(feature = "suite")]
pub use client::{
    Client, EventStream, ForwardRequest, ForwardResponse, MetricStream, NotReady, Payload, greet,
    read_greeting,
};
pub use protocol::{FileInfo, FileType};
