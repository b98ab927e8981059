//! The reference server and the target for any server, against each other and against what lies
//! between them: a server of this process on a free port, real sandboxes behind it, and a relay
//! that does what it is told to do wrong.

#![allow(clippy::unwrap_used)]

#[macro_use]
mod bench;
mod answer;
mod client;
mod echo;
mod guard;
mod leftover;
mod lifecycle;
mod load;
mod proxy;
mod refusal;
mod relay;
mod restart;
mod run;
mod secret;
mod seed;
mod silence;
mod stop;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod unreachable;
mod witness;
