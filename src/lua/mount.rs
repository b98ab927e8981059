//! `expect(sandbox):has_mount { … }`: asked of the sandbox, and of the engine below it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::execd::Command;
use crate::target::{SeenMount, TargetError, Witness};

use super::sandbox::SandboxData;

/// What a sandbox is expected to have mounted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    mount_path: String,
    #[serde(default)]
    claim_name: Option<String>,
    #[serde(default)]
    sub_path: Option<String>,
    #[serde(default)]
    host_path: Option<String>,
    #[serde(default)]
    read_only: bool,
}

/// Checks a mount from inside and, where there is an engine to ask, from outside. Answers what is
/// wrong with it.
pub(super) async fn check(
    sandbox: &SandboxData,
    wanted: &Wanted,
) -> Result<Option<String>, TargetError> {
    let path = &wanted.mount_path;
    let table = output(sandbox, "cat /proc/self/mountinfo").await?;
    let Some(is_read_only) = inside(&table, path) else {
        return Ok(Some(format!(
            "nothing is mounted at {path} inside of the sandbox"
        )));
    };
    if is_read_only != wanted.read_only {
        let word = word(is_read_only);
        return Ok(Some(format!("{path} is {word} inside of the sandbox")));
    }
    let target = sandbox.context.scope.target();
    let seen = match target.witness(&sandbox.id, path).await? {
        Witness::Blind(_) => return Ok(None),
        Witness::Saw(seen) => seen,
    };
    let Some(seen) = seen else {
        return Ok(Some(format!("the engine has mounted nothing at {path}")));
    };
    if let Some(wrong) = outside(&seen, wanted) {
        return Ok(Some(wrong));
    }
    let Some(entries) = seen.entries else {
        return Ok(None);
    };
    let listed = output(sandbox, &format!("ls -A -- {}", quoted(path))).await?;
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    Ok((listed != entries).then(|| {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        format!(
            "{path} holds [{}] inside of the sandbox, but [{}] for the engine",
            names(&listed),
            names(&entries)
        )
    }))
}

/// What the engine says against it.
fn outside(seen: &SeenMount, wanted: &Wanted) -> Option<String> {
    let path = &wanted.mount_path;
    if wanted.claim_name.is_some() && seen.claim_name != wanted.claim_name {
        let claim = seen.claim_name.as_deref().map_or_else(
            || "no named volume".to_owned(),
            |name| format!("the volume {name}"),
        );
        return Some(format!("the engine has mounted {claim} at {path}"));
    }
    let part = wanted.sub_path.as_deref().filter(|part| !part.is_empty());
    if wanted.claim_name.is_some() && seen.sub_path.as_deref() != part {
        let part = seen.sub_path.as_deref().map_or_else(
            || "the whole volume".to_owned(),
            |part| format!("the volume's directory {part}"),
        );
        return Some(format!("the engine has mounted {part} at {path}"));
    }
    if wanted.host_path.is_some() && seen.host_path != wanted.host_path {
        let place = seen.host_path.as_deref().unwrap_or("no host directory");
        return Some(format!("the engine has mounted {place} at {path}"));
    }
    (seen.read_only != wanted.read_only)
        .then(|| format!("the engine has mounted {path} {}", word(seen.read_only)))
}

fn word(is_read_only: bool) -> &'static str {
    match is_read_only {
        true => "read-only",
        false => "read-write",
    }
}

async fn output(sandbox: &SandboxData, command: &str) -> Result<String, TargetError> {
    let command = Command {
        command: command.into(),
        ..Command::default()
    };
    let result = sandbox.execd.run(&command).await?;
    if result.exit_code != 0 || result.truncated {
        let what = format!("looking into the sandbox with {:?}", command.command);
        let said = String::from_utf8_lossy(&result.stderr);
        let why = format!("exit code {}, {}", result.exit_code, said.trim());
        return Err(TargetError::failed(what, why));
    }
    Ok(String::from_utf8_lossy(&result.stdout).into_owned())
}

/// Whether the last mount at `path` in a table of mounts (proc(5), mountinfo) is read-only; `None`
/// where there is none.
fn inside(table: &str, path: &str) -> Option<bool> {
    let path = path.trim_end_matches('/');
    let at = |line: &&str| line.split(' ').nth(4).map(unescaped).as_deref() == Some(path);
    let line = table.lines().rfind(at)?;
    let options = line.split(' ').nth(5)?;
    Some(options.split(',').any(|option| option == "ro"))
}

/// A path of that table, in which a space, say, is `\040`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..3).filter(|_| *first == b'\\');
        let code = escaped.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mount_at_a_path_counts() {
        let table = "1 0 8:1 / / rw - ext4 /dev/sda rw\n\
                     2 1 8:1 /v /mnt/data rw,relatime shared:1 - ext4 /dev/sda rw\n\
                     3 1 8:1 /w /mnt/data ro,relatime - ext4 /dev/sda rw\n\
                     4 1 8:1 /x /mnt/a\\040b\\134 rw - ext4 /dev/sda rw\n";
        assert_eq!(inside(table, "/mnt/data/"), Some(true));
        assert_eq!(inside(table, "/mnt/a b\\"), Some(false));
        assert_eq!(inside(table, "/mnt"), None);
    }

    #[test]
    fn an_engine_that_did_something_else_is_found_out() {
        let wanted = |part: Option<&str>| Wanted {
            mount_path: "/d".into(),
            claim_name: Some("v".into()),
            sub_path: part.map(str::to_owned),
            host_path: None,
            read_only: true,
        };
        let seen = |claim: Option<&str>, part: Option<&str>, read_only| SeenMount {
            claim_name: claim.map(str::to_owned),
            sub_path: part.map(str::to_owned),
            host_path: None,
            read_only,
            entries: None,
        };
        let said = |seen: &SeenMount, part| outside(seen, &wanted(part)).unwrap_or_default();
        assert_eq!(said(&seen(Some("v"), None, true), None), "");
        assert_eq!(said(&seen(Some("v"), Some("a"), true), Some("a")), "");
        assert!(said(&seen(Some("w"), None, true), None).contains("the volume w"));
        assert!(said(&seen(None, None, true), None).contains("no named volume"));
        assert!(said(&seen(Some("v"), None, true), Some("a")).contains("whole volume"));
        assert!(said(&seen(Some("v"), Some("b"), true), Some("a")).contains("directory b"));
        assert!(said(&seen(Some("v"), None, false), None).contains("read-write"));
        let host = |path: &str| Wanted {
            claim_name: None,
            host_path: Some(path.into()),
            ..wanted(None)
        };
        let there = SeenMount {
            host_path: Some("/h/a".into()),
            ..seen(None, None, true)
        };
        assert_eq!(outside(&there, &host("/h/a")), None);
        let elsewhere = outside(&there, &host("/h")).unwrap_or_default();
        assert!(elsewhere.contains("mounted /h/a at"), "{elsewhere}");
        let volume = outside(&seen(Some("v"), None, true), &host("/h")).unwrap_or_default();
        assert!(volume.contains("no host directory"), "{volume}");
    }

    #[test]
    fn a_word_of_a_shell_is_one() {
        assert_eq!(quoted("/a b'c"), r"'/a b'\''c'");
    }
}
