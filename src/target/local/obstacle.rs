//! Why this machine's kernel does not let us make sandboxes, and which switch changes that.

use std::fs;

use nix::errno::Errno;

/// One switch of the kernel that can be in the way: its file, its value that forbids, and what to
/// do about it.
const SWITCHES: [(&str, &str, &str); 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user namespaces are switched off: sysctl -w user.max_user_namespaces=15000",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are switched off for ordinary users: sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor takes all rights from ordinary users' namespaces: \
         sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

/// What to say about a step that the kernel refused with `errno`.
pub(super) fn explain(step: &str, errno: i32, message: &str) -> String {
    let read = |path: &str| fs::read_to_string(path).ok();
    let advice = advice(step, errno, is_root(), read);
    match advice {
        Some(advice) => format!("{step} is refused ({message}): {advice}"),
        None => format!("{step} is refused: {message}"),
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn advice(
    step: &str,
    errno: i32,
    is_root: bool,
    read: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let errno = Errno::from_raw(errno);
    if matches!(errno, Errno::EINVAL | Errno::ENOSYS) && step.contains("namespace") {
        return Some("the kernel was built without it (CONFIG_USER_NS and its like)".into());
    }
    let is_refusal = matches!(errno, Errno::EPERM | Errno::EACCES | Errno::ENOSPC);
    if !is_refusal {
        return None;
    }
    // The first one bounds root as well; the others do not.
    let switches = SWITCHES
        .iter()
        .take(if is_root { 1 } else { SWITCHES.len() });
    let closed = switches
        .filter(|(file, forbidding, _)| read(file).is_some_and(|text| text.trim() == *forbidding));
    if let Some((_, _, advice)) = closed.into_iter().next() {
        return Some((*advice).into());
    }
    let status = read("/proc/self/status").unwrap_or_default();
    let is_filtered = status.lines().any(|line| {
        line.strip_prefix("Seccomp:")
            .is_some_and(|mode| mode.trim() == "2")
    });
    if is_filtered {
        return Some(
            "a system call filter forbids it, as in a container: start the container with \
             --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
             --security-opt systempaths=unconfined"
                .into(),
        );
    }
    if step.contains("/proc") {
        return Some(
            "parts of /proc are hidden, as in a container: start the container with \
             --security-opt systempaths=unconfined"
                .into(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(step: &str, errno: Errno, is_root: bool, files: &[(&str, &str)]) -> String {
        let read = |path: &str| {
            let found = files.iter().find(|(name, _)| *name == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        advice(step, errno as i32, is_root, read).unwrap_or_default()
    }

    #[test]
    fn the_switch_that_is_missing_is_named() {
        let step = "making a user namespace";
        for (index, (file, forbidding, _)) in SWITCHES.iter().enumerate() {
            let text = format!("{forbidding}\n");
            let advice = told(step, Errno::EPERM, false, &[(file, &text)]);
            assert!(advice.contains("sysctl -w"), "{advice}");
            let as_root = told(step, Errno::ENOSPC, true, &[(file, &text)]);
            assert_eq!(as_root.is_empty(), index > 0, "{as_root}");
        }
        let filtered = [("/proc/self/status", "Name:\tx\nSeccomp:\t2\n")];
        let advice = told(step, Errno::EPERM, true, &filtered);
        assert!(advice.contains("seccomp=unconfined"), "{advice}");
        let advice = told("mounting /proc", Errno::EPERM, true, &[]);
        assert!(advice.contains("systempaths=unconfined"), "{advice}");
        assert!(told(step, Errno::EINVAL, true, &[]).contains("CONFIG_USER_NS"));
        assert_eq!(told(step, Errno::ENOENT, true, &filtered), "");
    }
}
