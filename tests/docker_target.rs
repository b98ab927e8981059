//! The Docker target on a real engine.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use osb_conformance::execd::{Command, CommandResult, Execd, OUTPUT_LIMIT};
use osb_conformance::sandbox::{
    ApiError, CreateSandboxRequest, ImageSpec, ListQuery, RenewRequest, ResourceLimits,
    SandboxState,
};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::{Files, Handle, Owner, Resource, Target, TargetError};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// One run against the engine, which must leave nothing.
struct Bench {
    target: DockerTarget,
    owner: Owner,
    count: Mutex<u32>,
}

impl Bench {
    /// `None` where no engine answers.
    async fn new() -> Option<Self> {
        Self::with(DockerConfig::default()).await
    }

    async fn with(config: DockerConfig) -> Option<Self> {
        support::engine().await?;
        let target = DockerTarget::connect(config).await.unwrap();
        target.prepare().await.unwrap();
        Some(Self {
            target,
            owner: Owner::this_process(),
            count: Mutex::default(),
        })
    }

    async fn name(&self) -> String {
        let mut count = self.count.lock().await;
        *count += 1;
        format!("test-{}-{count}", self.owner.run)
    }

    async fn try_create(&self, change: Value) -> Result<Box_, ApiError> {
        let mut body = json!({
            "image": {"uri": self.target.info().image}, "entrypoint": ["tail", "-f", "/dev/null"],
            "resourceLimits": {"cpu": "500m", "memory": "256Mi"}, "timeout": 600,
        });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let request: CreateSandboxRequest = serde_json::from_value(body).unwrap();
        let handle = Handle {
            owner: self.owner.clone(),
            name: self.name().await,
        };
        match self.target.create(&handle, &request).await {
            Ok(info) => {
                let execd = self.target.execd(&info.id).await.unwrap();
                Ok(Box_ { id: info.id, execd })
            }
            Err(TargetError::Api(error)) => Err(error),
            Err(error) => panic!(
                "no answer: {error}: {:?}",
                std::error::Error::source(&error)
            ),
        }
    }

    async fn create(&self, change: Value) -> Box_ {
        self.try_create(change).await.unwrap()
    }

    async fn refused(&self, change: Value) -> ApiError {
        match self.try_create(change).await {
            Err(error) => error,
            Ok(_) => panic!("it was accepted"),
        }
    }

    async fn volume(&self, files: &[(&str, &str)]) -> String {
        let files: Files = files
            .iter()
            .map(|(path, text)| ((*path).into(), text.as_bytes().to_vec()))
            .collect();
        let name = self.name().await;
        self.target
            .create_volume(&self.owner, &name, &files)
            .await
            .unwrap();
        name
    }

    async fn read(&self, volume: &str, path: &str) -> Option<String> {
        let data = self
            .target
            .read_volume(&self.owner, volume, path)
            .await
            .unwrap();
        data.map(|data| String::from_utf8(data).unwrap())
    }

    /// Removes everything and checks that nothing is left.
    async fn end(self) {
        let mut left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.sort_by(|a, b| a.1.cmp(&b.1));
        for (_, resource) in left {
            self.target
                .remove(&self.owner.run, &resource)
                .await
                .unwrap();
        }
        assert_eq!(
            self.target.remains(Some(&self.owner.run)).await.unwrap(),
            []
        );
    }

    async fn remains(&self) -> Vec<Resource> {
        let left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.into_iter().map(|(_, resource)| resource).collect()
    }
}

struct Box_ {
    id: String,
    execd: Arc<dyn Execd>,
}

impl Box_ {
    async fn run(&self, command: &str) -> CommandResult {
        self.execd
            .run(&Command {
                command: command.into(),
                ..Command::default()
            })
            .await
            .unwrap()
    }

    /// Standard output of a command that must succeed.
    async fn out(&self, command: &str) -> String {
        let result = self.run(command).await;
        assert_eq!(
            result.exit_code,
            0,
            "{command}: {}",
            support::text(&result.stderr)
        );
        support::text(&result.stdout)
    }
}

fn pvc(claim: &str, more: Value) -> Value {
    let mut volume = json!({"name": "v", "mountPath": "/mnt/data", "pvc": {"claimName": claim}});
    volume
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"volumes": [volume]})
}

fn claim(claim: &str, more: Value) -> Value {
    let mut pvc = json!({"claimName": claim});
    pvc.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"volumes": [{"name": "v", "mountPath": "/mnt/data", "pvc": pvc}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_made_on_demand_and_kept_or_removed_as_asked() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let (kept, doomed, shared) = (bench.name().await, bench.name().await, bench.name().await);
    let refused = bench
        .refused(claim(&kept, json!({"createIfNotExists": false})))
        .await;
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "VOLUME::PVC_NOT_FOUND")
    );
    assert!(refused.message.contains(&kept));
    let a = bench.create(claim(&kept, json!({}))).await;
    a.out("echo kept > /mnt/data/f").await;
    bench.target.delete(&a.id).await.unwrap();
    assert_eq!(bench.read(&kept, "f").await.as_deref(), Some("kept\n"));
    let flag = json!({"deleteOnSandboxTermination": true});
    let b = bench.create(claim(&doomed, flag.clone())).await;
    assert!(bench.target.volume_exists(&doomed).await.unwrap());
    bench.target.delete(&b.id).await.unwrap();
    assert!(!bench.target.volume_exists(&doomed).await.unwrap());
    // One that was there before is never removed.
    let c = bench.create(claim(&kept, flag.clone())).await;
    bench.target.delete(&c.id).await.unwrap();
    assert!(bench.target.volume_exists(&kept).await.unwrap());
    // One that another sandbox still mounts goes with the last of them.
    let first = bench.create(claim(&shared, flag)).await;
    let second = bench.create(claim(&shared, json!({}))).await;
    bench.target.delete(&first.id).await.unwrap();
    second.out("echo x > /mnt/data/f").await;
    bench.target.delete(&second.id).await.unwrap();
    assert!(!bench.target.volume_exists(&shared).await.unwrap());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_request_made_is_taken_back() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let (new, missing) = (bench.name().await, bench.name().await);
    let two = json!({"volumes": [
        {"name": "a", "mountPath": "/a", "pvc": {"claimName": new}},
        {"name": "b", "mountPath": "/b", "pvc": {"claimName": missing, "createIfNotExists": false}},
    ]});
    assert_eq!(bench.refused(two).await.code, "VOLUME::PVC_NOT_FOUND");
    let mut unstartable = claim(&new, json!({}));
    unstartable["entrypoint"] = json!(["/no/such/program"]);
    let error = bench.refused(unstartable).await;
    assert_eq!(
        (error.status, error.code.as_str()),
        (500, "DOCKER::SANDBOX_START_FAILED")
    );
    let mut unpullable = claim(&new, json!({}));
    unpullable["image"] = json!({"uri": "localhost:1/no/such:image"});
    assert_eq!(
        bench.refused(unpullable).await.code,
        "DOCKER::SANDBOX_IMAGE_PULL_FAILED"
    );
    let with = |key: &str, value: Value| {
        let mut body = claim(&new, json!({}));
        body[key] = value;
        body
    };
    for (body, code) in [
        (
            with("networkPolicy", json!({})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("secureAccess", json!(true)),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("extensions", json!({"poolRef": "p"})),
            "SANDBOX::UNSUPPORTED_POOL_REF",
        ),
        (
            with("platform", json!({"os": "linux", "arch": "s390x"})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("metadata", json!({"opensandbox.io/a": "b"})),
            "SANDBOX::INVALID_METADATA_LABEL",
        ),
        (
            with("resourceLimits", json!({"gpu": "1"})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            json!({"volumes": [{"name": "o", "mountPath": "/o", "ossfs": {"bucket": "bucket", "endpoint": "e",
            "accessKeyId": "i", "accessKeySecret": "s"}}]}),
            "VOLUME::UNSUPPORTED_BACKEND",
        ),
        (
            json!({"volumes": [{"name": "h", "mountPath": "/h", "host": {"path": "/tmp"}}]}),
            "VOLUME::HOST_PATH_NOT_ALLOWED",
        ),
    ] {
        assert_eq!(bench.refused(body).await.code, code);
    }
    assert_eq!(bench.remains().await, []);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sub_paths_stay_inside_of_the_volume() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let volume = bench.volume(&[("a/b/f", "in b\n"), ("top", "top\n")]).await;
    let maker = bench.create(pvc(&volume, json!({}))).await;
    maker.out("cd /mnt/data && ln -s / root && ln -s /etc abs && ln -s ../../.. up && ln -s a inside \
        && ln -s inside/b nested && ln -s loop2 loop1 && ln -s loop1 loop2 && ln -s /mnt/data/a selfabs \
        && mkdir 'odd:name,with spaces' && echo odd > 'odd:name,with spaces/f'").await;
    for evil in [
        "root",
        "abs",
        "up",
        "root/nonexist-osb",
        "abs/nonexist-osb",
        "up/x/y",
        "loop1",
        "loop1/x",
        "top",
        "top/x",
        "selfabs",
    ] {
        let error = bench.refused(pvc(&volume, json!({"subPath": evil}))).await;
        assert_eq!(
            (error.status, error.code.as_str()),
            (400, "VOLUME::INVALID_SUB_PATH"),
            "{evil}"
        );
        assert!(error.message.contains(evil), "{}", error.message);
    }
    assert!(
        !std::path::Path::new("/nonexist-osb").exists()
            && !std::path::Path::new("/etc/nonexist-osb").exists()
    );
    for good in ["a/b", "inside/b", "nested"] {
        let sandbox = bench.create(pvc(&volume, json!({"subPath": good}))).await;
        assert_eq!(
            sandbox.out("cat /mnt/data/f; ls /mnt/data").await,
            "in b\nf\n",
            "{good}"
        );
        bench.target.delete(&sandbox.id).await.unwrap();
    }
    let odd = bench
        .create(pvc(&volume, json!({"subPath": "odd:name,with spaces"})))
        .await;
    assert_eq!(odd.out("cat /mnt/data/f").await, "odd\n");
    // A missing one is made, inside.
    let new = bench
        .create(pvc(&volume, json!({"subPath": "inside/new/deep"})))
        .await;
    new.out("echo x > /mnt/data/f").await;
    assert_eq!(
        bench.read(&volume, "a/new/deep/f").await.as_deref(),
        Some("x\n")
    );
    // Read-only, and combined with the whole volume at another path.
    let both = bench.create(json!({"volumes": [
        {"name": "rw", "mountPath": "/rw", "pvc": {"claimName": volume}},
        {"name": "ro", "mountPath": "/ro", "pvc": {"claimName": volume}, "subPath": "a/b", "readOnly": true},
    ]})).await;
    both.out("echo changed > /rw/a/b/f").await;
    assert_eq!(both.out("cat /ro/f").await, "changed\n");
    let denied = both.run("echo no > /ro/f").await;
    assert!(denied.exit_code != 0 && support::text(&denied.stderr).contains("Read-only"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_directories_stay_below_the_allowlist() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("allow");
    for name in ["allow/t/sub", "allow2", "outside"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    std::fs::write(root.join("t/marker.txt"), "host\n").unwrap();
    symlink(folder.path().join("outside"), root.join("link")).unwrap();
    symlink(folder.path().join("nowhere"), root.join("dangling")).unwrap();
    let config = DockerConfig {
        allowed_host_paths: vec![root.clone()],
        ..DockerConfig::default()
    };
    let Some(bench) = Bench::with(config).await else {
        return;
    };
    let host = |path: &str, more: Value| {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            folder.path().join(path).display().to_string()
        };
        let mut volume = json!({"name": "h", "mountPath": "/mnt/host", "host": {"path": path}});
        volume
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"volumes": [volume]})
    };
    let sandbox = bench.create(host("allow/t", json!({}))).await;
    assert_eq!(
        sandbox
            .out("cat /mnt/host/marker.txt; echo new > /mnt/host/f")
            .await,
        "host\n"
    );
    assert_eq!(std::fs::read_to_string(root.join("t/f")).unwrap(), "new\n");
    let read_only = bench
        .create(host("allow/t", json!({"readOnly": true})))
        .await;
    assert_ne!(read_only.run("touch /mnt/host/x").await.exit_code, 0);
    for (path, more) in [
        ("/etc", json!({})),
        ("allow2", json!({})),
        ("allow/link", json!({})),
        ("allow/link/new", json!({})),
        ("allow", json!({"subPath": "link"})),
        ("allow/dangling", json!({})),
        ("allow/dangling/x", json!({})),
    ] {
        assert_eq!(
            bench.refused(host(path, more)).await.code,
            "VOLUME::HOST_PATH_NOT_ALLOWED",
            "{path}"
        );
    }
    assert!(!folder.path().join("outside/new").exists() && !folder.path().join("nowhere").exists());
    bench.create(host("allow/made/here", json!({}))).await;
    assert!(root.join("made/here").is_dir());
    let name = bench.name().await;
    let made = bench
        .target
        .create_host_dir(
            &bench.owner,
            &name,
            &Files::from([("a/f".into(), b"x".to_vec())]),
        )
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(format!("{made}/a/f")).unwrap(), "x");
    bench
        .target
        .remove(&bench.owner.run, &Resource::HostDir(name))
        .await
        .unwrap();
    assert!(!std::path::Path::new(&made).exists() && root.join("t/f").exists());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_what_they_were_asked_to_be() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let sandbox = bench
        .create(json!({"env": {"A": "b c", "B": "outer"}}))
        .await;
    let run = async |command: Command| sandbox.execd.run(&command).await;
    let base = |text: &str| Command {
        command: text.into(),
        ..Command::default()
    };
    let both = sandbox.run("echo out; echo err >&2; exit 7").await;
    assert_eq!(
        (
            both.stdout.as_slice(),
            both.stderr.as_slice(),
            both.exit_code
        ),
        (&b"out\n"[..], &b"err\n"[..], 7)
    );
    assert_eq!(sandbox.out("echo \"$A\"").await, "b c\n");
    let envs = BTreeMap::from([("B".into(), "inner".into()), ("C".into(), "x=y".into())]);
    let result = run(Command {
        envs,
        ..base("echo $B $C")
    })
    .await
    .unwrap();
    assert_eq!(result.stdout, b"inner x=y\n");
    assert_eq!(
        run(Command {
            cwd: Some("/tmp".into()),
            ..base("pwd")
        })
        .await
        .unwrap()
        .stdout,
        b"/tmp\n"
    );
    for cwd in ["/nope", "/etc/passwd"] {
        let error = run(Command {
            cwd: Some(cwd.into()),
            ..base("pwd")
        })
        .await
        .unwrap_err();
        assert!(
            error.to_string().starts_with("400 INVALID_REQUEST_BODY"),
            "{error}"
        );
    }
    let result = run(Command {
        uid: Some(65534),
        gid: Some(12),
        ..base("id -u; id -g")
    })
    .await
    .unwrap();
    assert_eq!(result.stdout, b"65534\n12\n");
    assert!(
        run(Command {
            gid: Some(1),
            ..base("id")
        })
        .await
        .is_err()
    );
    assert_eq!(sandbox.run("no-such-program").await.exit_code, 127);
    assert_eq!(sandbox.run("kill -9 $$").await.exit_code, 137);
    assert_eq!(sandbox.run("cat").await.stdout, b"");
    let binary = sandbox.run("printf '\\000\\377\\n\\200'").await;
    assert_eq!(binary.stdout, [0, 255, 10, 128]);
    let large = sandbox
        .run("head -c 200000000 /dev/zero; echo done >&2")
        .await;
    assert_eq!(
        (large.stdout.len(), large.truncated, large.stderr.as_slice()),
        (OUTPUT_LIMIT, true, &b"done\n"[..])
    );
    // A process in the background that holds the output is not waited for.
    let started = std::time::Instant::now();
    assert_eq!(sandbox.out("sleep 30 & echo back").await, "back\n");
    assert!(started.elapsed() < Duration::from_secs(10));
    // One that closed its output is.
    assert_eq!(
        sandbox
            .run("exec >&- 2>&-; sleep 1; exit 3")
            .await
            .exit_code,
        3
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_kills_the_whole_tree() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let sandbox = bench.create(json!({})).await;
    let timed = |text: &str, millis| Command {
        command: text.into(),
        timeout: Some(Duration::from_millis(millis)),
        ..Command::default()
    };
    let result = sandbox
        .execd
        .run(&timed("echo before; sh -c 'sleep 301 & wait' & wait", 1000))
        .await
        .unwrap();
    assert!(result.timed_out && result.exit_code == -1);
    assert_eq!(result.stdout, b"before\n");
    let left = sandbox.out("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").await;
    assert!(!left.contains("sleep 301"), "{left}");
    let quick = sandbox
        .execd
        .run(&timed("echo 12; exit 4", 10_000))
        .await
        .unwrap();
    assert_eq!(
        (quick.stdout.as_slice(), quick.exit_code, quick.timed_out),
        (&b"12\n"[..], 4, false)
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_keep_their_bytes() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let volume = bench.volume(&[("f", "x\n")]).await;
    let sandbox = bench.create(pvc(&volume, json!({"readOnly": true}))).await;
    let execd = &sandbox.execd;
    let data: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for path in ["/tmp/new folder/it's \"odd\"\nå", "/top"] {
        execd.write_file(path, &data, Some(600)).await.unwrap();
        assert!(execd.read_file(path).await.unwrap() == data);
        let info = execd.file_info(path).await.unwrap();
        assert_eq!(
            (info.size, info.mode, info.owner.as_str()),
            (300_000, 600, "root")
        );
        execd.write_file(path, b"", None).await.unwrap();
        assert_eq!(execd.read_file(path).await.unwrap(), b"");
    }
    sandbox
        .out("mkdir /tmp/d && cd /tmp/d && touch b c && mkdir a && touch a/deep && ln -s b link")
        .await;
    let names: Vec<_> = execd
        .list_directory("/tmp/d")
        .await
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert_eq!(names, ["/tmp/d/a", "/tmp/d/b", "/tmp/d/c", "/tmp/d/link"]);
    execd.delete_file("/tmp/d/b").await.unwrap();
    execd.delete_file("/tmp/d/b").await.unwrap();
    assert!(execd.delete_file("/tmp/d/a").await.is_err());
    assert_eq!(sandbox.out("ls /tmp/d").await, "a\nc\nlink\n");
    for (error, code) in [
        (
            execd.read_file("/nope").await.unwrap_err(),
            "404 FILE_NOT_FOUND",
        ),
        (
            execd.read_file("/tmp").await.unwrap_err(),
            "400 INVALID_FILE",
        ),
        (
            execd.file_info("/nope").await.unwrap_err(),
            "404 FILE_NOT_FOUND",
        ),
        (
            execd.list_directory("/nope").await.unwrap_err(),
            "404 FILE_NOT_FOUND",
        ),
        (
            execd.write_file("relative", b"", None).await.unwrap_err(),
            "400 INVALID_FILE",
        ),
        (
            execd.write_file("/tmp/x", b"", Some(9)).await.unwrap_err(),
            "400 INVALID_FILE",
        ),
    ] {
        assert!(error.to_string().starts_with(code), "{error}");
    }
    assert!(
        execd.write_file("/mnt/data/f", b"no", None).await.is_err(),
        "a read-only volume was written"
    );
    assert_eq!(bench.read(&volume, "f").await.as_deref(), Some("x\n"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lifecycle_follows_the_specification() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let target = &bench.target;
    let code = |error: TargetError| error.api().map(|e| (e.status, e.code.clone())).unwrap();
    let sandbox = bench.create(json!({"metadata": {"team": "a"}, "resourceLimits": {"memory": "128Mi", "cpu": "250m"}})).await;
    let info = target.get(&sandbox.id).await.unwrap();
    assert_eq!(info.status.state, SandboxState::Running);
    assert_eq!(
        info.expires_at.unwrap().duration_since(info.created_at),
        SignedDuration::from_secs(600)
    );
    assert_eq!(info.entrypoint, ["tail", "-f", "/dev/null"]);
    let limit = sandbox.out("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true").await;
    assert_eq!(limit.trim(), "134217728");
    sandbox
        .out("(while true; do echo x >> /tmp/count; sleep 0.02; done) >/dev/null 2>&1 &")
        .await;
    target.pause(&sandbox.id).await.unwrap();
    assert_eq!(
        target.get(&sandbox.id).await.unwrap().status.state,
        SandboxState::Paused
    );
    assert_eq!(code(target.pause(&sandbox.id).await.unwrap_err()).0, 409);
    let refused = sandbox
        .execd
        .run(&Command {
            command: "true".into(),
            ..Command::default()
        })
        .await
        .unwrap_err();
    assert!(refused.to_string().starts_with("409"), "{refused}");
    target.resume(&sandbox.id).await.unwrap();
    assert_eq!(code(target.resume(&sandbox.id).await.unwrap_err()).0, 409);
    sandbox.out("wc -l < /tmp/count").await;
    let at = |seconds| RenewRequest {
        expires_at: Timestamp::now() + SignedDuration::from_secs(seconds),
    };
    let renewed = target.renew(&sandbox.id, &at(1200)).await.unwrap();
    assert_eq!(
        target.get(&sandbox.id).await.unwrap().expires_at,
        Some(renewed.expires_at)
    );
    assert_eq!(
        code(target.renew(&sandbox.id, &at(900)).await.unwrap_err()),
        (400, "DOCKER::EXPIRATION_NOT_EXTENDED".into())
    );
    assert_eq!(
        code(target.renew(&sandbox.id, &at(-5)).await.unwrap_err()).0,
        400
    );
    let patch = BTreeMap::from([("team".into(), None), ("z".into(), Some("1".into()))]);
    let patched = target.patch_metadata(&sandbox.id, &patch).await.unwrap();
    assert_eq!(
        patched.metadata,
        Some(BTreeMap::from([("z".into(), "1".into())]))
    );
    let bad = BTreeMap::from([
        ("y".into(), Some("2".into())),
        ("opensandbox.io/x".into(), None),
    ]);
    assert_eq!(
        code(target.patch_metadata(&sandbox.id, &bad).await.unwrap_err()).0,
        400
    );
    let query = ListQuery {
        metadata: BTreeMap::from([("z".into(), "1".into())]),
        ..ListQuery::default()
    };
    assert_eq!(target.list(&query).await.unwrap().pagination.total_items, 1);
    let endless = bench.create(json!({"timeout": null})).await;
    assert_eq!(
        code(target.renew(&endless.id, &at(900)).await.unwrap_err()).0,
        409
    );
    target.pause(&endless.id).await.unwrap();
    target.delete(&endless.id).await.unwrap();
    for error in [
        target.delete(&endless.id).await.unwrap_err(),
        target.get(&endless.id).await.unwrap_err(),
        target.pause(&endless.id).await.unwrap_err(),
        target.renew(&endless.id, &at(900)).await.unwrap_err(),
    ] {
        assert_eq!(code(error), (404, "DOCKER::SANDBOX_NOT_FOUND".into()));
    }
    for (program, state) in [
        ("exit 0", SandboxState::Terminated),
        ("exit 3", SandboxState::Failed),
    ] {
        let ended = bench
            .create(json!({"entrypoint": ["sh", "-c", program]}))
            .await;
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        while target.get(&ended.id).await.unwrap().status.state != state {
            assert!(
                std::time::Instant::now() < patience,
                "{program} is not {state}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(code(target.pause(&ended.id).await.unwrap_err()).0, 409);
        target.delete(&ended.id).await.unwrap();
    }
    bench.end().await;
}

/// A minute of the sandbox's life passes at once: the engine is real, the clock of its timer is
/// not.
#[tokio::test]
async fn a_timeout_ends_the_sandbox_and_its_volume() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let (volume, other) = (bench.name().await, bench.name().await);
    let mut body = claim(&volume, json!({"deleteOnSandboxTermination": true}));
    body["timeout"] = json!(60);
    let sandbox = bench.create(body).await;
    let mut body = claim(&other, json!({}));
    body["timeout"] = json!(60);
    let renewed = bench.create(body).await;
    let later = RenewRequest {
        expires_at: Timestamp::now() + SignedDuration::from_secs(300),
    };
    bench.target.renew(&renewed.id, &later).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while bench.target.get(&sandbox.id).await.is_ok()
        || bench.target.volume_exists(&volume).await.unwrap()
    {
        assert!(std::time::Instant::now() < patience, "it did not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        bench.target.get(&renewed.id).await.unwrap().status.state,
        SandboxState::Running
    );
    assert_eq!(
        bench.remains().await.len(),
        2,
        "the renewed sandbox and its volume"
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_carries_the_runs_mark_is_removed() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let volume = bench.volume(&[]).await;
    let stranger = Owner::this_process();
    bench
        .target
        .remove(&stranger.run, &Resource::Volume(volume.clone()))
        .await
        .unwrap();
    assert!(bench.target.volume_exists(&volume).await.unwrap());
    let sandbox = bench.create(json!({})).await;
    let other = DockerTarget::connect(DockerConfig::default())
        .await
        .unwrap();
    for resource in bench.remains().await {
        other.remove(&stranger.run, &resource).await.unwrap();
        other
            .remove(&bench.owner.run, &Resource::Volume("no-such-volume".into()))
            .await
            .unwrap();
    }
    assert_eq!(
        bench.target.get(&sandbox.id).await.unwrap().status.state,
        SandboxState::Running
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_its_own_image_and_limits() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let request = CreateSandboxRequest {
        image: Some(ImageSpec {
            uri: "NOT/valid".into(),
            auth: None,
        }),
        entrypoint: Some(vec!["true".into()]),
        resource_limits: Some(ResourceLimits::default()),
        ..CreateSandboxRequest::default()
    };
    let handle = Handle {
        owner: bench.owner.clone(),
        name: bench.name().await,
    };
    let error = bench.target.create(&handle, &request).await.unwrap_err();
    assert!(
        (400..=500).contains(&error.api().unwrap().status),
        "{error}"
    );
    assert_eq!(bench.remains().await, []);
    bench.end().await;
}
