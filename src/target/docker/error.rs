//! The engine's errors in the suite's terms.

use bollard::errors::Error;

use crate::sandbox::ApiError;
use crate::target::TargetError;

/// The HTTP status of an answer that was not a success; `None` where there was no answer.
pub(super) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// The engine's own words, or the failure to get any.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        other => other.to_string(),
    }
}

/// An engine's answer that the API reports with `code`; no answer stays a failure of `context`.
pub(super) fn api(context: &str, http: u16, code: &str, error: Error) -> TargetError {
    match status(&error) {
        Some(_) => ApiError::new(http, code, format!("{context}: {}", words(&error))).into(),
        None => failed(context, error),
    }
}

/// An operation that the engine did not do.
pub(super) fn failed(context: &str, error: Error) -> TargetError {
    TargetError::failed(format!("{context} failed"), words(&error))
}

/// Success also where there is nothing (any more) to act on.
pub(super) fn or_absent(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if status(&error) == Some(404) => Ok(()),
        other => other,
    }
}
