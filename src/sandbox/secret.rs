//! What is secret in the bodies of requests and answers.

use serde_json::Value;

/// What stands for something secret.
pub(crate) const STRUCK: &str = "***";

/// Members whose values are secret.
const MEMBERS: [&str; 3] = ["password", "accessKeyId", "accessKeySecret"];

/// The member of an endpoint with headers, which let a client in.
const HEADERS: &str = "headers";

/// Whether the values of the member `name` are secret.
pub(crate) fn is_secret(name: &str) -> bool {
    MEMBERS.contains(&name)
}

/// The texts in `body` that are secret.
pub(crate) fn secrets(body: &Value) -> Vec<&str> {
    match body {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if is_secret(name) => vec![text.as_str()],
                Value::Object(headers) if name == HEADERS => {
                    headers.values().filter_map(Value::as_str).collect()
                }
                _ => secrets(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// Strikes out what is secret in `body`.
pub(crate) fn strike(body: &mut Value) {
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Object(headers) if name == HEADERS => {
                        headers
                            .values_mut()
                            .for_each(|value| *value = STRUCK.into());
                    }
                    _ if is_secret(name) => *value = STRUCK.into(),
                    _ => strike(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strike),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_wherever_they_are() {
        let body = serde_json::json!({
            "image": {"auth": {"username": "u", "password": "p"}},
            "volumes": [{"ossfs": {"accessKeyId": "i", "accessKeySecret": "s"}}, {"password": 1}],
        });
        assert_eq!(secrets(&body), ["p", "i", "s"]);
        let mut endpoint = serde_json::json!({"endpoint": "e", "headers": {"X-TOKEN": "t"}});
        assert_eq!(secrets(&endpoint), ["t"]);
        strike(&mut endpoint);
        let shown = serde_json::json!({"endpoint": "e", "headers": {"X-TOKEN": STRUCK}});
        assert_eq!(endpoint, shown);
    }
}
