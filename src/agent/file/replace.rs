//! `POST /files/replace`: text in files, in place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use axum::Json;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use osb_conformance::execd::protocol::{ReplaceFileContentItem, ReplaceFileContentResult};

use crate::error::{Refusal, json};
use crate::file::{path, work};
use crate::server::{Pairs, first};

/// `POST /files/replace`: with `verbose=true` it answers how often; without, an empty body.
pub(crate) async fn replace(Query(query): Query<Pairs>, body: Bytes) -> Result<Response, Refusal> {
    let request: BTreeMap<String, ReplaceFileContentItem> = json(&body)?;
    if let Some((path, _)) = request.iter().find(|(_, item)| item.old.is_empty()) {
        return Err(Refusal::body(format!(
            "old must not be empty, for \"{path}\""
        )));
    }
    let is_verbose = first(&query, "verbose") == Some("true");
    work(move || {
        let items = request.into_iter().map(|(asked, item)| {
            let path = path::check(&asked)?;
            let metadata = fs::metadata(&path).map_err(path::failed(&path))?;
            path::check_regular(&path, &metadata)?;
            Ok((asked, path, item))
        });
        let mut replaced = BTreeMap::new();
        // All are looked at before the first is changed.
        for (asked, path, item) in items.collect::<Result<Vec<_>, Refusal>>()? {
            replaced.insert(asked, replace_in(&path, &item)?);
        }
        Ok(if is_verbose {
            Json(replaced).into_response()
        } else {
            StatusCode::OK.into_response()
        })
    })
    .await
}

fn replace_in(
    path: &Path,
    item: &ReplaceFileContentItem,
) -> Result<ReplaceFileContentResult, Refusal> {
    let content = fs::read(path).map_err(path::failed(path))?;
    let (content, replaced_count) = replace_all(&content, item.old.as_bytes(), item.new.as_bytes());
    if replaced_count > 0 {
        // Truncates the file that is there, which keeps its owner and mode.
        fs::write(path, content).map_err(path::failed(path))?;
    }
    Ok(ReplaceFileContentResult { replaced_count })
}

/// On bytes, since a file need not be text as a whole.
fn replace_all(content: &[u8], old: &[u8], new: &[u8]) -> (Vec<u8>, u64) {
    let (mut replaced, mut count) = (Vec::with_capacity(content.len()), 0);
    let mut rest = content;
    while let Some(byte) = rest.first() {
        if let Some(after) = rest.strip_prefix(old) {
            replaced.extend_from_slice(new);
            count += 1;
            rest = after;
        } else {
            replaced.push(*byte);
            rest = &rest[1..];
        }
    }
    (replaced, count)
}

#[cfg(test)]
mod tests {
    use super::replace_all;

    #[test]
    fn every_place_is_replaced_once() {
        for (content, old, new, replaced, count) in [
            ("aaa", "aa", "b", "ba", 1),
            ("a-a-a", "a", "aa", "aa-aa-aa", 3),
            ("abc", "abcd", "x", "abc", 0),
            ("a b", " ", "", "ab", 1),
            ("", "a", "b", "", 0),
        ] {
            let (found, times) = replace_all(content.as_bytes(), old.as_bytes(), new.as_bytes());
            assert_eq!((found.as_slice(), times), (replaced.as_bytes(), count));
        }
        assert_eq!(
            replace_all(b"\xffa\0", b"a", b"b"),
            (b"\xffb\0".to_vec(), 1)
        );
    }
}
