//! Requests and answers as evidence, without what is secret in them.

use serde_json::Value;

/// What stands for something secret.
const STRUCK: &str = "***";

/// Members of API bodies whose values are secret.
const SECRET: [&str; 3] = ["password", "accessKeyId", "accessKeySecret"];

/// Most characters of a body that are shown.
const SHOWN: usize = 1500;

/// Knows what must not be shown.
#[derive(Clone)]
pub(super) struct Strike {
    key: Option<String>,
}

impl Strike {
    /// Strikes out `key`, wherever it turns up.
    pub(super) fn new(key: Option<&str>) -> Self {
        let key = key.filter(|key| !key.is_empty()).map(str::to_owned);
        Self { key }
    }

    /// A body for a person: its beginning, in one line where it is JSON.
    pub(super) fn body(&self, body: &[u8]) -> String {
        let text = match serde_json::from_slice::<Value>(body) {
            Ok(mut value) => {
                strike(&mut value);
                value.to_string()
            }
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        let text = self.text(&text);
        match text.char_indices().nth(SHOWN) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text,
        }
    }

    /// Any text.
    pub(super) fn text(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key, STRUCK),
            None => text.to_owned(),
        }
    }
}

fn strike(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if SECRET.contains(&name.as_str()) {
                    *value = STRUCK.into();
                } else {
                    strike(value);
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
    fn secrets_are_struck_out_and_the_rest_is_shown() {
        let strike = Strike::new(Some("k3y"));
        let body = br#"{"image":{"auth":{"username":"u","password":"p4ss"}},"volumes":[{"ossfs":{"accessKeyId":"1d","accessKeySecret":"s3cret"}}],"note":"k3y"}"#;
        let shown = strike.body(body);
        for secret in ["p4ss", "1d", "s3cret", "k3y"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("\"username\":\"u\""), "{shown}");
        assert_eq!(strike.body(b"<html>k3y"), "<html>***");
        assert_eq!(
            strike.body("å".repeat(2000).as_bytes()).chars().count(),
            SHOWN + 1
        );
        assert_eq!(Strike::new(None).body(b""), "");
    }
}
