//! What a target that makes sandboxes itself knows of them, whatever they are made of.
//!
//! Codes are those of the specification's reference server on Docker, on every such target: a
//! scenario reads the same ones everywhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::sandbox::{
    ApiError, Backend, ImageSpec, RenewRequest, RenewResponse, SandboxInfo, SandboxState,
    SandboxStatus, ValidRequest,
};
use uuid::Uuid;

use super::{Result, TargetError};

/// Metadata keys that belong to the server.
const RESERVED: &str = "opensandbox.io/";

/// When a sandbox ends by itself, on both clocks.
#[derive(Debug, Clone, Copy)]
struct Expiry {
    at: Timestamp,
    deadline: Instant,
}

impl Expiry {
    /// `seconds` from `start`, which is now.
    fn after(start: Timestamp, seconds: u64) -> Result<Self> {
        let whole = i64::try_from(seconds).map(SignedDuration::from_secs);
        let at = whole
            .ok()
            .and_then(|duration| start.checked_add(duration).ok());
        let at = at
            .ok_or_else(|| ApiError::invalid_parameter(format!("timeout {seconds} is too long")))?;
        Ok(Self {
            at,
            deadline: Instant::now() + std::time::Duration::from_secs(seconds),
        })
    }
}

/// One sandbox, and what it is made of.
#[derive(Debug)]
pub(super) struct Record<B> {
    pub(super) id: String,
    /// Name of what it is made of, which carries the run id.
    pub(super) name: String,
    pub(super) body: B,
    pub(super) is_paused: AtomicBool,
    image: ImageSpec,
    entrypoint: Vec<String>,
    created_at: Timestamp,
    expiry: watch::Sender<Option<Expiry>>,
    metadata: Mutex<Option<BTreeMap<String, String>>>,
    /// Claims that it mounts.
    claims: Vec<String>,
    /// Volumes that go when it goes.
    doomed: Mutex<Vec<String>>,
}

/// A sandbox that has been accepted and is not made yet.
#[derive(Debug)]
pub(super) struct Draft {
    id: String,
    name: String,
    image: ImageSpec,
    entrypoint: Vec<String>,
    created_at: Timestamp,
    expiry: Option<Expiry>,
    metadata: Option<BTreeMap<String, String>>,
    storage: Storage,
}

impl Draft {
    /// A sandbox as `request` asks for it; `image` is what it is made from. Its time runs from now.
    pub(super) fn new(
        name: &str,
        request: &ValidRequest,
        image: ImageSpec,
        storage: Storage,
    ) -> Result<Self> {
        let created_at = Timestamp::now();
        let expiry = request
            .timeout
            .map(|seconds| Expiry::after(created_at, seconds))
            .transpose()?;
        Ok(Self {
            id: Uuid::new_v4().to_string(),
            name: name.into(),
            image,
            entrypoint: request.entrypoint.clone(),
            created_at,
            expiry,
            metadata: request.metadata.clone(),
            storage,
        })
    }

    /// The id that the sandbox will have.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The sandbox as the API reports it by now.
    pub(super) fn info(&self) -> SandboxInfo {
        SandboxInfo {
            id: self.id.clone(),
            image: Some(shown(&self.image)),
            snapshot_id: None,
            platform: None,
            status: SandboxStatus {
                reason: Some("CONTAINER_CREATED".into()),
                ..SandboxStatus::of(SandboxState::Pending)
            },
            metadata: self.metadata.clone(),
            entrypoint: self.entrypoint.clone(),
            expires_at: self.expiry.map(|expiry| expiry.at),
            created_at: self.created_at,
        }
    }

    /// The sandbox, made of `body`.
    pub(super) fn finish<B>(self, body: B) -> Record<B> {
        Record {
            id: self.id,
            name: self.name,
            body,
            is_paused: AtomicBool::new(false),
            image: self.image,
            entrypoint: self.entrypoint,
            created_at: self.created_at,
            expiry: watch::Sender::new(self.expiry),
            metadata: self.metadata.into(),
            claims: self.storage.claims,
            doomed: self.storage.doomed.into(),
        }
    }
}

/// An image as it may be told: without the credentials.
fn shown(image: &ImageSpec) -> ImageSpec {
    ImageSpec {
        uri: image.uri.clone(),
        auth: None,
    }
}

impl<B> Record<B> {
    /// Whether it ends by itself.
    pub(super) fn expires(&self) -> bool {
        self.expiry.borrow().is_some()
    }

    /// Waits until its time has come, however often that is moved. `false` when it ended before.
    pub(super) async fn expired(&self) -> bool {
        let mut expiry = self.expiry.subscribe();
        loop {
            let Some(current) = *expiry.borrow_and_update() else {
                return false;
            };
            tokio::select! {
                () = tokio::time::sleep_until(current.deadline) => return true,
                // Moved, or taken away because the sandbox has ended.
                _ = expiry.changed() => {}
            }
        }
    }

    /// The sandbox as the API reports it.
    pub(super) fn info(&self, status: SandboxStatus) -> SandboxInfo {
        SandboxInfo {
            id: self.id.clone(),
            image: Some(shown(&self.image)),
            snapshot_id: None,
            platform: None,
            status,
            metadata: lock(&self.metadata).clone(),
            entrypoint: self.entrypoint.clone(),
            expires_at: self.expiry.borrow().map(|expiry| expiry.at),
            created_at: self.created_at,
        }
    }

    /// Moves the expiry.
    pub(super) fn renew(&self, request: &RenewRequest) -> Result<RenewResponse> {
        let refuse = |status, code: &str, message: &str| -> Result<RenewResponse> {
            Err(TargetError::Api(ApiError::new(status, code, message)))
        };
        let Some(current) = *self.expiry.borrow() else {
            return refuse(
                409,
                "DOCKER::INVALID_EXPIRATION",
                "the sandbox has no expiry to renew",
            );
        };
        let now = Timestamp::now();
        let asked = request.expires_at;
        if asked <= now {
            return refuse(
                400,
                "DOCKER::INVALID_EXPIRATION",
                "expiresAt is not in the future",
            );
        }
        if asked <= current.at {
            return refuse(
                400,
                "DOCKER::EXPIRATION_NOT_EXTENDED",
                "expiresAt is not later than the current one",
            );
        }
        let left = std::time::Duration::try_from(asked.duration_since(now)).unwrap_or_default();
        self.expiry.send_replace(Some(Expiry {
            at: asked,
            deadline: Instant::now() + left,
        }));
        Ok(RenewResponse { expires_at: asked })
    }

    /// Merges a patch (RFC 7396); one that is refused changes nothing.
    pub(super) fn patch_metadata(&self, patch: &BTreeMap<String, Option<String>>) -> Result<()> {
        check_metadata(
            patch
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_deref())),
        )?;
        let mut metadata = lock(&self.metadata);
        let merged = metadata.get_or_insert_default();
        for (key, value) in patch {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(())
    }
}

/// The volumes of a sandbox, seen from its end.
#[derive(Debug, Default)]
pub(super) struct Storage {
    /// Claims that it mounts.
    pub(super) claims: Vec<String>,
    /// Volumes that go when it goes.
    pub(super) doomed: Vec<String>,
}

/// The sandboxes of a target, by their ids.
#[derive(Debug)]
pub(super) struct Roster<B> {
    by_id: Mutex<HashMap<String, Arc<Record<B>>>>,
    /// Claims of sandboxes that are being created.
    coming: Arc<Mutex<Vec<String>>>,
}

impl<B> Default for Roster<B> {
    fn default() -> Self {
        Self {
            by_id: Mutex::default(),
            coming: Arc::default(),
        }
    }
}

/// The claims of a sandbox that is being created: while this is there, nobody removes the volumes.
#[derive(Debug)]
pub(super) struct Claims {
    coming: Arc<Mutex<Vec<String>>>,
    names: Vec<String>,
}

impl Drop for Claims {
    fn drop(&mut self) {
        let mut coming = lock(&self.coming);
        for name in &self.names {
            if let Some(at) = coming.iter().position(|other| other == name) {
                coming.swap_remove(at);
            }
        }
    }
}

impl<B> Roster<B> {
    pub(super) fn insert(&self, record: &Arc<Record<B>>) {
        lock(&self.by_id).insert(record.id.clone(), Arc::clone(record));
    }

    /// The sandbox with this id.
    pub(super) fn find(&self, id: &str) -> Result<Arc<Record<B>>> {
        let found = lock(&self.by_id).get(id).cloned();
        found.ok_or_else(|| not_found(id).into())
    }

    /// The sandbox with this name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Record<B>>> {
        let all = lock(&self.by_id);
        all.values().find(|record| record.name == name).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Record<B>>> {
        lock(&self.by_id).values().cloned().collect()
    }

    /// Takes a sandbox off: whoever does is the one that ends it.
    pub(super) fn take(&self, id: &str) -> Result<Arc<Record<B>>> {
        let taken = lock(&self.by_id).remove(id);
        taken.ok_or_else(|| not_found(id).into())
    }

    /// Notes the claims of a request before it is looked whether the volumes are there.
    pub(super) fn claim(&self, request: &ValidRequest) -> Claims {
        let names: Vec<_> = request
            .mounts
            .iter()
            .filter_map(|mount| match &mount.backend {
                Backend::Pvc(pvc) => Some(pvc.claim_name.clone()),
                _ => None,
            })
            .collect();
        lock(&self.coming).extend(names.iter().cloned());
        Claims {
            coming: Arc::clone(&self.coming),
            names,
        }
    }

    /// Those of `volumes` that no other sandbox mounts or is about to: one that is left to it goes
    /// with the run.
    pub(super) fn unclaimed(&self, volumes: Vec<String>) -> Vec<String> {
        let coming = lock(&self.coming).clone();
        let all = self.all();
        let is_claimed = |volume: &String| {
            coming.contains(volume) || all.iter().any(|record| record.claims.contains(volume))
        };
        volumes.into_iter().filter(|v| !is_claimed(v)).collect()
    }

    /// The volumes that go now that `record`, which was taken off, has ended. One that another
    /// sandbox still mounts goes with the last of those.
    pub(super) fn orphans(&self, record: &Record<B>) -> Vec<String> {
        record.expiry.send_replace(None);
        let mut orphans = Vec::new();
        for volume in std::mem::take(&mut *lock(&record.doomed)) {
            let heir = self.all().into_iter().find(|r| r.claims.contains(&volume));
            match heir {
                Some(heir) => lock(&heir.doomed).push(volume),
                None => orphans.push(volume),
            }
        }
        self.unclaimed(orphans)
    }

    /// Takes a sandbox in again that could not be removed, so that whoever tries once more finds
    /// it and the volumes that go with it.
    pub(super) fn restore(&self, record: &Arc<Record<B>>, orphans: Vec<String>) {
        lock(&record.doomed).extend(orphans);
        self.insert(record);
    }
}

/// Notes what could not be cleared after a create that failed for a better reason: the run's own
/// clean-up tries again, and reports.
pub(super) fn warn_of(cleared: Vec<Result<()>>) {
    for error in cleared.into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "what a failed create made could not be removed");
    }
}

/// 404 for a sandbox that is not, or no longer, there.
pub(super) fn not_found(id: &str) -> ApiError {
    let message = format!("there is no sandbox \"{id}\"");
    ApiError::new(404, "DOCKER::SANDBOX_NOT_FOUND", message)
}

/// 409 for a sandbox in a state in which something cannot be done to it.
pub(super) fn not_in_state(code: &str, state: impl std::fmt::Display, want: &str) -> TargetError {
    ApiError::new(409, code, format!("the sandbox is {state}, not {want}")).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks keys and values by the rules of Kubernetes labels, which the specification takes over.
pub(super) fn check_metadata<'a>(
    metadata: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<()> {
    for (key, value) in metadata {
        let refuse = |what: String| {
            Err(TargetError::Api(ApiError::bad_request(
                "SANDBOX::INVALID_METADATA_LABEL",
                what,
            )))
        };
        if key.starts_with(RESERVED) {
            return refuse(format!(
                "metadata key \"{key}\": the prefix {RESERVED} is reserved"
            ));
        }
        let (prefix, name) = key
            .split_once('/')
            .map_or((None, key), |(prefix, name)| (Some(prefix), name));
        let prefix_ok = prefix.is_none_or(|prefix| {
            prefix.len() <= 253
                && prefix
                    .split('.')
                    .all(|part| is_label(part) && !part.contains('_'))
        });
        if name.is_empty() || !is_label(name) || !prefix_ok {
            return refuse(format!("metadata key \"{key}\" is no label name"));
        }
        if let Some(value) = value.filter(|value| !value.is_empty() && !is_label(value)) {
            return refuse(format!("metadata \"{key}\": \"{value}\" is no label value"));
        }
    }
    Ok(())
}

/// At most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at either end.
fn is_label(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && end(text.chars().next())
        && end(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_follows_the_rules_of_labels() {
        let ok = |key: &str, value: &str| check_metadata([(key, Some(value))]).is_ok();
        assert!(ok("a", "") && ok("example.com/a", "b.c_d-e") && ok(&"a".repeat(63), "1"));
        for (key, value) in [
            ("opensandbox.io/x", "1"),
            ("-a", "1"),
            ("/a", "1"),
            ("", "1"),
            ("a", "b c"),
            ("a", "-x"),
            (&*"a".repeat(64), "1"),
            ("a", &*"b".repeat(64)),
            ("a/b/c", "1"),
        ] {
            assert!(!ok(key, value), "{key}={value}");
        }
    }
}
