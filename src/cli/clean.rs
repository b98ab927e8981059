//! `clean`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use osb_conformance::runner::state_folder;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::{DeadRun, Owner, Resource, RunId, Target};

use super::{Failure, exit};

/// Removes what dead runs recorded in their ledgers, and what carries the label of a run that is
/// dead without a ledger here. A run is dead when nobody holds its ledger's lock; without a
/// ledger, when it was on this host and its process is gone.
pub(super) async fn clean() -> Result<u8, Failure> {
    let (dead, alive) = DeadRun::find(&state_folder())?;
    let target = DockerTarget::connect(DockerConfig::default()).await?;
    let mut removal = Removal {
        target,
        removed: 0,
        failed: 0,
    };
    let known: BTreeSet<RunId> = dead.iter().map(|run| run.run.clone()).collect();
    let mut labelled: BTreeMap<RunId, Vec<Resource>> = BTreeMap::new();
    let mut elsewhere = BTreeSet::new();
    for (owner, resource) in removal.target.remains(None).await? {
        if alive.contains(&owner.run) {
            continue;
        }
        if known.contains(&owner.run) || is_dead(&owner) {
            labelled.entry(owner.run).or_default().push(resource);
        } else {
            elsewhere.insert(format!(
                "{} (process {} on {})",
                owner.run, owner.pid, owner.host
            ));
        }
    }
    for (run, resources) in labelled {
        removal.all(&run, resources).await;
    }
    for run in dead {
        // What has no label to be found by, such as host directories.
        let before = removal.failed;
        let resources = run
            .resources
            .iter()
            .filter(|r| matches!(r, Resource::HostDir(_)))
            .cloned()
            .collect();
        removal.all(&run.run.clone(), resources).await;
        if removal.failed == before {
            run.forget()?;
        }
    }
    for run in elsewhere {
        println!("left alone: run {run} may be alive");
    }
    match removal.removed {
        0 => println!("nothing to remove"),
        removed => println!("removed {removed} objects"),
    }
    match removal.failed {
        0 => Ok(exit::SUCCESS),
        failed => Err(Failure::unavailable(format!(
            "{failed} objects could not be removed"
        ))),
    }
}

/// Whether the run without a ledger here is known to be dead.
fn is_dead(owner: &Owner) -> bool {
    let here = Owner::this_process();
    owner.host == here.host
        && Path::new("/proc/self").exists()
        && !Path::new(&format!("/proc/{}", owner.pid)).exists()
}

struct Removal {
    target: DockerTarget,
    removed: usize,
    failed: usize,
}

impl Removal {
    async fn all(&mut self, run: &RunId, mut resources: Vec<Resource>) {
        // Sandboxes first: a volume that is mounted cannot be removed.
        resources.sort_unstable();
        for resource in resources {
            match self.target.remove(run, &resource).await {
                Ok(()) => {
                    println!("removed {resource}");
                    self.removed += 1;
                }
                Err(error) => {
                    println!("cannot remove {resource}: {error}");
                    self.failed += 1;
                }
            }
        }
    }
}
