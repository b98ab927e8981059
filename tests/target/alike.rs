//! The same asked of both targets: the answers are compared, to the byte.

use crate::bench::{Bench, TestBox, claim, on, pvc, shell};
use osb_conformance::execd::Command;
use serde_json::{Value, json};
use std::time::Duration;

/// Both benches, where both targets can run here.
async fn both<T>(test: impl FnOnce(Bench, Bench) -> T + Send + 'static)
where
    T: Future<Output = ()> + Send + 'static,
{
    let Some(docker) = Bench::docker().await else {
        return;
    };
    let inner = docker.clone();
    on(Some(docker), |_| async move {
        on(Bench::local().await, |local| test(inner, local)).await
    })
    .await;
}

fn commands() -> Vec<Command> {
    let lines = [
        "echo out; echo err >&2; exit 7",
        "no-such-program",
        "/no/such/program",
        "/etc/hostname",
        "kill -9 $$",
        "kill -TERM $$",
        "sh -c 'kill -9 $$'; echo $?",
        "exit 300",
        "printf '\\000\\377\\n\\200'; printf '\\001\\376' >&2",
        "head -c 3000000 /dev/zero | tr '\\0' a; echo done >&2; exit 5",
        "exec >&- 2>&-; sleep 0.3; exit 3",
        "(setsid sleep 5 &); echo back",
        "cat; echo $?",
        "syntax error (",
        "id -u; id -g; pwd; umask; ulimit -u; ulimit -c",
        "echo \"$HOME $A\"; cd /no/such/folder",
        "cat /etc/shadow /root/.profile; ls -A /root",
        "cat /proc/sys/kernel/osrelease /proc/sys/user/nothing",
        "mkdir -p /tmp/a/b && touch /tmp/a/b/c /new && ls -l /new | cut -c1-10; rm -r /tmp/a; ls /tmp",
        "echo x > /proc/sysrq-trigger; echo $?",
        "echo 1 > /proc/sys/kernel/panic; echo $?",
        "mount -t tmpfs none /mnt; echo $?",
        "grep ^Cap /proc/self/status",
        "tail -n +3 /proc/net/dev | cut -d: -f1",
        "trap 'echo caught; exit 4' TERM; kill -TERM $$; sleep 5",
    ];
    let mut commands: Vec<_> = lines.map(shell).into();
    let timeout = Some(Duration::from_millis(400));
    for line in [
        "echo before; sleep 300",
        "setsid sleep 301 & trap '' TERM; wait; wait",
    ] {
        commands.push(Command {
            timeout,
            ..shell(line)
        });
    }
    for cwd in ["/tmp", "/nope", "/etc/passwd", "relative", ""] {
        commands.push(Command {
            cwd: Some(cwd.into()),
            ..shell("pwd")
        });
    }
    for (uid, gid) in [(Some(0), Some(0)), (None, Some(1))] {
        commands.push(Command {
            uid,
            gid,
            ..shell("id -u; id -g")
        });
    }
    commands.push(shell(""));
    commands.push(shell("nul \0 in it"));
    commands
}

/// What a command comes to, in words.
async fn told(sandbox: &TestBox, command: Command) -> String {
    match sandbox.try_run(command).await {
        Ok(result) => format!(
            "{} {} {} bytes {:?} {:?}",
            result.exit_code,
            if result.timed_out { "late" } else { "in time" },
            result.stdout.len(),
            crate::support::text(&result.stdout[..result.stdout.len().min(2000)]),
            crate::support::text(&result.stderr),
        ),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_end_alike() {
    both(|docker, local| async move {
        let body = json!({"env": {"A": "b", "HOME": "/root"}});
        let (theirs, ours) = (docker.create(body.clone()).await, local.create(body).await);
        for command in commands() {
            let line = command.command.clone();
            let expected = told(&theirs, command.clone()).await;
            assert_eq!(told(&ours, command).await, expected, "{line}");
        }
    })
    .await;
}

fn requests(volume: &str, new: &str) -> Vec<Value> {
    let with = |key: &str, value: Value| {
        let mut body = claim(new, json!({}));
        body[key] = value;
        body
    };
    let at = |path: &str| pvc(volume, json!({"mountPath": path}));
    let sub = |path: &str| pvc(volume, json!({"subPath": path}));
    vec![
        with("entrypoint", json!(["/no/such/program"])),
        with("entrypoint", json!(["no-such-program", "a"])),
        with("entrypoint", json!(["/etc"])),
        with("entrypoint", json!([])),
        with("timeout", json!(59)),
        with("networkPolicy", json!({})),
        with("secureAccess", json!(true)),
        with("metadata", json!({"opensandbox.io/a": "b"})),
        with("metadata", json!({"a": "b c"})),
        with("resourceLimits", json!({"gpu": "1"})),
        with("resourceLimits", json!({"memory": "much"})),
        with("extensions", json!({"poolRef": "p"})),
        claim(new, json!({"createIfNotExists": false})),
        claim("Not A Name", json!({})),
        at("/"),
        at("relative"),
        at("/mnt/../etc"),
        sub("../x"),
        sub("/etc"),
        sub("f"),
        sub("f/x"),
        sub("up"),
        sub("root/x"),
        sub("loop"),
        json!({"volumes": [{"name": "h", "mountPath": "/h", "host": {"path": "/etc"}}]}),
        json!({"volumes": [{"name": "h", "mountPath": "/h", "host": {"path": "/no/such/folder"}}]}),
        json!({"volumes": [{"name": "h", "mountPath": "/h"}]}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_alike() {
    both(|docker, local| async move {
        let mut told = Vec::new();
        for bench in [&docker, &local] {
            let volume = bench.volume(&[("f", "x")]).await;
            let maker = bench.create(pvc(&volume, json!({}))).await;
            let links = "cd /mnt/data && ln -s ../../.. up && ln -s / root && ln -s loop loop";
            maker.out(links).await;
            let new = bench.name();
            let mut answers = Vec::new();
            for body in requests(&volume, &new) {
                let shown = body.to_string();
                let error = match bench.request(body).await {
                    Err(error) => error.to_string(),
                    Ok(_) => "accepted".into(),
                };
                let alike = |text: &str| text.replace(&volume, "VOLUME").replace(&new, "NEW");
                answers.push((alike(&shown).replace("\"host\"}", "IMAGE}"), alike(&error)));
            }
            assert_eq!(
                bench.remains().await.len(),
                2,
                "{:?}",
                bench.remains().await
            );
            told.push(answers);
        }
        for (theirs, ours) in told[0].iter().zip(&told[1]) {
            assert_eq!(ours, theirs);
        }
        assert!(
            told[0].iter().all(|(_, answer)| answer != "accepted"),
            "{told:#?}"
        );
    })
    .await;
}

/// Where a volume can be mounted: the same places, and none of them on the host.
#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_mounted_at_the_same_places() {
    both(|docker, local| async move {
        let places = [
            ("/mnt/data", true),
            ("/new/deep/place", true),
            ("/var/run", true),
            ("/tmp", true),
            ("/etc", true),
            ("/root/x", true),
            ("/sys/fs", true),
            ("/proc", false),
            ("/proc/sys", false),
            ("/proc/new", false),
            ("/etc/passwd", false),
            ("/bin/sh", false),
            ("/dev", false),
            ("/usr", false),
        ];
        for bench in [&docker, &local] {
            let volume = bench.volume(&[("f", "x\n")]).await;
            for (place, is_possible) in places {
                let body = pvc(&volume, json!({"mountPath": place}));
                match bench.try_create(body).await {
                    Ok(sandbox) => {
                        assert!(is_possible, "{place} on {}", bench.target.info().name);
                        assert_eq!(sandbox.out(&format!("cat {place}/f")).await, "x\n");
                        bench.target.delete(&sandbox.id).await.unwrap();
                    }
                    Err(error) => {
                        let code = (error.status, error.code.as_str());
                        assert_eq!(
                            code,
                            (500, "DOCKER::SANDBOX_START_FAILED"),
                            "{place}: {error}"
                        );
                        assert!(!is_possible, "{place}: {error}");
                    }
                }
            }
        }
    })
    .await;
}
