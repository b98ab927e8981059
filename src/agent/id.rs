//! Ids of commands and sessions.

use std::hash::{BuildHasher, RandomState};

/// A new id that nobody can guess: 32 hexadecimal digits, as execd's have.
///
/// By the standard library's own source of randomness, which needs no file: a sandbox may have no
/// `/dev`.
pub(crate) fn new_id() -> String {
    let half = |salt: u8| RandomState::new().hash_one(salt);
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_long_and_differ() {
        let (one, other) = (new_id(), new_id());
        assert!(one.len() == 32 && one != other, "{one} {other}");
        assert_ne!(one[..16], one[16..]);
    }
}
