//! Whose an object on the engine is: the run and scenario that made it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::SetOnce;
use uuid::Uuid;

use crate::sandbox::SandboxInfo;

/// Label with the run id: what marks an object as ours.
const RUN: &str = "io.osb-conformance.run";
/// Label with the process id of the run.
const PID: &str = "io.osb-conformance.pid";
/// Label with the host name of the run.
const HOST: &str = "io.osb-conformance.host";

/// Short random id of one run: eight lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new random id.
    pub fn random() -> Self {
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(8);
        Self(id)
    }

    /// The id in a label or file name, or `None` where the text is no run id.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 8 && text.bytes().all(hex)).then(|| Self(text.into()))
    }

    /// Whether `name` was made up by this run: it has the id between hyphens.
    pub fn is_in(&self, name: &str) -> bool {
        name.split('-').any(|part| part == self.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The run that owns an object, and the process that the run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Run id.
    pub run: RunId,
    /// Process id of the run on `host`.
    pub pid: u32,
    /// Name of the host that the run is on.
    pub host: String,
}

impl Owner {
    /// A new run of this process.
    pub fn this_process() -> Self {
        Self {
            run: RunId::random(),
            pid: std::process::id(),
            host: host_name(),
        }
    }

    /// The labels that every object of this owner carries.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (RUN.into(), self.run.to_string()),
            (PID.into(), self.pid.to_string()),
            (HOST.into(), self.host.clone()),
        ])
    }

    /// The label filter that finds objects of `run`, or of any run where `None`.
    pub fn label_filter(run: Option<&RunId>) -> String {
        run.map_or_else(|| RUN.into(), |run| format!("{RUN}={run}"))
    }

    /// The owner that `labels` name, or `None` where they are not ours in full.
    pub fn from_labels<'a>(get: impl Fn(&str) -> Option<&'a String>) -> Option<Self> {
        Some(Self {
            run: RunId::parse(get(RUN)?)?,
            pid: get(PID)?.parse().ok()?,
            host: get(HOST)?.clone(),
        })
    }
}

/// This machine's host name; `unknown` where the system does not tell.
pub(crate) fn host_name() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "unknown".into())
}

/// The name under which a sandbox is created, known before the create call is sent.
#[derive(Debug, Clone)]
pub struct Handle {
    /// Who owns the sandbox.
    pub owner: Owner,
    /// Unique name, such as `osb-1f2e3d4c-7`.
    pub name: String,
    /// Where the target says that it has accepted the request.
    pub acceptance: Acceptance,
}

impl Handle {
    /// A handle of that name for a request that nobody has accepted yet.
    pub fn new(owner: Owner, name: impl Into<String>) -> Self {
        Self {
            owner,
            name: name.into(),
            acceptance: Acceptance::default(),
        }
    }
}

/// The moment at which a create request is accepted: everything that can be refused has been
/// checked, and the sandbox, which is `Pending`, is being started. A target that never tells it is
/// taken to accept when it is done. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Acceptance(Arc<SetOnce<SandboxInfo>>);

impl Acceptance {
    /// Accepts, with the sandbox as it is now. Only the first time counts.
    pub fn accept(&self, info: SandboxInfo) {
        // Told twice, it says nothing new.
        let _ = self.0.set(info);
    }

    /// Waits for it.
    pub async fn accepted(&self) -> SandboxInfo {
        self.0.wait().await.clone()
    }
}

/// Something that a run made and must remove.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Resource {
    /// A sandbox, by its [`Handle::name`]; or by its id, where it was made without one.
    Sandbox(String),
    /// A snapshot, by its id.
    Snapshot(String),
    /// A named volume.
    Volume(String),
    /// A host directory, by its absolute path, whose last part holds the run id.
    HostDir(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox(name) => write!(f, "sandbox {name}"),
            Self::Snapshot(id) => write!(f, "snapshot {id}"),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::HostDir(path) => write!(f, "host directory {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_their_owner() {
        let owner = Owner::this_process();
        let labels = owner.labels();
        assert_eq!(
            Owner::from_labels(|key| labels.get(key)),
            Some(owner.clone())
        );
        assert_eq!(
            Owner::label_filter(Some(&owner.run)),
            format!("io.osb-conformance.run={}", owner.run)
        );
        let mut foreign = labels;
        foreign.insert(RUN.into(), "not-a-run".into());
        assert_eq!(Owner::from_labels(|key| foreign.get(key)), None);
    }

    #[test]
    fn run_ids_are_eight_hex_digits() {
        assert!(RunId::parse(RunId::random().as_str()).is_some());
        for bad in ["", "1234567", "1234567G", "../../etc", "123456789"] {
            assert!(RunId::parse(bad).is_none(), "{bad}");
        }
    }
}
