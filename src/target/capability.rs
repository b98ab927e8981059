//! The closed list of what a target can declare and a scenario can require.

use std::fmt;
use std::str::FromStr;

/// Something a target can do at all. A closed set: a misspelt requirement would otherwise skip its
/// scenario for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Commands through execd.
    Commands,
    /// Files through execd.
    Files,
    /// Named volumes.
    VolumesPvc,
    /// A subdirectory of a named volume.
    VolumesPvcSubPath,
    /// Host directories.
    VolumesHost,
    /// OSS buckets.
    VolumesOssfs,
    /// Images by name.
    Images,
    /// Pause and resume.
    Pause,
    /// Renewal of the expiry.
    Renew,
    /// Metadata patches.
    Metadata,
    /// Endpoints of ports.
    Endpoints,
    /// Sandboxes restored from snapshots.
    Snapshots,
    /// Egress rules.
    NetworkPolicy,
}

impl Capability {
    /// Every capability with its name, in the order of the documentation.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Commands, "commands"),
        (Self::Files, "files"),
        (Self::VolumesPvc, "volumes.pvc"),
        (Self::VolumesPvcSubPath, "volumes.pvc.sub_path"),
        (Self::VolumesHost, "volumes.host"),
        (Self::VolumesOssfs, "volumes.ossfs"),
        (Self::Images, "images"),
        (Self::Pause, "pause"),
        (Self::Renew, "renew"),
        (Self::Metadata, "metadata"),
        (Self::Endpoints, "endpoints"),
        (Self::Snapshots, "snapshots"),
        (Self::NetworkPolicy, "network_policy"),
    ];

    /// The name that scenarios use.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(capability, _)| *capability == self)
            .map_or("?", |(_, name)| name)
    }

    /// The option that gives the capability to the targets of this crate, where it is for whoever
    /// runs them to give.
    pub fn option(self) -> Option<&'static str> {
        (self == Self::VolumesHost).then_some("--allow-host-path DIR")
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no capability has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability \"{0}\"")]
pub struct UnknownCapability(pub String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(capability, _)| *capability)
            .ok_or_else(|| UnknownCapability(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for (capability, name) in Capability::ALL {
            assert_eq!(name.parse(), Ok(capability));
            assert_eq!(capability.to_string(), name);
        }
        assert_eq!(
            "volume.pvc".parse::<Capability>(),
            Err(UnknownCapability("volume.pvc".into()))
        );
    }
}
