//! Scripts that want out of a sandbox of namespaces, where it takes a look from outside to see
//! whether they got there. What can be seen from inside is in `tests/hostile`.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::time::{Duration, Instant};

use osb_conformance::execd::Command;
use osb_conformance::sandbox::SandboxState;
use serde_json::json;

use crate::bench::{Bench, on, pvc, shell};

/// The host's processes in the process namespace `namespace`, such as `pid:[4026532000]`.
pub fn in_namespace(namespace: &str) -> Vec<i32> {
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let link = std::fs::read_link(format!("/proc/{pid}/ns/pid"));
            link.is_ok_and(|link| link.as_os_str() == namespace)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_processes_are_not_seen() {
    on(Bench::local().await, async |bench| {
        let sandbox = bench.create(json!({})).await;
        let seen = sandbox
            .out("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done")
            .await;
        let lines: Vec<_> = seen
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert!(lines.len() <= 5, "{seen}");
        let own = |line: &&&str| {
            ["/proc/self/exe", "tail ", "sh ", "tr "]
                .iter()
                .any(|s| line.starts_with(s))
        };
        assert_eq!(lines.iter().filter(own).count(), lines.len(), "{seen}");
        let ours = std::process::id();
        let found = sandbox
            .run(&format!("ls -d /proc/{ours} || kill -0 {ours}"))
            .await;
        assert_ne!(
            found.exit_code,
            0,
            "{}",
            crate::support::text(&found.stdout)
        );
        assert_eq!(
            sandbox.out("cat /proc/1/status | grep -c ^NSpid.*1$").await,
            "1\n"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_files_are_not_seen() {
    on(Bench::local().await, async |bench| {
        let secret = bench.folder().join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let volume = bench.volume(&[("f", "x")]).await;
        let sandbox = bench.create(pvc(&volume, json!({}))).await;
        let mut hidden = vec![
            secret.display().to_string(),
            "/etc/shadow".into(),
            "/etc/fstab".into(),
        ];
        hidden.push(env!("CARGO_MANIFEST_DIR").into());
        hidden.push(std::env::current_exe().unwrap().display().to_string());
        hidden.push(bench.folder().join("state").display().to_string());
        hidden.extend(
            [
                "/sys/kernel",
                "/var/lib",
                "/var/log",
                "/boot",
                "/dev/sda",
                "/dev/vda",
                "/dev/mem",
                "/dev/kmsg",
            ]
            .map(String::from),
        );
        for path in hidden {
            assert_ne!(
                sandbox.run(&format!("ls -d '{path}'")).await.exit_code,
                0,
                "{path}"
            );
        }
        // The ways around: by way of other processes' roots, and through what is mounted.
        for way in [
            "/proc/1/root",
            "/proc/self/root",
            "/proc/self/cwd",
            "/mnt/data/../..",
            "/mnt/data/..",
        ] {
            let path = format!("{way}{}", secret.display());
            assert_ne!(
                sandbox.run(&format!("cat '{path}'")).await.exit_code,
                0,
                "{path}"
            );
        }
        assert_eq!(
            sandbox
                .out("ls -A /root /home /run /srv /opt /sys | grep -v -e : -e ^$ || true")
                .await,
            ""
        );
        assert_eq!(sandbox.out("ls -A /mnt").await, "data\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_network_is_not_reached() {
    on(Bench::local().await, async |bench| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        listener.accept().unwrap();
        let name = format!("osb-{}", bench.owner.run);
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let local = UnixListener::bind_addr(&address).unwrap();
        local.set_nonblocking(true).unwrap();
        let sandbox = bench.create(json!({})).await;
        let reach = format!("command -v bash || exit 9; bash -c 'echo x > /dev/tcp/127.0.0.1/{port}'");
        let reached = sandbox.run(&reach).await;
        assert_ne!(reached.exit_code, 9, "bash is needed here");
        assert_ne!(reached.exit_code, 0);
        let reached = sandbox.run("bash -c 'echo x > /dev/udp/1.1.1.1/53'").await;
        assert_ne!(reached.exit_code, 0, "there is a way out");
        let reach = format!(
            "command -v perl || exit 9; perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) or die; \
             connect(S, pack(\"Sa*\", PF_UNIX, \"\\0{name}\")) or die $!'"
        );
        let reached = sandbox.run(&reach).await;
        assert_ne!(reached.exit_code, 0);
        if reached.exit_code == 9 {
            eprintln!("skipped in part: no perl to connect to abstract sockets with");
        }
        assert_eq!(sandbox.out("grep -c @ /proc/net/unix || true").await, "0\n");
        assert_eq!(sandbox.out("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").await, "lo\n");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(local.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        // Its own loopback works.
        let own = "perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1:0\") or die; \
                   IO::Socket::INET->new(PeerAddr => \"127.0.0.1:\" . $l->sockport) or die'";
        if reached.exit_code != 9 {
            sandbox.out(own).await;
        }
    })
    .await;
}

/// Swaps the directory `d` of the current folder for the link `evil` and back, for ever. One that
/// others made in its place meanwhile is put aside.
const SWAP: &str = r#"
    command -v perl >/dev/null && exec perl -e 'while (1) {
        rename "d", "real" or rename "d", "aside" . $n++;
        rename "evil", "d"; rename "d", "evil"; rename "real", "d"
    }'
    while :; do
        mv -T d real || mv -T d aside$((n = n + 1))
        mv -T evil d; mv -T d evil; mv -T real d
    done"#;

/// Others are made with it as their subPath meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_sub_path_that_is_swapped_shows_nothing_outside() {
    on(Bench::local().await, async |bench| {
        let fresh = format!("osb-{}", bench.owner.run);
        for link in ["/", "../../..", "/proc/1/root", ".."] {
            swapped(&bench, link, &fresh).await;
        }
        for outside in ["/", "/proc", "/usr"] {
            assert!(!Path::new(outside).join(&fresh).exists(), "{outside}");
        }
        for outside in ["state", "state/volumes"] {
            let outside = bench.folder().join(outside);
            assert!(!outside.join(&fresh).exists(), "{}", outside.display());
        }
    })
    .await;
}

async fn swapped(bench: &Bench, link: &str, fresh: &str) {
    let files = [("d/inside", "x"), ("d/e/inside", "x")];
    let volume = bench.volume(&files).await;
    let swapper = bench.create(pvc(&volume, json!({}))).await;
    swapper.out(&format!("ln -s {link} /mnt/data/evil")).await;
    let swap = Command {
        cwd: Some("/mnt/data".into()),
        ..shell(SWAP)
    };
    let execd = swapper.execd.clone();
    let swapping = tokio::spawn(async move { execd.run(&swap).await });
    let (mut shown, mut refused) = (0, 0);
    for round in 0.. {
        if round >= 60 && shown > 0 && refused > 0 {
            break;
        }
        assert!(round < 1000, "{link}: {shown} shown, {refused} refused");
        let sub_path = match round % 3 {
            0 => "d".into(),
            1 => "d/e".into(),
            _ => format!("d/{fresh}"),
        };
        let body = pvc(&volume, json!({"subPath": sub_path}));
        match bench.try_create(body).await {
            Ok(sandbox) => {
                // What was made anew while it was away may lack something.
                let seen = sandbox.out("ls -A /mnt/data").await;
                let is_inside = |name: &str| matches!(name, "e" | "inside") || name == fresh;
                assert!(seen.lines().all(is_inside), "{sub_path}: {seen}");
                shown += 1;
                bench.target.delete(&sandbox.id).await.unwrap();
            }
            Err(error) => {
                let codes = ["VOLUME::INVALID_SUB_PATH", "DOCKER::SANDBOX_START_FAILED"];
                assert!(codes.contains(&error.code.as_str()), "{error}");
                refused += 1;
            }
        }
    }
    assert!(
        shown > 0 && refused > 0,
        "{link}: {shown} shown, {refused} refused"
    );
    bench.target.delete(&swapper.id).await.unwrap();
    assert!(swapping.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_bounded_and_ends_with_its_sandbox() {
    on(Bench::local().await, async |bench| {
        let sandbox = bench.create(json!({})).await;
        let namespace = sandbox
            .out("readlink /proc/self/ns/pid")
            .await
            .trim()
            .to_owned();
        let execd = sandbox.execd.clone();
        let bomb = tokio::spawn(async move {
            execd
                .run(&shell("bomb() { bomb & bomb & sleep 1000; }; bomb"))
                .await
        });
        let begun = Instant::now();
        let mut most = 0;
        while begun.elapsed() < Duration::from_secs(3) {
            // Those that two looks see were all there between them.
            let first: BTreeSet<_> = in_namespace(&namespace).into_iter().collect();
            let second = in_namespace(&namespace);
            let count = second.iter().filter(|pid| first.contains(pid)).count();
            assert!(count <= 1024, "{count} processes");
            most = most.max(count);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(most > 100, "the bomb was none: {most} processes");
        let killed = Instant::now();
        bench.target.delete(&sandbox.id).await.unwrap();
        assert!(
            killed.elapsed() < Duration::from_secs(10),
            "{:?}",
            killed.elapsed()
        );
        assert_eq!(in_namespace(&namespace), Vec::<i32>::new());
        let _ = bomb.await.unwrap();
        bench.create(json!({})).await.out("true").await;
    })
    .await;
}

/// What the session of whoever started the harness holds, such as tickets and passphrases.
#[tokio::test]
async fn the_hosts_session_keys_are_not_there() {
    let number = match std::env::consts::ARCH {
        "x86_64" => 250,
        _ => 219,
    };
    // This thread's, which starts everything below.
    keyutils::Keyring::join_anonymous_session().unwrap();
    // keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0)
    let ask = format!("syscall({number}, 0, -3, 0)");
    let program = format!("print {ask}");
    let outside = std::process::Command::new("perl")
        .args(["-e", &program])
        .output();
    let Ok(outside) = outside else {
        eprintln!("skipped: there is no perl to ask with");
        return;
    };
    let outside = crate::support::text(&outside.stdout);
    on(Bench::local().await, async move |bench| {
        let sandbox = bench.create(json!({})).await;
        let inside = sandbox.out(&format!("perl -e '{program}'")).await;
        assert!(inside != "-1" && inside != outside, "{inside} {outside}");
    })
    .await;
}

/// Links that an earlier sandbox left in a volume, where a later one mounts something else.
#[tokio::test(flavor = "multi_thread")]
async fn mount_points_are_not_made_through_links_to_the_host() {
    on(Bench::local().await, async |bench| {
        let volume = bench.volume(&[]).await;
        let allowed = bench.folder().join("allow");
        let (file, victim) = (allowed.join("file"), bench.folder().join("victim"));
        std::fs::write(&file, "ours").unwrap();
        std::fs::write(&victim, "the host's").unwrap();
        let link = format!(
            "cd /mnt/data && ln -s {} there && ln -s {}-new new && ln -s /proc proc && ln -s /proc/self self",
            victim.display(),
            victim.display()
        );
        bench.create(pvc(&volume, json!({}))).await.out(&link).await;
        let host = |path: &str, inside: &str| {
            json!({"volumes": [
                {"name": "v", "mountPath": "/data", "pvc": {"claimName": volume}},
                {"name": "h", "mountPath": format!("/data/{inside}"), "host": {"path": path}},
            ]})
        };
        for (path, inside) in [
            (file.to_str().unwrap(), "there"),
            (file.to_str().unwrap(), "new"),
            (allowed.to_str().unwrap(), "proc"),
            (allowed.to_str().unwrap(), "self"),
        ] {
            // Whether it is refused or inside, the host's files are as they were.
            let _ = bench.request(host(path, inside)).await;
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "the host's");
            assert!(!bench.folder().join("victim-new").exists(), "{inside}");
        }
        for inside in ["proc", "self"] {
            let error = bench.refused(host(allowed.to_str().unwrap(), inside)).await;
            assert_eq!(error.code, "DOCKER::SANDBOX_START_FAILED");
        }
    })
    .await;
}

/// A set-user-id program that belongs to root gives an ordinary user inside nothing.
#[tokio::test(flavor = "multi_thread")]
async fn set_user_id_programs_give_nothing() {
    on(Bench::local().await, async |bench| {
        let volume = bench.volume(&[]).await;
        let sandbox = bench.create(pvc(&volume, json!({}))).await;
        let by = |command: &str| Command {
            uid: (!bench.has_one_user()).then_some(65534),
            ..shell(command)
        };
        for folder in ["/tmp", "/mnt/data"] {
            let copy = format!("cp \"$(command -v cat)\" {folder}/cat && chown 0:0 {folder}/cat && chmod 4755 {folder}/cat");
            sandbox.out(&copy).await;
            let status = format!("{folder}/cat /proc/self/status");
            let status = sandbox.try_run(by(&status)).await.unwrap();
            let status = crate::support::text(&status.stdout);
            let line = |name: &str| {
                let found = status.lines().find_map(|line| line.strip_prefix(name));
                found.map(|rest| rest.split_whitespace().map(String::from).collect::<Vec<_>>()).unwrap_or_default()
            };
            assert_eq!(line("NoNewPrivs:"), ["1"], "{status}");
            if bench.has_one_user() {
                assert_eq!(line("CapEff:"), ["00000000a80425fb"]);
            } else {
                assert_eq!(line("Uid:"), ["65534"; 4]);
                assert_eq!(line("CapEff:"), ["0000000000000000"]);
            }
        }
    })
    .await;
}

/// Its memory ends, not the machine's; and it can still be ended.
#[tokio::test(flavor = "multi_thread")]
async fn files_end_where_the_memory_does() {
    on(Bench::local().await, async |bench| {
        for memory in ["64Mi", "256Mi"] {
            let limits = json!({"resourceLimits": {"memory": memory, "cpu": "500m"}});
            let sandbox = bench.create(limits).await;
            for place in ["/tmp/fill", "/dev/shm/fill", "/fill"] {
                let fill = format!("dd if=/dev/zero of={place} bs=1M; echo $?; rm {place}");
                let filled = sandbox.run(&fill).await;
                assert_eq!(crate::support::text(&filled.stdout), "1\n", "{place}");
                let said = crate::support::text(&filled.stderr);
                assert!(said.contains("No space left on device"), "{place}: {said}");
            }
            let state = bench.target.get(&sandbox.id).await.unwrap().status.state;
            assert_eq!(state, SandboxState::Running);
        }
    })
    .await;
}
