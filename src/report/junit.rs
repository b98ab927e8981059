//! Junit.

/// Junit.
#[derive(Debug)]
pub struct Junit;
