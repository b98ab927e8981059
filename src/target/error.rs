//! How a target's operation ends when it does not succeed.

use crate::execd::ExecdError;
use crate::sandbox::ApiError;

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
    /// The target was reached, but an operation got no usable answer.
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
            ExecdError::Transport { context, source } => Self::Failed { context, source },
        }
    }
}
