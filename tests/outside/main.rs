//! Witnesses from outside: the official SDK and schemathesis with our reference server, and our
//! suite with the official server.
//!
//! They need a Python with the packages of `requirements.txt`, named by `OSB_OUTSIDE_PYTHON`:
//!
//! ```sh
//! python3 -m venv /tmp/outside
//! /tmp/outside/bin/pip install -r tests/outside/requirements.txt
//! OSB_OUTSIDE_PYTHON=/tmp/outside/bin/python cargo test --test outside
//! ```
//!
//! Without it they are skipped, visibly; `outside` in `OSB_CONFORMANCE_REQUIRE` makes that a
//! failure.

#![allow(clippy::unwrap_used)]

mod engine;
mod official;
mod process;
mod python;
mod schema;
mod sdk;
mod served;
mod suite;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
