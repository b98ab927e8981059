//! Json.

/// Json.
#[derive(Debug)]
pub struct Json;
