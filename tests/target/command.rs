//! Commands and files.

use crate::bench::{Bench, pvc, shell};
use osb_conformance::execd::{Command, OUTPUT_LIMIT};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

on_every_target! {
    commands_are_what_they_were_asked_to_be,
    a_hundred_megabytes_are_read_and_cut,
    users_and_groups_are_those_asked_for,
    a_timeout_kills_the_whole_tree,
    many_commands_at_once_keep_to_themselves,
    what_a_command_leaves_behind_lives_on,
    files_keep_their_bytes,
}

async fn commands_are_what_they_were_asked_to_be(bench: Bench) {
    let sandbox = bench
        .create(json!({"env": {"A": "b c", "B": "outer"}}))
        .await;
    let run = async |command: Command| sandbox.execd.run(&command).await;
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
        ..shell("echo $B $C")
    })
    .await
    .unwrap();
    assert_eq!(result.stdout, b"inner x=y\n");
    assert_eq!(
        run(Command {
            cwd: Some("/tmp".into()),
            ..shell("pwd")
        })
        .await
        .unwrap()
        .stdout,
        b"/tmp\n"
    );
    for cwd in ["/nope", "/etc/passwd"] {
        let error = run(Command {
            cwd: Some(cwd.into()),
            ..shell("pwd")
        })
        .await
        .unwrap_err();
        assert!(
            error.to_string().starts_with("400 INVALID_REQUEST_BODY"),
            "{error}"
        );
    }
    assert_eq!(sandbox.run("no-such-program").await.exit_code, 127);
    assert_eq!(sandbox.run("kill -9 $$").await.exit_code, -1);
    assert_eq!(sandbox.run("cat").await.stdout, b"");
    let binary = sandbox.run("printf '\\000\\377\\n\\200'").await;
    assert_eq!(binary.stdout, [0, 255, 10, 128]);
    // A process in the background that holds the output is not waited for.
    let started = Instant::now();
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
}

async fn a_hundred_megabytes_are_read_and_cut(bench: Bench) {
    let limits = json!({"resourceLimits": {"cpu": "2", "memory": "256Mi"}});
    let sandbox = bench.create(limits).await;
    let large = sandbox
        .run("head -c 100000000 /dev/zero; echo done >&2")
        .await;
    assert_eq!(
        (large.stdout.len(), large.truncated, large.stderr.as_slice()),
        (OUTPUT_LIMIT, true, &b"done\n"[..])
    );
}

async fn users_and_groups_are_those_asked_for(bench: Bench) {
    let sandbox = bench.create(json!({})).await;
    let by = async |uid, gid| {
        let command = Command {
            uid,
            gid,
            ..shell("id -u; id -g; touch /tmp/by-$(id -u)")
        };
        sandbox.try_run(command).await
    };
    let shown = by(Some(0), Some(0)).await.unwrap();
    assert_eq!(shown.stdout, b"0\n0\n");
    let shown = by(Some(65534), Some(12)).await;
    if bench.has_one_user() {
        // Nobody else can be: said, and not run as root instead.
        let error = shown.unwrap_err().to_string();
        let expected = "400 INVALID_REQUEST_BODY: there is no uid 65534 in this sandbox";
        assert_eq!(error, expected);
    } else {
        let shown = shown.unwrap();
        assert_eq!(shown.stdout, b"65534\n12\n");
        assert_eq!(
            sandbox.out("stat -c %u:%g /tmp/by-65534").await,
            "65534:12\n"
        );
    }
    let error = by(None, Some(1)).await.unwrap_err().to_string();
    assert!(error.starts_with("400 INVALID_REQUEST_BODY"), "{error}");
}

async fn a_timeout_kills_the_whole_tree(bench: Bench) {
    let sandbox = bench.create(json!({})).await;
    let timed = |text: &str, millis| Command {
        timeout: Some(Duration::from_millis(millis)),
        ..shell(text)
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
    // Also what left the group and the session, but not its parent.
    let tree = "setsid sh -c 'sleep 302 & setsid sleep 303 & wait' & echo begun; wait";
    let result = sandbox.try_run(timed(tree, 500)).await.unwrap();
    assert!(result.timed_out && result.exit_code == -1);
    assert_eq!(result.stdout, b"begun\n");
    let left = sandbox.out("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").await;
    assert!(!left.contains("sleep 30"), "{left}");
    let quick = sandbox
        .execd
        .run(&timed("echo 12; exit 4", 10_000))
        .await
        .unwrap();
    assert_eq!(
        (quick.stdout.as_slice(), quick.exit_code, quick.timed_out),
        (&b"12\n"[..], 4, false)
    );
}

async fn many_commands_at_once_keep_to_themselves(bench: Bench) {
    let sandbox = bench.create(json!({})).await;
    let commands = (0..50_i64).map(|number| {
        let execd = sandbox.execd.clone();
        tokio::spawn(async move {
            let text = format!("echo out {number}; echo err {number} >&2; exit {number}");
            (number, execd.run(&shell(&text)).await.unwrap())
        })
    });
    // Started before the first is waited for.
    let commands: Vec<_> = commands.collect();
    for command in commands {
        let (number, result) = command.await.unwrap();
        let out = crate::support::text(&result.stdout);
        let err = crate::support::text(&result.stderr);
        let expected = (format!("out {number}\n"), format!("err {number}\n"), number);
        assert_eq!((out, err, result.exit_code), expected);
    }
}

async fn what_a_command_leaves_behind_lives_on(bench: Bench) {
    let sandbox = bench.create(json!({})).await;
    let started = Instant::now();
    // Forks twice, leaves the session, and keeps every stream open.
    let daemon = "(setsid sh -c 'echo $$ > /tmp/pid; while :; do echo tick >> /tmp/ticks; \
                  sleep 0.02; done' &) ; echo started";
    assert_eq!(sandbox.out(daemon).await, "started\n");
    assert!(started.elapsed() < Duration::from_secs(5));
    let waiting = "until [ -s /tmp/ticks ]; do sleep 0.02; done; kill -0 $(cat /tmp/pid)";
    sandbox.out(waiting).await;
    let count =
        "n=$(wc -l < /tmp/ticks); until [ $(wc -l < /tmp/ticks) -gt $n ]; do sleep 0.02; done";
    sandbox.out(count).await;
    // Its parent is the first process, which does not leave it a zombie.
    sandbox.out("kill -9 $(cat /tmp/pid)").await;
    let gone = "while [ -e /proc/$(cat /tmp/pid) ]; do sleep 0.02; done";
    sandbox.out(gone).await;
}

async fn files_keep_their_bytes(bench: Bench) {
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
}
