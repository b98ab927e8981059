//! Answers that are not a success.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use osb_conformance::execd::protocol::ErrorResponse;
use serde::de::DeserializeOwned;

/// The status, code and message of an answer that is not a success.
#[derive(Debug)]
pub(crate) struct Refusal(StatusCode, &'static str, String);

impl Refusal {
    /// 400 `INVALID_REQUEST_BODY`.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST_BODY", message)
    }

    /// 400 `MISSING_QUERY`.
    pub(crate) fn query(name: &str) -> Self {
        let message = format!("the query parameter {name} is required");
        Self::new(StatusCode::BAD_REQUEST, "MISSING_QUERY", message)
    }

    /// 500 `RUNTIME_ERROR`.
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "RUNTIME_ERROR", message)
    }

    /// Any other.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self(status, code, message.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let code = code.to_owned();
        (status, Json(ErrorResponse { code, message })).into_response()
    }
}

/// The JSON of a request's body.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::body(format!("the body cannot be read: {error}")))
}
