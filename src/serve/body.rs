//! Bodies of requests, as JSON that follows the schema.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::sandbox::CreateSandboxRequest;

use super::refusal::Refusal;

/// Members of `CreateSandboxRequest`. The specification leaves its top level open: a client may be
/// newer than we are, and what is not among these is ignored.
const CREATE: [&str; 13] = [
    "image",
    "snapshotId",
    "platform",
    "timeout",
    "resourceLimits",
    "env",
    "metadata",
    "entrypoint",
    "networkPolicy",
    "credentialProxy",
    "secureAccess",
    "volumes",
    "extensions",
];

/// Members of request bodies that are lists.
const LISTS: [&str; 5] = ["entrypoint", "volumes", "egress", "options", "accessModes"];

/// Reads a body that follows the schema of `T`, or says where it does not.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Refusal> {
    convert(json(headers, body)?)
}

/// As [`read`]; no body at all is `T`'s default.
pub(super) fn read_or_default<T: DeserializeOwned + Default>(
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<T, Refusal> {
    if body.is_empty() {
        return Ok(T::default());
    }
    read(headers, body)
}

/// Reads the body of `POST /sandboxes`.
pub(super) fn read_create(
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<CreateSandboxRequest, Refusal> {
    let mut value = json(headers, body)?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| CREATE.contains(&name.as_str()));
        // Written out, a null is as good as an absent member.
        members.retain(|_, value| !value.is_null());
    }
    convert(value)
}

fn json(headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase());
    // A web page can make a browser send any other kind without asking anybody.
    if kind.as_deref() != Some("application/json") {
        return Err(Refusal::invalid(format!(
            "the body must come as Content-Type: application/json, not {}",
            kind.unwrap_or_else(|| "without a type".into())
        )));
    }
    serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("the body is no JSON: {error}")))
}

/// Where a list stands in the place of an object, which serde would take for its members in order.
fn misplaced_list(value: &Value, path: &str) -> Option<String> {
    let name = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Array(_) if !LISTS.contains(&name) => Some(match path {
            "" => "the body".into(),
            path => path.into(),
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| misplaced_list(item, &format!("{path}[{index}]"))),
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            misplaced_list(member, &path)
        }),
        _ => None,
    }
}

fn convert<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    // The volumes' names, in case that one of them is at fault.
    let names = volume_names(&value);
    if let Some(path) = misplaced_list(&value, "") {
        let volume = culprit(&path, &names);
        return Err(Refusal::invalid(format!(
            "{path}{volume} must not be a list"
        )));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let reason = if is_secret(&path) {
            "is not of the right type".to_owned()
        } else {
            error.inner().to_string()
        };
        let volume = culprit(&path, &names);
        match path.as_str() {
            "." => Refusal::invalid(reason),
            _ => Refusal::invalid(format!("{path}{volume}: {reason}")),
        }
    })
}

/// Whether the value at `path` may not be repeated to anybody.
fn is_secret(path: &str) -> bool {
    let secret = ["accessKeyId", "accessKeySecret", "image.auth", "env"];
    secret.iter().any(|part| path.contains(part))
}

fn volume_names(value: &Value) -> Vec<String> {
    let volumes = value.get("volumes").and_then(Value::as_array);
    let name = |volume: &Value| {
        let name = volume
            .as_object()
            .and_then(|volume: &Map<_, _>| volume.get("name"));
        name.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    volumes.into_iter().flatten().map(name).collect()
}

/// The volume that `path` is in, in words; nothing where it is in none that has a name.
fn culprit(path: &str, names: &[String]) -> String {
    let index = path
        .strip_prefix("volumes[")
        .and_then(|rest| rest.split_once(']'));
    let index = index.and_then(|(index, _)| index.parse::<usize>().ok());
    match index.and_then(|index| names.get(index)) {
        Some(name) if !name.is_empty() => format!(" (the volume \"{name}\")"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;

    use super::*;

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([(
            CONTENT_TYPE,
            "application/json; charset=utf-8".parse().expect("a value"),
        )])
    }

    async fn refused(body: &str) -> String {
        let refusal = read_create(&headers(), &Bytes::from(body.to_owned())).expect_err("refused");
        let body = refusal
            .into_response()
            .into_body()
            .collect()
            .await
            .expect("a body");
        String::from_utf8(body.to_bytes().to_vec()).expect("text")
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_with_its_volume() {
        let told =
            refused(r#"{"volumes":[{"name":"v","mountPath":"/d","readOnly":"maybe"}]}"#).await;
        assert!(
            told.contains("volumes[0].readOnly (the volume \\\"v\\\")"),
            "{told}"
        );
        assert!(told.contains("maybe"), "{told}");
        let told = refused(r#"{"volumes":[{"name":"v","mountPath":"/d","bogus":1}]}"#).await;
        assert!(told.contains("bogus"), "{told}");
        assert!(refused("{bad").await.contains("no JSON"));
        let told = refused(r#"{"volumes":[["v","/d"]]}"#).await;
        assert!(told.contains("volumes[0] must not be a list"), "{told}");
        assert!(refused("[]").await.contains("SANDBOX::INVALID_PARAMETER"));
    }

    #[tokio::test]
    async fn secrets_are_not_repeated() {
        let told = refused(
            r#"{"volumes":[{"name":"v","mountPath":"/d","ossfs":{"bucket":"abc","endpoint":"e","accessKeyId":"a","accessKeySecret":["hidden"]}}]}"#,
        )
        .await;
        assert!(
            told.contains("accessKeySecret") && !told.contains("hidden"),
            "{told}"
        );
        let told = refused(r#"{"env":{"TOKEN":["hidden"]}}"#).await;
        assert!(!told.contains("hidden"), "{told}");
    }

    #[test]
    fn the_top_level_is_open_and_null_is_absent() {
        let body = r#"{"later":[1],"timeout":null,"env":null,"image":{"uri":"i"}}"#;
        let request = read_create(&headers(), &Bytes::from(body)).expect("read");
        assert_eq!(request.image.expect("an image").uri, "i");
        let untyped = read_create(&HeaderMap::new(), &Bytes::from("{}"));
        assert!(untyped.is_err());
    }
}
