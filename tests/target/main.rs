//! The targets that are built in, on a real machine: what one does, the other does.

#![allow(clippy::unwrap_used)]

#[macro_use]
mod bench;
mod against;
mod agent;
mod alike;
mod command;
mod docker;
#[cfg(target_os = "linux")]
mod hostile;
mod lifecycle;
#[cfg(target_os = "linux")]
mod local;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod user;
mod volume;
