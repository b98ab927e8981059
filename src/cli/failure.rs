//! Why a command could not do its work.

use std::fmt;

use osb_conformance::runner::SuiteError;
use osb_conformance::scenario::FilterError;
use osb_conformance::serve::ServeError;
use osb_conformance::target::{LedgerError, TargetError, in_full};

use super::exit;

/// A message for a person and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    /// See [`exit`].
    pub(crate) code: u8,
}

impl Failure {
    /// The message alone.
    pub(super) fn why(&self) -> &str {
        &self.message
    }

    /// The command line, or a file that it names, is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: exit::USAGE,
        }
    }

    /// Something that the command needs is not there.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: exit::UNAVAILABLE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        match error {
            // What the command line asks for.
            TargetError::Impossible(why) => Self::usage(why),
            other => Self::unavailable(in_full(&other)),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::unavailable(in_full(&error))
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        Self::usage(in_full(&error))
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::usage(in_full(&error))
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let message = in_full(&error);
        match error {
            ServeError::Open(_) => Self::usage(message),
            _ => Self::unavailable(message),
        }
    }
}
