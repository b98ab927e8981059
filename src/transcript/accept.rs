//! Accepts.

/// Accepts.
pub fn accept(_expected: &str, actual: &str) -> String {
    actual.to_owned()
}
