//! `clean`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use osb_conformance::target::{DeadRun, Owner, Resource, RunId, Target, state_folder};

use super::target::{Setting, docker, local};
use super::{Failure, exit};

/// Removes what dead runs recorded in their ledgers, and what carries the mark of a run that is
/// dead without a ledger here. A run is dead when nobody holds its ledger's lock; without a
/// ledger, when it was on this host and its process is gone.
pub(super) async fn clean() -> Result<u8, Failure> {
    let (dead, alive) = DeadRun::find(&state_folder())?;
    let setting = Setting::default();
    let connected = [
        ("docker", docker(&setting).await),
        ("local", local(&setting).await),
    ];
    let (mut targets, mut unreachable) = (BTreeMap::new(), BTreeMap::new());
    for (name, target) in connected {
        match target {
            Ok(target) => drop(targets.insert(name, target)),
            Err(error) => drop(unreachable.insert(name, error)),
        }
    }
    let known: BTreeSet<RunId> = dead.iter().map(|run| run.run.clone()).collect();
    let mut removal = Removal::default();
    let mut elsewhere = BTreeSet::new();
    for target in targets.values() {
        let mut marked: BTreeMap<RunId, Vec<Resource>> = BTreeMap::new();
        let remains = match target.remains(None).await {
            Ok(remains) => remains,
            // The other target, and the ledgers, are cleaned all the same.
            Err(error) => {
                println!(
                    "cannot look for what is left on {}: {error}",
                    target.info().name
                );
                removal.failed += 1;
                continue;
            }
        };
        for (owner, resource) in remains {
            if alive.contains(&owner.run) {
                continue;
            }
            if known.contains(&owner.run) || is_dead(&owner) {
                marked.entry(owner.run).or_default().push(resource);
            } else {
                elsewhere.insert(format!(
                    "{} (process {} on {})",
                    owner.run, owner.pid, owner.host
                ));
            }
        }
        for (run, resources) in marked {
            removal.all(target, &run, resources).await;
        }
    }
    for run in dead {
        let Some(target) = targets.get(run.target.as_str()) else {
            let why = unreachable
                .get(run.target.as_str())
                .map_or_else(|| "there is no such target".into(), ToString::to_string);
            println!("left alone: run {} on {}: {why}", run.run, run.target);
            removal.failed += 1;
            continue;
        };
        // What has no mark to be found by, such as host directories.
        let before = removal.failed;
        let resources = run
            .resources
            .iter()
            .filter(|r| matches!(r, Resource::HostDir(_)))
            .cloned()
            .collect();
        removal.all(target, &run.run, resources).await;
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

#[derive(Default)]
struct Removal {
    removed: usize,
    failed: usize,
}

impl Removal {
    async fn all(&mut self, target: &Arc<dyn Target>, run: &RunId, mut resources: Vec<Resource>) {
        // Sandboxes first: a volume that is mounted cannot be removed.
        resources.sort_unstable();
        for resource in resources {
            match target.remove(run, &resource).await {
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
