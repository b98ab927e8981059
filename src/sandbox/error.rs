//! The API's error envelope as a value.

use std::fmt;

use serde::Serialize;

use super::exchange::Exchange;

/// An answer of the API that is not a success: the `ErrorResponse` envelope
/// (`specs/sandbox-lifecycle.yml`, `ErrorResponse`) with the HTTP status it came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiError {
    /// HTTP status, 400..=599.
    pub status: u16,
    /// Machine-readable code, such as `VOLUME::INVALID_SUB_PATH`.
    pub code: String,
    /// What was wrong and how to mend it, naming the field or value at fault.
    pub message: String,
    /// The request and this answer to it, where they went over a wire.
    #[serde(skip)]
    pub exchange: Option<Exchange>,
}

impl ApiError {
    /// An error with the given status, code and message.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            exchange: None,
        }
    }

    /// 400: the request is wrong.
    pub fn bad_request(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 400 with the code of a parameter that no more specific code covers.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::bad_request("SANDBOX::INVALID_PARAMETER", message)
    }

    /// 501: the implementation does not offer `what`.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(
            501,
            "SANDBOX::API_NOT_SUPPORTED",
            format!("this target does not support {what}"),
        )
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

impl std::error::Error for ApiError {}
