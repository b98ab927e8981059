//! Owners and modes that are asked for.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use osb_conformance::execd::protocol::Permission;

use crate::error::Refusal;
use crate::file::account::Accounts;
use crate::file::path;

/// A [`Permission`] in numbers; what is `None` stays as it is.
pub(crate) struct Access {
    pub(crate) mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Access {
    pub(crate) fn resolve(permission: &Permission, accounts: &Accounts) -> Result<Self, Refusal> {
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let (owner, group) = (named(&permission.owner), named(&permission.group));
        Ok(Self {
            mode: match permission.mode {
                None | Some(0) => None,
                Some(mode) => Some(parse_mode(mode)?),
            },
            uid: owner.map(|name| accounts.user_id(&name)).transpose()?,
            gid: group.map(|name| accounts.group_id(&name)).transpose()?,
        })
    }

    pub(crate) fn apply(&self, path: &Path) -> Result<(), Refusal> {
        if self.uid.is_some() || self.gid.is_some() {
            chown(path, self.uid, self.gid).map_err(path::failed(path))?;
        }
        // After the owner: a new one takes the set-user-id bit away.
        if let Some(mode) = self.mode {
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(path, mode).map_err(path::failed(path))?;
        }
        Ok(())
    }
}

/// A mode is a decimal number whose digits are those of the octal mode.
fn parse_mode(mode: u32) -> Result<u32, Refusal> {
    let parsed = u32::from_str_radix(&mode.to_string(), 8).ok();
    parsed.filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        path::invalid(format!(
            "mode {mode} is not written in octal digits, such as 644"
        ))
    })
}

/// The inverse of [`parse_mode`]; without the kind of file.
pub(crate) fn show_mode(mode: u32) -> u32 {
    // Three bits to a digit; twelve bits are four of them.
    (0..4).fold(0, |shown, place| {
        shown + (mode >> (3 * place) & 7) * 10_u32.pow(place)
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_mode, show_mode};

    #[test]
    fn modes_are_octal_digits_in_decimal() {
        for (mode, bits) in [(644, 0o644), (7, 0o7), (4755, 0o4755), (7777, 0o7777)] {
            assert_eq!(parse_mode(mode).ok(), Some(bits));
            assert_eq!(show_mode(bits | 0o100_000), mode);
        }
        for mode in [9, 888, 648, 10_000, u32::MAX] {
            assert!(parse_mode(mode).is_err(), "{mode}");
        }
    }
}
