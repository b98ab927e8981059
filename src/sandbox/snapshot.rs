//! Snapshots: captures of a sandbox that outlive it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::info::Pagination;

/// Body of `POST /sandboxes/{id}/snapshots` (`CreateSnapshotRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CreateSnapshotRequest {
    /// Name for a person, not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// State of a snapshot (`SnapshotState`): an open set, unknown values are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotState {
    /// Being captured.
    Creating,
    /// Being removed.
    Deleting,
    /// Can be restored.
    Ready,
    /// Its capture failed.
    Failed,
    /// A state that this version of the specification does not name.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for SnapshotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => f.write_str(name),
            known => fmt::Debug::fmt(known, f),
        }
    }
}

/// State of a snapshot with its reason (`SnapshotStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotStatus {
    /// Current state.
    pub state: SnapshotState,
    /// Machine-readable reason, such as `snapshot_ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Reason for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the state was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_at: Option<Timestamp>,
}

/// One snapshot as the API reports it (`Snapshot`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Unique identifier.
    pub id: String,
    /// The sandbox that it was taken of.
    pub sandbox_id: String,
    /// The name it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Current state.
    pub status: SnapshotStatus,
    /// When it was taken.
    pub created_at: Timestamp,
}

/// Filters and page of `GET /snapshots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SnapshotQuery {
    /// The sandbox that they were taken of.
    pub sandbox_id: Option<String>,
    /// States, any of which matches; empty means all.
    pub state: Vec<String>,
    /// Page number from 1.
    pub page: u32,
    /// Entries per page, at least 1.
    pub page_size: u32,
}

impl Default for SnapshotQuery {
    fn default() -> Self {
        Self {
            sandbox_id: None,
            state: Vec::new(),
            page: 1,
            page_size: 20,
        }
    }
}

/// One page of snapshots (`ListSnapshotsResponse`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPage {
    /// The snapshots of this page.
    pub items: Vec<Snapshot>,
    /// Where this page stands.
    pub pagination: Pagination,
}
