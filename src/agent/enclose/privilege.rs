//! What those inside may do: what a Docker container may by default, and no more.

use std::fs;
use std::io;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use nix::unistd::setgroups;
use std::os::fd::AsRawFd;

use super::{During, Result};

/// Docker's default set. None of it lets a mount be changed.
const KEPT: [Capability; 14] = [
    Capability::CAP_AUDIT_WRITE,
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_KILL,
    Capability::CAP_MKNOD,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETFCAP,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_SETUID,
    Capability::CAP_SYS_CHROOT,
];

/// Forbids further user namespaces, in which one would have every right again. `proc` is the
/// sandbox's own, still writable.
pub(super) fn forbid_user_namespaces(proc: &Path) -> Result<()> {
    fs::write(proc.join("sys/user/max_user_namespaces"), "0").during("forbidding user namespaces")
}

/// Leaves the session keyring of whoever started the harness: what it holds, such as tickets and
/// passphrases, is no sandbox's. No namespace does that.
pub(super) fn leave_keys() -> Result<()> {
    let left = keyutils::Keyring::join_anonymous_session().map(drop);
    match left.map_err(|error| io::Error::from_raw_os_error(error.0)) {
        // A kernel without keys has none to leave.
        Err(error) if error.raw_os_error() == Some(Errno::ENOSYS as i32) => Ok(()),
        other => other.during("leaving the session's keys"),
    }
}

/// Gives up every right beyond [`KEPT`], for ever; bounds the number of processes.
pub(super) fn drop_all(processes: u64) -> Result<()> {
    // An ordinary user's is counted for the sandbox alone, from Linux 5.14 on; root's, who is
    // exempt, is bounded by a control group.
    let limiting = "limiting processes";
    let (_, hardest) = getrlimit(Resource::RLIMIT_NPROC).during(limiting)?;
    let processes = processes.min(hardest);
    setrlimit(Resource::RLIMIT_NPROC, processes, processes).during(limiting)?;
    // The harness's supplementary groups; an ordinary user cannot leave his.
    match setgroups(&[]) {
        Err(Errno::EPERM) => {}
        other => other.during("leaving groups")?,
    }
    prctl::set_no_new_privs().during("forbidding new privileges")?;
    let kept: CapsHashSet = KEPT.into_iter().collect();
    let dropping = |result: std::result::Result<(), caps::errors::CapsError>| {
        result
            .map_err(io::Error::other)
            .during("dropping capabilities")
    };
    for capability in caps::runtime::thread_all_supported().difference(&kept) {
        dropping(caps::drop(None, CapSet::Bounding, *capability))?;
    }
    dropping(caps::clear(None, CapSet::Inheritable))?;
    dropping(caps::set(None, CapSet::Effective, &kept))?;
    dropping(caps::set(None, CapSet::Permitted, &kept))
}

/// Brings the loopback interface up, the only one there is: programs expect to reach themselves.
pub(super) fn raise_loopback() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 5;
    const LOOPBACK: i32 = 1;
    const UP: u32 = 1;
    // struct nlmsghdr, struct ifinfomsg (man 7 rtnetlink).
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let netlink = netlink.as_raw_fd();
    sendto(
        netlink,
        &message,
        &NetlinkAddr::new(0, 0),
        MsgFlags::empty(),
    )?;
    let mut answer = [0; 64];
    let length = recv(netlink, &mut answer, MsgFlags::empty())?;
    // struct nlmsgerr: a negative errno behind the header.
    match answer.get(16..20).map(<[u8; 4]>::try_from) {
        Some(Ok(errno)) if length >= 20 => match i32::from_ne_bytes(errno) {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(-errno)),
        },
        _ => Err(io::Error::other("the kernel's answer is cut off")),
    }
}
