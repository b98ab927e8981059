//! Queries of lists and endpoints.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::http::StatusCode;

use crate::sandbox::{ListQuery, SnapshotQuery};

use super::refusal::Refusal;

/// The query of `GET /sandboxes`.
pub(super) fn sandboxes(query: Option<&str>) -> Result<ListQuery, Refusal> {
    let mut list = ListQuery::default();
    for (name, value) in pairs(query) {
        match name.as_ref() {
            "state" => list.state.push(value),
            "metadata" => list.metadata.extend(metadata(&value)?),
            "page" => list.page = from_one("page", &value)?,
            "pageSize" => list.page_size = from_one("pageSize", &value)?,
            _ => {}
        }
    }
    Ok(list)
}

/// The query of `GET /snapshots`.
pub(super) fn snapshots(query: Option<&str>) -> Result<SnapshotQuery, Refusal> {
    let mut list = SnapshotQuery::default();
    for (name, value) in pairs(query) {
        match name.as_ref() {
            "state" => list.state.push(value),
            "sandboxId" => list.sandbox_id = Some(value),
            "page" => list.page = from_one("page", &value)?,
            "pageSize" => list.page_size = from_one("pageSize", &value)?,
            _ => {}
        }
    }
    Ok(list)
}

/// The query of `GET /sandboxes/{id}/endpoints/{port}`: every endpoint here goes through this
/// server, and none can be signed.
pub(super) fn endpoint(query: Option<&str>) -> Result<(), Refusal> {
    let (mut is_proxied, mut expires) = (false, None);
    for (name, value) in pairs(query) {
        match name.as_ref() {
            "use_server_proxy" => {
                is_proxied = match value.to_ascii_lowercase().as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => {
                        let message = format!("use_server_proxy \"{value}\" is not true or false");
                        return Err(Refusal::invalid(message));
                    }
                };
            }
            "expires" => expires = Some(value),
            _ => {}
        }
    }
    let Some(expires) = expires else {
        return Ok(());
    };
    if expires.is_empty() || !expires.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("expires \"{expires}\" is not a time in seconds");
        return Err(Refusal::invalid(message));
    }
    if is_proxied {
        let message = "expires cannot be combined with use_server_proxy=true";
        return Err(Refusal::invalid(message));
    }
    let message = "signed endpoints (expires) are not supported here";
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "SANDBOX::API_NOT_SUPPORTED",
        message,
    ))
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, String)> {
    let query = query.unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).map(|(name, value)| (name, value.into_owned()))
}

fn from_one(name: &str, value: &str) -> Result<u32, Refusal> {
    let is_whole = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // A number beyond any page that there could be is past the end, and not wrong.
    let number = is_whole.then(|| u32::from_str(value).unwrap_or(u32::MAX));
    let number = number.filter(|number| *number >= 1);
    number.ok_or_else(|| {
        let message = format!("{name} \"{value}\" is not a whole number from 1");
        Refusal::invalid(message)
    })
}

/// One value of pairs `k=v`, joined by `&` and encoded as a whole once more.
fn metadata(value: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let is_pair = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| !key.is_empty());
    if let Some(wrong) = value.split('&').find(|pair| !is_pair(pair)) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_METADATA_FORMAT",
            format!("metadata: \"{wrong}\" is not key=value"),
        ));
    }
    let read = form_urlencoded::parse(value.as_bytes());
    Ok(read.into_owned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_filtered_and_paged() {
        let query = "state=Running&state=Paused&metadata=tag%3DT%26team%3D&page=2&pageSize=200&x=1";
        let list = sandboxes(Some(query)).expect("a query");
        assert_eq!(list.state, ["Running", "Paused"]);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            list.metadata,
            BTreeMap::from([pair("tag", "T"), pair("team", "")])
        );
        assert_eq!((list.page, list.page_size), (2, 200));
        assert_eq!(sandboxes(None).expect("none"), ListQuery::default());
        let far = sandboxes(Some("page=99999999999999999999")).expect("a query");
        assert_eq!(far.page, u32::MAX);
        for wrong in [
            "page=0",
            "page=-1",
            "pageSize=0",
            "page=x",
            "page=",
            "metadata=a",
            "metadata=a%3D1%26b",
        ] {
            assert!(sandboxes(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn endpoints_are_not_signed() {
        assert!(endpoint(None).is_ok() && endpoint(Some("use_server_proxy=true")).is_ok());
        for wrong in [
            "expires=2000000000",
            "expires=01x",
            "expires=",
            "use_server_proxy=maybe",
            "use_server_proxy=true&expires=2000000000",
        ] {
            assert!(endpoint(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
