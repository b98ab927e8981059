//! The real agent and the client of it, over a port and over its standard input and output.

#![allow(clippy::unwrap_used)]

mod background;
mod command;
mod directory;
mod end;
mod file;
mod fuzz;
mod metric;
mod proxy;
mod session;
mod support;
