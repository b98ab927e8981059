//! What the engine below a target says of a sandbox's mounts.

use std::collections::BTreeSet;

/// The engine's word on what a sandbox has mounted at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// No engine can be asked, for this reason.
    Blind(String),
    /// What it saw there; `None` for nothing.
    Saw(Option<SeenMount>),
}

/// One mount, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenMount {
    /// The named volume; `None` where it is none.
    pub claim_name: Option<String>,
    /// The directory of the volume that is mounted; `None` for its root.
    pub sub_path: Option<String>,
    /// The host directory; `None` for a volume.
    pub host_path: Option<String>,
    /// Whether the sandbox may not write there.
    pub read_only: bool,
    /// Names of the files and directories in it; `None` where we may not look.
    pub entries: Option<BTreeSet<String>>,
}
