//! What the API answers about sandboxes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::{ImageSpec, PlatformSpec};

/// High-level state of a sandbox (`SandboxState`): an open set, unknown values are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SandboxState {
    /// Being provisioned.
    Pending,
    /// Ready to accept requests.
    Running,
    /// On its way to `Paused`.
    Pausing,
    /// Frozen, its state kept.
    Paused,
    /// On its way back to `Running`.
    Resuming,
    /// Being terminated.
    Stopping,
    /// Ended as asked: killed, expired, or its entrypoint exited 0.
    Terminated,
    /// Ended by an error.
    Failed,
    /// A state that this version of the specification does not name.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for SandboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => f.write_str(name),
            known => fmt::Debug::fmt(known, f),
        }
    }
}

/// State with its reason (`SandboxStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxStatus {
    /// Current state.
    pub state: SandboxState,
    /// Machine-readable reason, such as `ttl_expiry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Reason for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the state was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_at: Option<Timestamp>,
}

impl SandboxStatus {
    /// A status that says no more than its state.
    pub fn of(state: SandboxState) -> Self {
        Self {
            state,
            reason: None,
            message: None,
            last_transition_at: None,
        }
    }
}

/// One sandbox as the API reports it (`Sandbox`; `CreateSandboxResponse` is the same without
/// `image` and `snapshotId`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxInfo {
    /// Unique identifier.
    pub id: String,
    /// The image it was made from, absent after a restore from a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// The snapshot it was restored from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// The platform constraint of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformSpec>,
    /// Current state.
    pub status: SandboxStatus,
    /// User metadata; absent where none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The entry process.
    pub entrypoint: Vec<String>,
    /// When it ends by itself; absent with manual clean-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Filters and page of `GET /sandboxes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ListQuery {
    /// States, any of which matches; empty means all.
    pub state: Vec<String>,
    /// Metadata pairs, all of which must match.
    pub metadata: BTreeMap<String, String>,
    /// Page number from 1.
    pub page: u32,
    /// Entries per page, at least 1.
    pub page_size: u32,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            state: Vec::new(),
            metadata: BTreeMap::new(),
            page: 1,
            page_size: 20,
        }
    }
}

/// One page of sandboxes (`ListSandboxesResponse`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxPage {
    /// The sandboxes of this page, newest first.
    pub items: Vec<SandboxInfo>,
    /// Where this page stands.
    pub pagination: Pagination,
}

/// Where a page stands among all (`PaginationInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Page number from 1.
    pub page: u32,
    /// Entries per page.
    pub page_size: u32,
    /// Entries in all.
    pub total_items: u64,
    /// Pages in all.
    pub total_pages: u64,
    /// Whether a later page exists.
    pub has_next_page: bool,
}

impl SandboxPage {
    /// Filters `all` by `query` and cuts out the page it asks for.
    pub fn select(all: Vec<SandboxInfo>, query: &ListQuery) -> Self {
        let mut matching: Vec<_> = all.into_iter().filter(|info| query.matches(info)).collect();
        matching.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        let (page, size) = (query.page.max(1), query.page_size.max(1));
        let total = matching.len() as u64;
        let pages = total.div_ceil(u64::from(size));
        let start = (u64::from(page) - 1).saturating_mul(u64::from(size));
        let items = matching
            .into_iter()
            .skip(usize::try_from(start).unwrap_or(usize::MAX))
            .take(size as usize)
            .collect();
        Self {
            items,
            pagination: Pagination {
                page,
                page_size: size,
                total_items: total,
                total_pages: pages,
                has_next_page: u64::from(page) < pages,
            },
        }
    }
}

impl ListQuery {
    fn matches(&self, info: &SandboxInfo) -> bool {
        let state = info.status.state.to_string();
        let metadata = info.metadata.as_ref();
        (self.state.is_empty() || self.state.iter().any(|s| s.eq_ignore_ascii_case(&state)))
            && self
                .metadata
                .iter()
                .all(|(key, value)| metadata.and_then(|m| m.get(key)) == Some(value))
    }
}

/// Where a port of a sandbox is reached (`Endpoint`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `host[:port][/path]`, without a scheme.
    pub endpoint: String,
    /// Headers that requests to it must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str, second: i64, state: SandboxState, team: &str) -> SandboxInfo {
        SandboxInfo {
            id: id.into(),
            image: None,
            snapshot_id: None,
            platform: None,
            status: SandboxStatus::of(state),
            metadata: Some(BTreeMap::from([("team".into(), team.into())])),
            entrypoint: vec!["true".into()],
            expires_at: None,
            created_at: Timestamp::from_second(second).expect("a small timestamp"),
        }
    }

    fn three() -> Vec<SandboxInfo> {
        vec![
            info("a", 1, SandboxState::Running, "x"),
            info("b", 2, SandboxState::Paused, "x"),
            info("c", 3, SandboxState::Running, "y"),
        ]
    }

    #[test]
    fn pages_do_not_overlap_and_the_newest_is_first() {
        let query = ListQuery {
            page_size: 2,
            ..ListQuery::default()
        };
        let first = SandboxPage::select(three(), &query);
        let second = SandboxPage::select(
            three(),
            &ListQuery {
                page: 2,
                ..query.clone()
            },
        );
        let ids = |page: &SandboxPage| page.items.iter().map(|i| i.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&first), ["c", "b"]);
        assert_eq!(ids(&second), ["a"]);
        assert!(first.pagination.has_next_page && !second.pagination.has_next_page);
        assert_eq!(
            (first.pagination.total_items, first.pagination.total_pages),
            (3, 2)
        );
        let past = SandboxPage::select(three(), &ListQuery { page: 9, ..query });
        assert!(past.items.is_empty());
    }

    #[test]
    fn states_are_any_of_and_metadata_all_of() {
        let query = ListQuery {
            state: vec!["running".into(), "Paused".into()],
            metadata: BTreeMap::from([("team".into(), "x".into())]),
            ..ListQuery::default()
        };
        assert_eq!(SandboxPage::select(three(), &query).items.len(), 2);
        let none = ListQuery {
            state: vec!["Nope".into()],
            ..ListQuery::default()
        };
        assert!(SandboxPage::select(three(), &none).items.is_empty());
    }

    #[test]
    fn an_unknown_state_is_kept() {
        let status: SandboxStatus =
            serde_json::from_str(r#"{"state":"Hibernating"}"#).expect("json");
        assert_eq!(status.state, SandboxState::Other("Hibernating".into()));
        assert_eq!(
            serde_json::to_string(&status).expect("json"),
            r#"{"state":"Hibernating"}"#
        );
    }
}
