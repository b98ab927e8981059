//! The Docker target on a real engine.

#![allow(clippy::unwrap_used)]

mod bench;
mod command;
mod lifecycle;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod volume;
