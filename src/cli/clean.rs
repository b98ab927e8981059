//! `clean`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use osb_conformance::target::{DeadRun, Owner, Resource, RunId, Target, state_folder};

use super::target::{Setting, docker, local, server};
use super::{Failure, exit};

/// Removes what dead runs recorded in their ledgers, and what carries the mark of a run that is
/// dead without a ledger here. A run is dead when nobody holds its ledger's lock; without a
/// ledger, when it was on this host and its process is gone.
pub(super) async fn clean() -> Result<u8, Failure> {
    let (dead, alive) = DeadRun::find(&state_folder())?;
    let setting = Setting::default();
    let (mut targets, mut unreachable) = (BTreeMap::new(), BTreeMap::new());
    let places = ["docker".to_owned(), "local".to_owned()].into_iter();
    let servers = dead.iter().map(|run| run.target.clone());
    let servers: BTreeSet<String> = servers.filter(|target| target.contains("://")).collect();
    for place in places.chain(servers) {
        let target = match place.as_str() {
            "docker" => docker(&setting).await,
            "local" => local(&setting).await,
            address => server(address, &setting).await,
        };
        match target {
            Ok(target) => drop(targets.insert(place, target)),
            Err(error) => drop(unreachable.insert(place, error)),
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
        let before = removal.failed;
        let mut resources: Vec<_> = run
            .resources
            .iter()
            .filter(|r| has_no_mark(r))
            .cloned()
            .collect();
        // On a server a volume is the run's by its name alone.
        match target.remains(Some(&run.run)).await {
            Ok(remains) => resources.extend(remains.into_iter().map(|(_, resource)| resource)),
            Err(error) => {
                println!("cannot look for what run {} left: {error}", run.run);
                removal.failed += 1;
            }
        }
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

/// Whether it cannot be found by a mark: a host directory, or what a raw request made on a server,
/// which is recorded by its id.
fn has_no_mark(resource: &Resource) -> bool {
    match resource {
        Resource::HostDir(_) | Resource::Snapshot(_) => true,
        Resource::Sandbox(name) => !name.starts_with("osb-"),
        Resource::Volume(_) => false,
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
