//! An answer, read within bounds.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use serde::de::DeserializeOwned;

use super::transport::Body;
use crate::execd::api::ExecdError;
use crate::execd::protocol::ErrorResponse;

/// Most bytes that are read of an error's body.
const ERROR: usize = 64 << 10;

/// Largest answer of JSON.
const JSON: usize = 16 << 20;

/// Largest file.
const FILE: usize = 1 << 30;

/// Most characters of an answer that an error shows.
const SHOWN: usize = 200;

/// A success.
#[derive(Debug)]
pub(super) struct Answer {
    /// The request, for errors.
    pub(super) context: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Answer {
    /// Reads the body to its end, so that it is known to be whole.
    pub(super) async fn nothing(self) -> Result<(), ExecdError> {
        self.bytes(JSON).await.map(drop)
    }

    /// Reads a body of JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, ExecdError> {
        let context = self.context.clone();
        let body = self.bytes(JSON).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let shown = beginning(&body);
            ExecdError::transport(
                format!("the answer to {context} cannot be read: {shown}"),
                error,
            )
        })
    }

    /// Reads a file's bytes.
    pub(super) async fn file(self) -> Result<Bytes, ExecdError> {
        self.bytes(FILE).await
    }

    async fn bytes(mut self, limit: usize) -> Result<Bytes, ExecdError> {
        let context = || format!("reading the answer to {}", self.context);
        let too_large = || {
            let what = format!("it is longer than {} MiB", limit >> 20);
            Err(ExecdError::transport(context(), what))
        };
        let length = self.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return too_large();
        }
        let mut bytes = Vec::with_capacity(length.unwrap_or_default());
        while let Some(chunk) = self.body.chunk().await {
            let chunk = chunk.map_err(|error| ExecdError::transport(context(), error))?;
            if bytes.len() + chunk.len() > limit {
                return too_large();
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// The error that an answer that is not a success tells.
    pub(super) async fn refusal(mut self) -> ExecdError {
        let mut bytes = Vec::new();
        // What can be read of it: the status is worth more than a failure to read the rest.
        while let Some(Ok(chunk)) = self.body.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ERROR {
                bytes.truncate(ERROR);
                break;
            }
        }
        refusal(self.status.as_u16(), &bytes)
    }
}

fn refusal(status: u16, body: &[u8]) -> ExecdError {
    match serde_json::from_slice::<ErrorResponse>(body) {
        Ok(error) => ExecdError::api(status, error.code, error.message),
        Err(_) => ExecdError::api(status, "UNKNOWN", beginning(body)),
    }
}

/// The beginning of what was received, for a person.
pub(super) fn beginning(bytes: &[u8]) -> String {
    // No character is longer than four bytes.
    let bytes = &bytes[..bytes.len().min(SHOWN * 4)];
    String::from_utf8_lossy(bytes).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_as_they_come() {
        let told = |status, body: &[u8]| refusal(status, body).to_string();
        assert_eq!(
            told(404, br#"{"code":"FILE_NOT_FOUND","message":"no /x"}"#),
            "404 FILE_NOT_FOUND: no /x"
        );
        // execd drops an empty message.
        assert_eq!(
            told(500, br#"{"code":"RUNTIME_ERROR"}"#),
            "500 RUNTIME_ERROR: "
        );
        assert_eq!(
            told(401, br#"{"error":"no"}"#),
            r#"401 UNKNOWN: {"error":"no"}"#
        );
        assert_eq!(told(502, b""), "502 UNKNOWN: ");
        let long = told(502, "å".repeat(1000).as_bytes());
        assert_eq!(long, format!("502 UNKNOWN: {}", "å".repeat(SHOWN)));
        assert_eq!(
            told(502, &[0xff; 10]),
            format!("502 UNKNOWN: {}", "\u{fffd}".repeat(10))
        );
    }
}
