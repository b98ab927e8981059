//! The run's mark in a sandbox's metadata, which is all that a server keeps of what it is told.

use std::collections::BTreeMap;

use crate::sandbox::SandboxInfo;
use crate::target::{Handle, Owner, RunId};

/// Metadata key with a sandbox's [`Handle::name`].
const NAME: &str = "io.osb-conformance.name";

/// What every key of ours begins with.
const PREFIX: &str = "io.osb-conformance.";

/// Longest value of a label.
const LONGEST: usize = 63;

/// Adds the mark of `handle`'s run to a request's metadata.
pub(super) fn put(handle: &Handle, metadata: &mut Option<BTreeMap<String, String>>) {
    let metadata = metadata.get_or_insert_default();
    metadata.insert(NAME.into(), handle.name.clone());
    let labels = handle.owner.labels().into_iter();
    metadata.extend(labels.map(|(key, value)| (key, fitting(&value))));
}

/// `value`, such as a machine's name, as the value of a label.
fn fitting(value: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let text: String = value
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(LONGEST)
        .collect();
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

/// The sandbox as its scenario knows it: without the mark.
pub(super) fn hide(mut info: SandboxInfo) -> SandboxInfo {
    if let Some(metadata) = &mut info.metadata {
        metadata.retain(|key, _| !key.starts_with(PREFIX));
    }
    info.metadata = info.metadata.filter(|metadata| !metadata.is_empty());
    info
}

/// Whose the sandbox is and how its run named it; `None` for one without a mark.
pub(super) fn read(info: &SandboxInfo) -> Option<(Owner, String)> {
    let metadata = info.metadata.as_ref()?;
    let owner = Owner::from_labels(|key| metadata.get(key))?;
    Some((owner, metadata.get(NAME)?.clone()))
}

/// The metadata query that finds the sandboxes of `run`.
pub(super) fn of(run: &RunId) -> (String, String) {
    let filter = Owner::label_filter(Some(run));
    let (key, value) = filter.split_once('=').unwrap_or((&filter, ""));
    (key.into(), value.into())
}

/// The metadata query that finds the sandbox of that name.
pub(super) fn named(name: &str) -> (String, String) {
    (NAME.into(), name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_put_read_and_hidden() {
        let mut owner = Owner::this_process();
        owner.host = format!("-my machine.{}", "x".repeat(80));
        let handle = Handle::new(owner.clone(), format!("osb-{}-1", owner.run));
        let user = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        for given in [None, Some(user)] {
            let mut metadata = given.clone();
            put(&handle, &mut metadata);
            assert!(
                metadata
                    .iter()
                    .flatten()
                    .all(|(_, value)| value.len() <= LONGEST)
            );
            let json = serde_json::json!({
                "id": "i", "status": { "state": "Running" }, "metadata": metadata,
                "entrypoint": ["x"], "createdAt": "2026-01-01T00:00:00Z",
            });
            let info: SandboxInfo = serde_json::from_value(json).expect("a sandbox");
            let (found, name) = read(&info).expect("a mark");
            assert_eq!((found.run, name), (owner.run.clone(), handle.name.clone()));
            assert!(found.host.starts_with("my-machine.x"), "{}", found.host);
            let hidden = hide(info);
            assert_eq!(hidden.metadata, given);
            assert!(read(&hidden).is_none());
        }
    }
}
