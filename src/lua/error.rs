//! Lua errors told to a person: `file:line` of the scenario and a traceback without internals.

use std::fmt;

use mlua::{Error, Lua};

use crate::scenario::Source;
use crate::target::{LedgerError, TargetError, in_full};

use super::stage::{Failure, FailureKind};

/// An error that our API raises into a script, with the line that it was raised at.
#[derive(Debug)]
pub(super) struct Raised {
    pub(super) cause: Cause,
    pub(super) location: Option<String>,
}

/// What went wrong.
#[derive(Debug)]
pub(super) enum Cause {
    /// A failed expectation, on record in the stage.
    Expectation(String),
    /// `skip` was called; on record in the stage.
    Skip,
    /// The target's answer or its absence.
    Target(TargetError),
    /// The script used the API wrongly.
    Usage(String),
}

impl Raised {
    /// Whether the stage has it on record already.
    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.cause, Cause::Expectation(_) | Cause::Skip)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Expectation(message) | Cause::Usage(message) => f.write_str(message),
            Cause::Skip => f.write_str("skipped"),
            Cause::Target(error) => f.write_str(&in_full(error)),
        }
    }
}

impl std::error::Error for Raised {}

impl Cause {
    /// The request and the answer that it was about, where it was about any.
    fn evidence(&self) -> Option<String> {
        let Self::Target(error) = self else {
            return None;
        };
        let exchange = match error {
            TargetError::Api(error) => error.exchange.as_ref(),
            TargetError::Misbehaved { exchange, .. } => exchange.as_ref(),
            _ => None,
        };
        exchange.map(ToString::to_string)
    }

    /// The error as Lua raises it, at the line that the script is at.
    pub(super) fn into_lua(self, lua: &Lua) -> Error {
        self.at(here(lua))
    }

    /// The error as Lua raises it, at a line that was noted before.
    pub(super) fn at(self, location: Option<String>) -> Error {
        Error::external(Raised {
            cause: self,
            location,
        })
    }
}

impl From<TargetError> for Cause {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl From<LedgerError> for Cause {
    fn from(error: LedgerError) -> Self {
        Self::Target(TargetError::failed("nothing was created", error))
    }
}

/// `file:line` that the scenario itself is at, or the module that it required where it is not on
/// the stack: chunks of ours have no name that ends in `.lua`.
pub(super) fn here(lua: &Lua) -> Option<String> {
    let places: Vec<String> = (0..32)
        .map_while(|level| {
            lua.inspect_stack(level, |frame| {
                let source = frame.source();
                let name = source.source.as_deref()?.strip_prefix('@')?.to_owned();
                Some(format!("{name}:{}", frame.current_line()?)).filter(|_| name.ends_with(".lua"))
            })
        })
        .flatten()
        .collect();
    let own = places.iter().find(|place| !place.starts_with("lib/"));
    own.or(places.first()).cloned()
}

/// The error below all wrappers that callbacks put around it.
pub(super) fn innermost(mut error: &Error) -> &Error {
    while let Error::CallbackError { cause, .. }
    | Error::BadArgument { cause, .. }
    | Error::WithContext { cause, .. } = error
    {
        error = cause;
    }
    error
}

/// Our own error, where it was ours.
pub(super) fn raised(error: &Error) -> Option<&Raised> {
    error.downcast_ref::<Raised>()
}

/// The failure that `error`, which ended `source`'s script, comes to.
pub(super) fn describe(error: &Error, source: &Source) -> Failure {
    let inner = innermost(error);
    let (frames, text) = (frames(error), inner_text(error, inner));
    let (placed, message) = split_location(&text, &source.path);
    let raised = raised(error);
    let location = raised
        .and_then(|raised| raised.location.clone())
        .or(placed)
        .or_else(|| frames.first().map(|(place, _)| place.clone()));
    let kind = match raised.map(|raised| &raised.cause) {
        Some(Cause::Expectation(_)) => FailureKind::Expectation,
        Some(Cause::Target(TargetError::Api(_))) => FailureKind::Api,
        Some(Cause::Target(TargetError::Misbehaved { .. })) => FailureKind::Protocol,
        Some(Cause::Target(_)) => FailureKind::Target,
        _ => FailureKind::Script,
    };
    // One frame says no more than the location does.
    let detail = (frames.len() > 1).then(|| {
        let line =
            |(place, what): &(String, String)| format!("  at {place} {what}").trim_end().to_owned();
        frames.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    let evidence = raised.and_then(|raised| raised.cause.evidence());
    let detail = match (evidence, detail) {
        (Some(evidence), Some(detail)) => Some(format!("{evidence}\n{detail}")),
        (evidence, detail) => evidence.or(detail),
    };
    Failure {
        kind,
        location,
        message,
        detail,
    }
}

fn inner_text(error: &Error, inner: &Error) -> String {
    match inner {
        Error::SyntaxError { message, .. } => message.clone(),
        Error::RuntimeError(message) => message
            .split("\nstack traceback:")
            .next()
            .unwrap_or(message)
            .to_owned(),
        Error::MemoryError(_) => format!(
            "the script needs more than its {} MiB of memory",
            super::MEMORY_LIMIT >> 20
        ),
        Error::ExternalError(cause) => cause.to_string(),
        _ => match error {
            Error::BadArgument { .. } => error.to_string(),
            Error::CallbackError { cause, .. } => cause.to_string(),
            _ => inner.to_string(),
        },
    }
}

/// Splits `path:line: message` at the first place that names `path` or a module.
fn split_location(text: &str, path: &str) -> (Option<String>, String) {
    let found = text.find(".lua:").and_then(|dot| {
        let name = &text[..dot + 4];
        let rest = &text[dot + 5..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let is_place = name == path || !name.contains(char::is_whitespace);
        (digits > 0 && is_place).then(|| {
            (
                format!("{name}:{}", &rest[..digits]),
                rest[digits..].trim_start_matches(':').trim(),
            )
        })
    });
    match found {
        Some((location, message)) => (Some(location), message.to_owned()),
        None => (None, text.to_owned()),
    }
}

/// The script's own frames of the fullest traceback: place and, where Lua knows one, the function.
fn frames(error: &Error) -> Vec<(String, String)> {
    let mut tracebacks = Vec::new();
    let mut current = error;
    loop {
        match current {
            Error::CallbackError { cause, traceback } => {
                tracebacks.push(traceback.as_str());
                current = cause;
            }
            Error::BadArgument { cause, .. } | Error::WithContext { cause, .. } => current = cause,
            Error::RuntimeError(message) => {
                tracebacks.extend(message.split_once("\nstack traceback:").map(|(_, t)| t));
                break;
            }
            _ => break,
        }
    }
    let of = |traceback: &&str| traceback.lines().filter_map(frame).collect::<Vec<_>>();
    tracebacks
        .iter()
        .map(of)
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

fn frame(line: &str) -> Option<(String, String)> {
    let (place, what) = line.trim().split_once(": in ")?;
    let (name, number) = place.rsplit_once(':')?;
    if !name.ends_with(".lua") || number.parse::<u32>().is_err() {
        return None;
    }
    let function = what.split('\'').nth(1);
    Some((
        place.to_owned(),
        function
            .map(|name| format!("in {name}"))
            .unwrap_or_default(),
    ))
}
