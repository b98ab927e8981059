//! `GET /files/search`: files by their names.

use std::fs;
use std::path::Path;

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};

use crate::error::Refusal;
use crate::file::account::Accounts;
use crate::file::walk::Walk;
use crate::file::{info, path, work};
use crate::server::{Pairs, first};

/// `GET /files/search`: no directories; the pattern is about the last part of the path.
pub(crate) async fn search(Query(query): Query<Pairs>) -> Result<Response, Refusal> {
    let root = path::one(&query)?;
    let pattern = first(&query, "pattern").filter(|pattern| !pattern.is_empty());
    // Any number of directories, which is what is searched in anyway.
    let pattern = pattern.unwrap_or("**").trim_start_matches("**/");
    let pattern: Vec<char> = pattern.chars().collect();
    work(move || {
        let metadata = fs::metadata(&root).map_err(path::failed(&root))?;
        let accounts = Accounts::read();
        if !metadata.is_dir() {
            let found =
                is_named(&root, &pattern).then(|| info::describe(&root, &metadata, &accounts));
            return Ok(Json(Vec::from_iter(found)).into_response());
        }
        let walk = Walk::below(&root, usize::MAX).map_err(path::failed(&root))?;
        let found = walk
            .filter(|(path, metadata)| !metadata.is_dir() && is_named(path, &pattern))
            .map(|(path, metadata)| info::describe(&path, &metadata, &accounts));
        Ok(Json(Vec::from_iter(found)).into_response())
    })
    .await
}

fn is_named(path: &Path, pattern: &[char]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    matches(pattern, &name.chars().collect::<Vec<_>>())
}

/// Whether `name` is as `pattern` says: `*` is any number of characters, `?` is one.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // After the last `*`, and where what it stands for ends. An earlier one never has to be
    // tried again, so that no pattern takes longer than both lengths multiplied.
    let mut retry = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                retry = Some((at, seen));
                continue;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[seen] => {
                at += 1;
                seen += 1;
                continue;
            }
            _ => {}
        }
        let Some((after, end)) = &mut retry else {
            return false;
        };
        *end += 1;
        (at, seen) = (*after, *end);
    }
    pattern[at..].iter().all(|wanted| *wanted == '*')
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_are_about_whole_names() {
        let matches = |pattern: &str, name: &str| {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            super::matches(&chars(pattern), &chars(name))
        };
        for (pattern, name) in [
            ("**", ""),
            ("**", "a"),
            ("*.txt", "a.txt"),
            ("*.txt", "a.txt.txt"),
            ("a?c", "aäc"),
            ("a*b*c", "aXbXbXc"),
            ("[a].txt", "[a].txt"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.txt", "a.text"),
            ("*.txt", "a.txt~"),
            ("?", ""),
            ("?", "ab"),
            ("a", "ab"),
            ("a*b*c", "aXbX"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
