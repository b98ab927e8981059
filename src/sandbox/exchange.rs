//! Requests and answers of the API as they go over the wire.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::secret::strike;

/// Most characters of a body that are shown.
const SHOWN: usize = 1500;

/// Largest answer of the API that is read, in bytes.
pub(crate) const LARGEST_ANSWER: usize = 16 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the answer to a create request may take: a server may pull the image meanwhile.
const CREATE_PATIENCE: Duration = Duration::from_secs(120);

/// How long the API may take to answer `method` for `path`.
pub(crate) fn patience(method: &str, path: &str) -> Duration {
    match (method, path) {
        ("POST", "/sandboxes") => CREATE_PATIENCE,
        _ => PATIENCE,
    }
}

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
    /// Both as evidence, where they went over a wire.
    pub exchange: Option<Exchange>,
}

/// A request and its answer for a person, as lines that begin with `>` and `<`; what is secret in
/// them is struck out. Evidence for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange(pub Vec<String>);

impl Exchange {
    /// A request without its answer.
    pub fn begin(method: &str, path: &str, body: &[u8]) -> Self {
        let mut exchange = Self(vec![format!("> {method} {path}")]);
        exchange.add('>', body);
        exchange
    }

    /// Adds the answer's status, and what kind of body it says that it has.
    pub fn status(&mut self, status: impl fmt::Display, kind: Option<&str>) {
        let line = format!("< {status} {}", kind.unwrap_or_default());
        self.0.push(line.trim_end().to_owned());
    }

    /// Adds the answer's body.
    pub fn body(&mut self, body: &[u8]) {
        self.add('<', body);
    }

    /// Adds why there is no answer, or no whole one.
    pub fn broken(&mut self, why: &str) {
        self.0.push(format!("< no answer: {why}"));
    }

    fn add(&mut self, side: char, body: &[u8]) {
        if !body.is_empty() {
            self.0.push(format!("{side} {}", shown(body)));
        }
    }
}

/// A body for a person: its beginning, in one line where it is JSON, without its secrets.
fn shown(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            strike(&mut value);
            value.to_string()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_and_the_rest_is_shown() {
        let body = br#"{"image":{"auth":{"username":"u","password":"p4ss"}},"volumes":[{"ossfs":{"accessKeyId":"1d","accessKeySecret":"s3cret"}}]}"#;
        let mut exchange = Exchange::begin("POST", "/v1/sandboxes", body);
        exchange.status("502 Bad Gateway", Some("text/html"));
        exchange.body(b"<html>");
        let text = exchange.to_string();
        for secret in ["p4ss", "1d", "s3cret"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("\"username\":\"u\""), "{text}");
        assert!(
            text.ends_with("< 502 Bad Gateway text/html\n< <html>"),
            "{text}"
        );
    }

    #[test]
    fn long_bodies_are_cut_and_empty_ones_left_out() {
        assert_eq!(
            shown("å".repeat(2000).as_bytes()).chars().count(),
            SHOWN + 1
        );
        assert_eq!(Exchange::begin("GET", "/", b"").0.len(), 1);
    }
}
