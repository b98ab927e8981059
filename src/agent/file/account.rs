//! Names of users and groups.
//!
//! Read from `/etc/passwd` and `/etc/group` by hand: a static binary has no name service, and a
//! sandbox has no other users.

use std::collections::BTreeMap;
use std::fs;

use crate::error::Refusal;

/// The sandbox's users and groups at one moment.
pub(crate) struct Accounts {
    users: Names,
    groups: Names,
}

impl Accounts {
    /// An image may have neither of the files, but there is always root.
    pub(crate) fn read() -> Self {
        let parse = |path: &str| Names::parse(&fs::read(path).unwrap_or_default());
        Self {
            users: parse("/etc/passwd"),
            groups: parse("/etc/group"),
        }
    }

    pub(crate) fn user_name(&self, id: u32) -> String {
        self.users.name(id)
    }

    pub(crate) fn group_name(&self, id: u32) -> String {
        self.groups.name(id)
    }

    pub(crate) fn user_id(&self, name: &str) -> Result<u32, Refusal> {
        let id = self.users.id(name);
        id.ok_or_else(|| Refusal::runtime(format!("there is no user \"{name}\"")))
    }

    pub(crate) fn group_id(&self, name: &str) -> Result<u32, Refusal> {
        let id = self.groups.id(name);
        id.ok_or_else(|| Refusal::runtime(format!("there is no group \"{name}\"")))
    }
}

/// The names of one of the two files, in both directions.
struct Names {
    by_id: BTreeMap<u32, String>,
    by_name: BTreeMap<String, u32>,
}

impl Names {
    /// Both files have the name in the first field of a line, and the id in the third.
    fn parse(bytes: &[u8]) -> Self {
        let (mut by_id, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for line in String::from_utf8_lossy(bytes).lines() {
            let mut fields = line.split(':');
            let (Some(name), Some(id)) = (fields.next(), fields.nth(1)) else {
                continue;
            };
            if let (false, Ok(id)) = (name.is_empty(), id.parse()) {
                // As the C library does, the first one counts.
                by_id.entry(id).or_insert_with(|| name.to_owned());
                by_name.entry(name.to_owned()).or_insert(id);
            }
        }
        by_id.entry(0).or_insert_with(|| "root".to_owned());
        by_name.entry("root".to_owned()).or_insert(0);
        Self { by_id, by_name }
    }

    fn name(&self, id: u32) -> String {
        let name = self.by_id.get(&id);
        name.cloned().unwrap_or_else(|| id.to_string())
    }

    /// A number is an id, whether or not it has a name.
    fn id(&self, name: &str) -> Option<u32> {
        name.parse()
            .ok()
            .or_else(|| self.by_name.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_and_ids_are_found_in_both_directions() {
        let names = Names::parse(b"# none\nadmin:x:7:8::/:/bin/sh\nother:x:7:\n:x:9:\nbad:x:no:\n");
        assert_eq!(names.name(7), "admin");
        assert_eq!(names.name(9), "9");
        assert_eq!(names.name(0), "root");
        assert_eq!(names.id("other"), Some(7));
        assert_eq!(names.id("root"), Some(0));
        assert_eq!(names.id("1234"), Some(1234));
        assert_eq!(names.id("bad"), None);
        assert_eq!(names.id("-1"), None);
    }
}
