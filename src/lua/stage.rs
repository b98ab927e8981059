//! What a running scenario has done so far, where the runner can see it at any moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sandbox::{Exchange, secrets};
use crate::scenario::Source;
use crate::transcript::Recorder;

use super::error;

/// Why a scenario is not passed, as far as the script's side can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// `file:line` of the scenario, where one is known.
    pub location: Option<String>,
    /// One sentence.
    pub message: String,
    /// More lines, such as a traceback.
    pub detail: Option<String>,
}

/// Kinds of [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// An `expect` did not hold.
    Expectation,
    /// The target refused what the scenario takes for granted.
    Api,
    /// The target answered as the specification does not have it, or not at all.
    Protocol,
    /// The target could not be asked.
    Target,
    /// The script is wrong: a Lua error, an unknown field, a bound that it ran into.
    Script,
}

/// A call to the target that has not returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What a script would call it: `Sandbox.create`.
    pub name: &'static str,
    /// `file:line` of the call.
    pub location: Option<String>,
}

/// The state of one running scenario.
#[derive(Debug)]
pub struct Stage {
    recorder: Mutex<Recorder>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: Vec<Failure>,
    skip: Option<String>,
    /// How many `eventually` are trying: failed expectations are not final then.
    attempts: usize,
    operations: BTreeMap<u64, Operation>,
    next_operation: u64,
    last_unsuccessful: Option<String>,
    last_exchange: Option<String>,
    sandboxes: usize,
}

impl Stage {
    /// A stage that records with `recorder`.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            recorder: Mutex::new(recorder),
            inner: Mutex::default(),
        }
    }

    /// The recorder.
    pub fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What failed so far, in order.
    pub fn failures(&self) -> Vec<Failure> {
        self.inner().failures.clone()
    }

    /// Why the script asked to be skipped, if it did.
    pub fn skipped(&self) -> Option<String> {
        self.inner().skip.clone()
    }

    /// The call that has been in flight longest.
    pub fn in_flight(&self) -> Option<Operation> {
        self.inner().operations.values().next().cloned()
    }

    /// The last command that ended with a non-zero exit code, and what it said: evidence for a
    /// scenario that fails later.
    pub fn last_unsuccessful_command(&self) -> Option<String> {
        self.inner().last_unsuccessful.clone()
    }

    /// The last request that was sent as it was, and its answer: evidence as well.
    pub fn last_exchange(&self) -> Option<String> {
        self.inner().last_exchange.clone()
    }

    pub(super) fn note_exchange(&self, exchange: Exchange) {
        self.inner().last_exchange = Some(exchange.to_string());
    }

    pub(super) fn note_unsuccessful(&self, command: String) {
        self.inner().last_unsuccessful = Some(command);
    }

    /// Shows the sandbox `id` as `sandbox-N` in the transcript.
    pub(super) fn name_sandbox(&self, id: &str) {
        let number = {
            let mut inner = self.inner();
            inner.sandboxes += 1;
            inner.sandboxes
        };
        self.recorder().alias(id, &format!("sandbox-{number}"));
    }

    /// Strikes what is secret in the body of a request or an answer out of everything that is told.
    pub(super) fn keep_secret(&self, body: &serde_json::Value) {
        let mut recorder = self.recorder();
        for secret in secrets(body) {
            recorder.secret(secret);
        }
    }

    pub(super) fn skip(&self, reason: String) {
        self.inner().skip.get_or_insert(reason);
    }

    /// Records a failure, except while an `eventually` is still trying.
    pub(super) fn fail(&self, failure: Failure) {
        let mut inner = self.inner();
        if inner.attempts == 0 {
            inner.failures.push(failure);
        }
    }

    /// Records what ended the script, unless it is on record already.
    pub(super) fn fail_with(&self, error: &mlua::Error, source: &Source) {
        if let Some(raised) = error::raised(error)
            && raised.is_recorded()
            && (!self.inner().failures.is_empty() || self.inner().skip.is_some())
        {
            return;
        }
        let mut failure = error::describe(error, source);
        let recorder = self.recorder();
        failure.message = recorder.redact(&failure.message);
        failure.detail = failure.detail.map(|detail| recorder.redact(&detail));
        drop(recorder);
        self.inner().failures.push(failure);
    }

    /// Begins an attempt of an `eventually`; failures are not final until the guard is dropped.
    pub(super) fn attempt(&self) -> impl Drop + '_ {
        self.inner().attempts += 1;
        Guard(move || self.inner().attempts -= 1)
    }

    /// Notes a call to the target until the guard is dropped.
    pub(super) fn enter(&self, operation: Operation) -> impl Drop + '_ {
        let mut inner = self.inner();
        let key = inner.next_operation;
        inner.next_operation += 1;
        inner.operations.insert(key, operation);
        Guard(move || {
            self.inner().operations.remove(&key);
        })
    }
}

/// Runs a closure when it goes.
struct Guard<F: FnMut()>(F);

impl<F: FnMut()> Drop for Guard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
