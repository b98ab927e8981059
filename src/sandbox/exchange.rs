//! Requests and answers of the API as they go over the wire.

use std::fmt;

/// A request that is sent as it is, right or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query below the API's base: `/sandboxes?page=0`.
    pub path: String,
    /// Headers beside those that HTTP itself needs. An API key that the target has is added,
    /// unless one is among these.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// What came back, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// A request and its answer for a person, as lines that begin with `>` and `<`; what is secret in
/// them is struck out. Evidence for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange(pub Vec<String>);

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
