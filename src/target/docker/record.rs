//! What this target knows of a sandbox beside what the engine knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::sandbox::{
    ApiError, ImageSpec, RenewRequest, RenewResponse, SandboxInfo, SandboxStatus,
};
use crate::target::{Result, TargetError};

/// Metadata keys that belong to the server.
const RESERVED: &str = "opensandbox.io/";

/// When a sandbox ends by itself, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiry {
    pub(super) at: Timestamp,
    pub(super) deadline: Instant,
}

impl Expiry {
    /// `seconds` from `start`, which is now.
    pub(super) fn after(start: Timestamp, seconds: u64) -> Result<Self> {
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

/// One sandbox.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    /// Name of its container.
    pub(super) name: String,
    pub(super) image: ImageSpec,
    pub(super) entrypoint: Vec<String>,
    pub(super) created_at: Timestamp,
    pub(super) expiry: watch::Sender<Option<Expiry>>,
    pub(super) metadata: Mutex<Option<BTreeMap<String, String>>>,
    /// Claims that it mounts.
    pub(super) claims: Vec<String>,
    /// Volumes that go when it goes.
    pub(super) doomed: Mutex<Vec<String>>,
}

impl Record {
    /// The sandbox as the API reports it.
    pub(super) fn info(&self, status: SandboxStatus) -> SandboxInfo {
        SandboxInfo {
            id: self.id.clone(),
            image: Some(ImageSpec {
                uri: self.image.uri.clone(),
                auth: None,
            }),
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
