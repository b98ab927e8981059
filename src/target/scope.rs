//! What one scenario owns on the target, and its removal.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::task::TaskTracker;

use super::ledger::{Ledger, LedgerError};
use super::owner::{Handle, Owner, Resource};
use super::{Target, TargetError, in_full};

/// The resources of one scenario. Everything is recorded, here and in the run's [`Ledger`], before
/// the target is asked to create it.
pub struct Scope {
    target: Arc<dyn Target>,
    ledger: Arc<Ledger>,
    /// Numbers the names of a run, shared by its scopes so that no two are equal.
    counter: Arc<AtomicU32>,
    resources: Mutex<Vec<Resource>>,
    /// How many sandboxes were recorded.
    sandboxes: AtomicUsize,
    calls: TaskTracker,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

impl Scope {
    /// An empty scope of the run that `ledger` belongs to; `counter` is shared by all its scopes.
    pub fn new(target: Arc<dyn Target>, ledger: Arc<Ledger>, counter: Arc<AtomicU32>) -> Self {
        Self {
            target,
            ledger,
            counter,
            resources: Mutex::default(),
            sandboxes: AtomicUsize::default(),
            calls: TaskTracker::new(),
        }
    }

    /// The target.
    pub fn target(&self) -> &Arc<dyn Target> {
        &self.target
    }

    /// The run that owns everything in this scope.
    pub fn owner(&self) -> &Owner {
        self.ledger.owner()
    }

    /// Records a sandbox that is about to be created, and names it.
    ///
    /// # Errors
    /// When the ledger cannot be written: nothing must be created then.
    pub fn reserve_sandbox(&self) -> Result<Handle, LedgerError> {
        let name = format!("osb-{}-{}", self.owner().run, self.next());
        self.record(Resource::Sandbox(name.clone()))?;
        Ok(Handle::new(self.owner().clone(), name))
    }

    /// Records a volume that may be created, under a unique name that begins with `alias`.
    ///
    /// # Errors
    /// When the ledger cannot be written: nothing must be created then.
    pub fn reserve_volume(&self, alias: &str) -> Result<String, LedgerError> {
        let name = self.unique(alias);
        self.record(Resource::Volume(name.clone()))?;
        Ok(name)
    }

    /// How many sandboxes were recorded so far, those among them that were never made.
    pub fn sandboxes(&self) -> usize {
        self.sandboxes.load(Ordering::Relaxed)
    }

    /// A unique name that begins with `alias`, for something that [`Scope::record`] will record.
    pub fn unique(&self, alias: &str) -> String {
        format!("{alias}-{}-{}", self.owner().run, self.next())
    }

    /// Records `resource`; one that is recorded already is not recorded twice.
    ///
    /// # Errors
    /// When the ledger cannot be written: the resource must not be created then.
    pub fn record(&self, resource: Resource) -> Result<(), LedgerError> {
        let mut resources = self.lock();
        if !resources.contains(&resource) {
            self.ledger.record(&resource)?;
            if matches!(resource, Resource::Sandbox(_)) {
                self.sandboxes.fetch_add(1, Ordering::Relaxed);
            }
            resources.push(resource);
        }
        Ok(())
    }

    /// Whether `resource` is recorded here.
    pub fn owns(&self, resource: &Resource) -> bool {
        self.lock().contains(resource)
    }

    /// Runs a call that creates something to its end, also when the caller is dropped meanwhile:
    /// an engine finishes a creation that it was asked for, and [`Scope::tear_down`] must not look
    /// before that.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn completing<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, TargetError>> + Send + 'static,
    ) -> Result<T, TargetError> {
        let call = self.calls.spawn(call);
        call.await
            .unwrap_or_else(|error| Err(TargetError::failed("the call was lost", error)))
    }

    /// Runs work that creates something and that nobody waits for, except [`Scope::tear_down`].
    /// Once that has begun, nothing is done: `false`.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        // Held until the work is counted: a removal that begins after the look waits for it.
        let _token = self.calls.token();
        let is_open = !self.calls.is_closed();
        if is_open {
            self.calls.spawn(work);
        }
        is_open
    }

    /// Waits for calls in flight, then removes everything in reverse order. Goes on after an
    /// error; answers what could not be removed, and why.
    pub async fn tear_down(&self) -> Vec<(Resource, TargetError)> {
        self.calls.close();
        self.calls.wait().await;
        let mut left = Vec::new();
        // A function of its own, so that no lock is held while something is being removed.
        while let Some(resource) = self.last() {
            if let Err(error) = self.target.remove(&self.owner().run, &resource).await {
                left.push((resource, error));
            }
        }
        left
    }

    /// Takes `resource`, which is gone, off what is to be removed.
    pub fn release(&self, resource: &Resource) {
        self.lock().retain(|other| other != resource);
    }

    fn last(&self) -> Option<Resource> {
        self.lock().pop()
    }

    fn next(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Resource>> {
        self.resources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a run left on its target, in words. Nothing is the only good answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remainder {
    /// What the target kept although it was told to remove it.
    pub leaked: Vec<String>,
    /// What could not be looked at or removed for want of the target: something may be left.
    pub unknown: Vec<String>,
}

impl Remainder {
    /// Whether nothing is left, for certain.
    pub fn is_nothing(&self) -> bool {
        self.leaked.is_empty() && self.unknown.is_empty()
    }

    /// Adds what another run left.
    pub fn extend(&mut self, other: Self) {
        self.leaked.extend(other.leaked);
        self.unknown.extend(other.unknown);
    }

    /// All of it.
    pub fn words(&self) -> impl Iterator<Item = &String> {
        self.leaked.iter().chain(&self.unknown)
    }
}

/// Ends a run: compares the target with the ledger, removes what is left, closes the ledger, and
/// answers what was left.
pub async fn settle(target: &dyn Target, ledger: &Ledger) -> Remainder {
    let run = &ledger.owner().run;
    let mut remainder = Remainder::default();
    let left = match target.remains(Some(run)).await {
        Ok(left) => left,
        Err(error) => {
            remainder.unknown.push(format!(
                "cannot look for what run {run} left: {}; run: osb-conformance clean",
                in_full(&error)
            ));
            return remainder;
        }
    };
    let mut removed_all = true;
    for (_, resource) in left {
        let Err(error) = target.remove(run, &resource).await else {
            let words = format!("{resource} was left behind; it is removed now");
            remainder.leaked.push(words);
            continue;
        };
        removed_all = false;
        let words = format!(
            "{resource} is left behind: {}; run: osb-conformance clean",
            in_full(&error)
        );
        match error {
            TargetError::Unreachable { .. } => remainder.unknown.push(words),
            _ => remainder.leaked.push(words),
        }
    }
    if removed_all && let Err(error) = ledger.close() {
        remainder.unknown.push(error.to_string());
    }
    remainder
}
