//! Commands and files.

use crate::bench::{Bench, pvc};
use osb_conformance::execd::{Command, OUTPUT_LIMIT};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

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
