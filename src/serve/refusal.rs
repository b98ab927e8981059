//! Answers that are not a success: always the error envelope (`ErrorResponse`).

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::sandbox::ApiError;
use crate::target::{LedgerError, TargetError, in_full};

/// An error as it is answered.
#[derive(Debug)]
pub(super) struct Refusal(ApiError);

/// `ErrorResponse`.
#[derive(Serialize)]
struct Envelope<'a> {
    code: &'a str,
    message: &'a str,
}

impl Refusal {
    /// An error with a code that the reference server has for it.
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self(ApiError::new(status.as_u16(), code, message))
    }

    /// 400 for a request that is wrong by its form.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self(ApiError::invalid_parameter(message))
    }

    fn internal(error: &dyn std::error::Error) -> Self {
        let message = in_full(error);
        tracing::warn!(message, "answered with 500");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "GENERAL::UNKNOWN_ERROR",
            message,
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status =
            StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let envelope = Envelope {
            code: &error.code,
            message: &error.message,
        };
        (status, Json(envelope)).into_response()
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<TargetError> for Refusal {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Api(error) => Self(error),
            other => Self::internal(&other),
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::internal(&error)
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid(format!(
            "the path cannot be read: {}",
            rejection.body_text()
        ))
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(
            rejection.status(),
            "SANDBOX::INVALID_PARAMETER",
            format!("the body cannot be read: {}", rejection.body_text()),
        )
    }
}
