//! Sandboxes that are accepted and do not run yet, and those that never will.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::SetOnce;

use crate::sandbox::{SandboxInfo, SandboxState, SandboxStatus};
use crate::target::{TargetError, in_full};

/// Those that were accepted, until they run or are removed.
#[derive(Debug, Default)]
pub(super) struct Nursery(Mutex<HashMap<String, Child>>);

#[derive(Debug)]
struct Child {
    info: SandboxInfo,
    done: Arc<SetOnce<()>>,
}

impl Nursery {
    /// Takes in a sandbox that is `Pending`.
    pub(super) fn admit(&self, info: SandboxInfo) {
        let child = Child {
            info,
            done: Arc::default(),
        };
        self.lock().insert(child.info.id.clone(), child);
    }

    /// The sandbox runs: whoever made it knows it from now on.
    pub(super) fn born(&self, id: &str) {
        if let Some(child) = self.lock().remove(id) {
            // Set once, by whoever made the sandbox.
            let _ = child.done.set(());
        }
    }

    /// The sandbox could not be made; it is `Failed` until it is removed.
    pub(super) fn failed(&self, id: &str, error: &TargetError) {
        let (reason, message) = match error {
            TargetError::Api(error) => (error.code.clone(), error.message.clone()),
            other => ("GENERAL::UNKNOWN_ERROR".into(), in_full(other)),
        };
        if let Some(child) = self.lock().get_mut(id) {
            child.info.status = SandboxStatus {
                reason: Some(reason),
                message: Some(message),
                ..SandboxStatus::of(SandboxState::Failed)
            };
            let _ = child.done.set(());
        }
    }

    /// The sandbox as it is, if it is here.
    pub(super) fn get(&self, id: &str) -> Option<SandboxInfo> {
        self.lock().get(id).map(|child| child.info.clone())
    }

    /// All that are here.
    pub(super) fn all(&self) -> Vec<SandboxInfo> {
        self.lock()
            .values()
            .map(|child| child.info.clone())
            .collect()
    }

    /// Waits until the sandbox is not `Pending` any more; answers it where it is `Failed`.
    pub(super) async fn settled(&self, id: &str) -> Option<SandboxInfo> {
        let done = self.lock().get(id).map(|child| Arc::clone(&child.done))?;
        done.wait().await;
        self.get(id)
    }

    /// Removes a sandbox that is `Failed`; whether there was one.
    pub(super) fn discard(&self, id: &str) -> bool {
        let mut children = self.lock();
        let is_failed = children
            .get(id)
            .is_some_and(|child| child.info.status.state == SandboxState::Failed);
        is_failed && children.remove(id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
