//! What is the local target's alone: limits, mount points, and that nothing stays behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use osb_conformance::sandbox::SandboxState;
use osb_conformance::target::Resource;
use serde_json::json;

use crate::bench::{Bench, on, pvc};
use crate::support::{control_groups, descendants};

/// Set for the copy of this program that runs [`alone`].
const ALONE: &str = "OSB_TEST_ALONE";

/// This process's descendants, and what else of a sandbox a process can hold.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    processes: Vec<i32>,
    descriptors: usize,
    namespaces: usize,
    mounts: Vec<String>,
}

impl Held {
    fn now() -> Self {
        let descriptors: Vec<_> = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .collect();
        let kinds = ["mnt", "net", "pid", "user", "uts", "ipc", "cgroup", "time"];
        let is_namespace = |link: &&PathBuf| {
            let kind = link.to_str().and_then(|link| link.split_once(":["));
            kind.is_some_and(|(kind, _)| kinds.contains(&kind))
        };
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        // An engine makes its own meanwhile.
        let ours = mounts.lines().filter(|line| !line.contains("docker"));
        Self {
            processes: descendants().into_keys().collect(),
            namespaces: descriptors.iter().filter(is_namespace).count(),
            descriptors: descriptors.len(),
            mounts: ours.map(String::from).collect(),
        }
    }
}

/// In a program of its own, all of whose processes can be told from others'.
#[test]
fn sandboxes_leave_nothing_behind() {
    let program = std::env::current_exe().unwrap();
    let status = std::process::Command::new(program)
        .args(["--exact", "local::alone", "--ignored", "--nocapture"])
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by sandboxes_leave_nothing_behind, in a process of its own"]
async fn alone() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    // What loses its parent becomes this process's child, and is seen.
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    on(Bench::local().await, leave_nothing).await;
}

async fn leave_nothing(bench: Bench) {
    let run = bench.owner.run.to_string();
    let before = Held::now();
    let nothing_is_left = async |after: &str| {
        let patience = Instant::now() + Duration::from_secs(5);
        while Held::now() != before {
            assert!(
                Instant::now() < patience,
                "{after}: {:?} {before:?}",
                Held::now()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(bench.state(), Vec::<PathBuf>::new(), "{after}");
        assert_eq!(control_groups(&run), Vec::<PathBuf>::new(), "{after}");
    };
    for number in 0..200 {
        let sandbox = bench.create(json!({})).await;
        let out = sandbox
            .out("setsid sleep 1000 >/dev/null 2>&1 & echo $$")
            .await;
        assert!(!out.is_empty(), "{number}");
        bench.target.delete(&sandbox.id).await.unwrap();
    }
    nothing_is_left("200 one after the other").await;
    let made: Vec<_> = (0..50)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let sandbox = bench.create(json!({})).await;
                sandbox.out("true").await;
                sandbox
            })
        })
        .collect();
    let mut sandboxes = Vec::new();
    for sandbox in made {
        sandboxes.push(sandbox.await.unwrap());
    }
    assert_eq!(bench.remains().await.len(), 50);
    let ended: Vec<_> = sandboxes
        .into_iter()
        .map(|sandbox| {
            let target = bench.target.clone();
            tokio::spawn(async move { target.delete(&sandbox.id).await.unwrap() })
        })
        .collect();
    for ended in ended {
        ended.await.unwrap();
    }
    nothing_is_left("50 at once").await;
    for entrypoint in ["true", "/no/such/program"] {
        for _ in 0..20 {
            let _ = bench.request(json!({"entrypoint": [entrypoint]})).await;
        }
    }
    for resource in bench.remains().await {
        bench
            .target
            .remove(&bench.owner.run, &resource)
            .await
            .unwrap();
    }
    nothing_is_left("40 that ended by themselves, or could not begin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_those_of_a_control_group() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root makes control groups");
        return;
    }
    on(Bench::local().await, async |bench| {
        let limits = json!({"resourceLimits": {"memory": "128Mi", "cpu": "250m"}});
        let sandbox = bench.create(limits).await;
        let groups = control_groups(&sandbox.name);
        let read = |file: &str| -> Vec<String> {
            let texts = groups
                .iter()
                .filter_map(|g| std::fs::read_to_string(g.join(file)).ok());
            texts.map(|text| text.trim().to_owned()).collect()
        };
        let either = |a, b| [read(a), read(b)].concat();
        assert_eq!(either("memory.limit_in_bytes", "memory.max"), ["134217728"]);
        assert_eq!(read("pids.max"), ["1024"]);
        let cpu = either("cpu.cfs_quota_us", "cpu.max");
        assert!(cpu == ["25000"] || cpu == ["25000 100000"], "{cpu:?}");
        let hog = sandbox
            .run("dd if=/dev/zero of=/dev/null bs=300M count=1; echo $?")
            .await;
        assert_eq!(
            crate::support::text(&hog.stdout),
            "137\n",
            "it took what it wanted"
        );
        assert_eq!(sandbox.out("echo alive").await, "alive\n");
        bench.target.delete(&sandbox.id).await.unwrap();
        assert_eq!(control_groups(&sandbox.name), Vec::<PathBuf>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_image() {
    on(Bench::local().await, async |bench| {
        let error = bench.refused(json!({"image": {"uri": "ubuntu"}})).await;
        assert_eq!(
            (error.status, error.code.as_str()),
            (400, "SANDBOX::INVALID_PARAMETER")
        );
        assert!(error.message.contains("ubuntu"), "{error}");
        assert_eq!(bench.remains().await, []);
    })
    .await;
}

/// A mount point that is missing is made in the sandbox and in writable volumes, never on the
/// host and never in what is only to be read.
#[tokio::test(flavor = "multi_thread")]
async fn mount_points_are_not_made_on_the_host() {
    on(Bench::local().await, async |bench| {
        let (outer, inner) = (bench.volume(&[("f", "x")]).await, bench.volume(&[]).await);
        let fresh = format!("osb-{}", bench.owner.run);
        let maker = bench.create(pvc(&outer, json!({}))).await;
        let links = "cd /mnt/data && ln -s /usr/share usr && ln -s ../../../../usr up && mkdir d";
        maker.out(links).await;
        let two = |path: &str, read_only: bool| {
            json!({"volumes": [
                {"name": "o", "mountPath": "/o", "pvc": {"claimName": outer}, "readOnly": read_only},
                {"name": "i", "mountPath": path, "pvc": {"claimName": inner}},
            ]})
        };
        for (path, read_only) in [
            (format!("/usr/share/{fresh}/deep"), false),
            (format!("/usr/{fresh}"), false),
            (format!("/bin/{fresh}"), false),
            (format!("/etc/alternatives/{fresh}"), false),
            (format!("/o/usr/{fresh}"), false),
            (format!("/o/up/{fresh}"), false),
            (format!("/o/{fresh}"), true),
            (format!("/o/d/{fresh}"), true),
        ] {
            let error = bench.refused(two(&path, read_only)).await;
            let code = (error.status, error.code.as_str());
            assert_eq!(code, (500, "DOCKER::SANDBOX_START_FAILED"), "{path}: {error}");
            assert!(error.message.contains(&path), "{error}");
        }
        for folder in ["/usr/share", "/usr", "/usr/bin", "/etc/alternatives", "/"] {
            assert!(!Path::new(folder).join(&fresh).exists(), "{folder}");
        }
        assert_eq!(maker.out("cd /mnt/data; ls; ls d").await, "d\nf\nup\nusr\n");
        let sandbox = bench.create(two("/o/new/place", false)).await;
        sandbox.out("echo inner > /o/new/place/g").await;
        assert_eq!(bench.read(&inner, "g").await.as_deref(), Some("inner\n"));
        assert_eq!(maker.out("ls -A /mnt/data/new/place").await, "");
        // One that is there is fine in what is only to be read.
        let sandbox = bench.create(two("/o/d", true)).await;
        sandbox.out("echo inner > /o/d/h").await;
        assert_ne!(sandbox.run("echo x > /o/new/x").await.exit_code, 0);
    })
    .await;
}

/// A volume may come to hold what is root's and set-user-id: nobody else's to reach.
#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_closed_to_other_users() {
    use std::os::unix::fs::MetadataExt;
    on(Bench::local().await, async |bench| {
        let volume = bench.volume(&[]).await;
        let sandbox = bench.create(pvc(&volume, json!({}))).await;
        sandbox
            .out("cp /bin/sh /mnt/data/sh && chmod 6755 /mnt/data/sh")
            .await;
        let folder = bench.folder().join("state/volumes");
        let mode = std::fs::metadata(folder).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        let taken = sandbox
            .run("stat -c %A /mnt/data/sh; /mnt/data/sh -c 'grep CapEff /proc/self/status'")
            .await;
        assert!(crate::support::text(&taken.stdout).contains("a80425fb"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_from_outside_has_failed() {
    on(Bench::local().await, async |bench| {
        let sandbox = bench.create(json!({})).await;
        let running = sandbox.execd.clone();
        let running =
            tokio::spawn(async move { running.run(&crate::bench::shell("sleep 1000")).await });
        sandbox
            .out("until grep -q sleep /proc/[0-9]*/cmdline; do sleep 0.01; done")
            .await;
        let inside = "readlink /proc/self/ns/pid";
        let namespace = sandbox.out(inside).await;
        for pid in crate::hostile::in_namespace(namespace.trim()) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        bench.until(&sandbox.id, SandboxState::Failed).await;
        let error = running.await.unwrap().unwrap_err().to_string();
        assert!(
            error.starts_with("409 DOCKER::SANDBOX_NOT_RUNNING"),
            "{error}"
        );
        bench.target.delete(&sandbox.id).await.unwrap();
        assert_eq!(bench.remains().await, Vec::<Resource>::new());
    })
    .await;
}
