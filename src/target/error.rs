//! How a target's operation ends when it does not succeed.

use std::error::Error;

use crate::execd::ExecdError;
use crate::sandbox::{ApiError, Exchange};

/// An answer that is not a success, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The target answered with an error: a value that a scenario can assert on.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The target could not be reached at all.
    #[error("{target} cannot be reached: {reason}")]
    Unreachable {
        /// What was tried, with its address.
        target: String,
        /// Why it failed and what to do.
        reason: String,
    },
    /// The target answered, but not as the specification has it: no JSON, half an answer, none in
    /// time. The target is wrong.
    #[error("{what}")]
    Misbehaved {
        /// What it did.
        what: String,
        /// The request and what came back.
        exchange: Option<Exchange>,
    },
    /// What is asked for cannot be done on this target without leaving something behind, or not at
    /// all; says why. Nothing was done.
    #[error("{0}")]
    Impossible(String),
    /// An operation got no usable answer, and nobody can say that the target is to blame.
    #[error("{context}")]
    Failed {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TargetError {
    /// 501: the target does not offer `what`.
    pub fn unsupported(what: &str) -> Self {
        ApiError::unsupported(what).into()
    }

    /// An operation without a usable answer, met while doing `context`.
    pub fn failed(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            context: context.into(),
            source: source.into(),
        }
    }

    /// The API error, where there was an answer.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ExecdError> for TargetError {
    fn from(error: ExecdError) -> Self {
        match error {
            ExecdError::Api {
                status,
                code,
                message,
            } => Self::Api(ApiError::new(status, code, message)),
            ExecdError::Transport { context, source } => match source.downcast::<Self>() {
                // What went wrong on the way to execd says it best.
                Ok(error) => *error,
                Err(source) if is_unreachable(source.as_ref()) => Self::Failed { context, source },
                Err(source) => Self::Misbehaved {
                    what: format!("{context}: {}", in_full(source.as_ref())),
                    exchange: None,
                },
            },
        }
    }
}

/// Whether `error`, or what caused it, is that nothing could be connected to.
pub(super) fn is_unreachable(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind;
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        if matches!(
            kind,
            Some(
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::AddrNotAvailable
                    | ErrorKind::NotConnected
                    | ErrorKind::NotFound
            )
        ) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error and its causes, in one line. Many errors of libraries repeat their cause in their own
/// text; it is told once.
pub fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
