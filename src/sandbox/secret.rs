//! What is secret in the bodies of requests.

use serde_json::Value;

/// What stands for something secret.
pub(crate) const STRUCK: &str = "***";

/// Members whose values are secret.
const MEMBERS: [&str; 3] = ["password", "accessKeyId", "accessKeySecret"];

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
                _ => secrets(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
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
    }
}
