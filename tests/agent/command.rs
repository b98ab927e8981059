//! Commands in the foreground.

use std::time::{Duration, Instant};

use osb_conformance::execd::protocol::CHUNKS;
use osb_conformance::execd::{Client, Command, OUTPUT_LIMIT};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::support::{
    Agent, SOON, api, in_folder, marker, on_both, program, refused, run, sh, until, until_sleeping,
};

#[tokio::test]
async fn it_answers() {
    on_both(async |client| client.ping().await.unwrap()).await;
}

/// execd's own setting.
#[tokio::test]
async fn a_stream_stays_open_after_its_last_event_where_that_is_asked_for() {
    for (grace, is_kept_open) in [("60s", true), ("0s", false)] {
        let mut command = tokio::process::Command::new(program());
        command.env("EXECD_API_GRACE_SHUTDOWN", grace);
        let agent = Agent::start(command).await.unwrap();
        let mut stream = agent.client.stream(&sh("echo a")).await.unwrap();
        while let Some(event) = stream.next().await.unwrap() {
            if event.kind == "execution_complete" {
                break;
            }
        }
        let next = tokio::time::timeout(Duration::from_millis(500), stream.next()).await;
        assert_eq!(next.is_err(), is_kept_open, "{grace}");
        // Who ends at the last event does not wait.
        let result = run(&agent.client, &sh("exit 3")).await.unwrap();
        assert_eq!(result.exit_code, 3);
        agent.end().await;
    }
}

#[tokio::test]
async fn over_a_unix_socket() {
    let agent = Agent::listening().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("execd.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let address = agent.address().to_owned();
    let relay = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&address).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let connect = {
        let socket = socket.clone();
        move || UnixStream::connect(socket.clone())
    };
    // A connection for each request, and one for all of them.
    let each = Client::with("http://execd", &Default::default(), connect).unwrap();
    let all = Client::over(UnixStream::connect(&socket).await.unwrap());
    for client in [each, all.await.unwrap()] {
        let (one, other) = (sh("echo one"), sh("echo other"));
        let (one, other) = tokio::join!(run(&client, &one), run(&client, &other));
        assert_eq!(one.unwrap().stdout, b"one\n");
        assert_eq!(other.unwrap().stdout, b"other\n");
    }
    relay.abort();
    agent.end().await;
}

#[tokio::test]
async fn output_and_exit_codes() {
    on_both(async |client| {
        let result = run(client, &sh("echo out; echo err >&2")).await.unwrap();
        assert_eq!(result.stdout, b"out\n");
        assert_eq!(result.stderr, b"err\n");
        assert_eq!((result.exit_code, result.timed_out), (0, false));
        assert!(!result.truncated);

        let result = run(client, &sh("printf 'no end'; exit 7")).await.unwrap();
        assert_eq!(
            (result.stdout.as_slice(), result.exit_code),
            (&b"no end"[..], 7)
        );

        let result = run(client, &sh("kill -9 $$")).await.unwrap();
        assert_eq!((result.exit_code, result.timed_out), (-1, false));

        let result = run(client, &sh("osb-no-such-program")).await.unwrap();
        assert_eq!(result.exit_code, 127);
        let errors = String::from_utf8(result.stderr).unwrap();
        assert!(errors.contains("osb-no-such-program"), "{errors}");

        // Nothing can be read from the standard input.
        assert_eq!(run(client, &sh("cat")).await.unwrap().exit_code, 0);
    })
    .await;
}

#[tokio::test]
async fn bytes_come_as_they_are() {
    in_folder(async |client, folder| {
        let all: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let path = folder.write("all", &all);
        let result = run(client, &sh(format!("cat '{path}'"))).await.unwrap();
        assert!(result.stdout == all, "{} bytes", result.stdout.len());
        let text = "åäö✓\r\n\n\u{1f642}";
        let path = folder.write("text", text);
        let result = run(client, &sh(format!("cat '{path}'"))).await.unwrap();
        assert_eq!(String::from_utf8(result.stdout).unwrap(), text);
    })
    .await;
}

#[tokio::test]
async fn lines_for_whoever_wants_them() {
    let agent = Agent::listening().await;
    let body = r#"{"command": "printf 'a\\n\\nb'"}"#;
    let mut stream = TcpStream::connect(agent.address()).await.unwrap();
    let request = format!(
        "POST /command HTTP/1.1\r\nhost: execd\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    for text in ["a", r"\n", "b"] {
        let event = format!(r#"{{"type":"stdout","text":"{text}","#);
        assert!(answer.contains(&event), "{answer}");
    }
    assert!(!answer.contains(CHUNKS), "{answer}");
    agent.end().await;
}

#[tokio::test]
async fn a_signal_without_a_name_is_an_end_too() {
    on_both(async |client| {
        let result = run(client, &sh("kill -40 $$")).await.unwrap();
        assert_eq!((result.exit_code, result.timed_out), (-1, false));
    })
    .await;
}

#[tokio::test]
async fn directory_and_environment() {
    in_folder(async |client, folder| {
        let command = Command {
            cwd: Some(folder.path().into()),
            envs: [("OSB_A".into(), "å b\nc".into())].into(),
            ..sh("pwd -P; printf '%s' \"$OSB_A\"")
        };
        let result = run(client, &command).await.unwrap();
        let real = std::fs::canonicalize(folder.path()).unwrap();
        let expected = format!("{}\nå b\nc", real.display());
        assert_eq!(String::from_utf8(result.stdout).unwrap(), expected);
        // And of that command only.
        let result = run(client, &sh("echo \"<$OSB_A>\"")).await.unwrap();
        assert_eq!(result.stdout, b"<>\n");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    on_both(async |client| {
        let bad = api(400, "INVALID_REQUEST_BODY");
        let nowhere = Command {
            cwd: Some("/osb-nowhere".into()),
            ..sh("pwd")
        };
        assert_eq!(refused(run(client, &nowhere).await), bad);
        assert_eq!(refused(run(client, &sh("")).await), bad);
        let group = Command {
            gid: Some(1),
            ..sh("id")
        };
        assert_eq!(refused(run(client, &group).await), bad);
        assert_eq!(refused(client.start(&nowhere).await), bad);
    })
    .await;
}

#[tokio::test]
async fn a_timeout_kills_the_whole_tree() {
    on_both(async |client| {
        let (begun, marker) = (Instant::now(), marker());
        let command = Command {
            timeout: Some(Duration::from_millis(500)),
            ..sh(format!("trap '' TERM; sh -c 'sleep {marker}; :' & wait"))
        };
        let result = run(client, &command).await.unwrap();
        assert_eq!((result.exit_code, result.timed_out), (-1, true));
        assert!(begun.elapsed() >= Duration::from_millis(500));
        until_sleeping(&marker, 0).await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_cut_and_does_not_hold_up_others() {
    on_both(async |client| {
        let other = client.clone();
        let flood = tokio::spawn(async move {
            let flood = sh("tr '\\0' x </dev/zero | head -c 100000000; echo end >&2; exit 4");
            other.run(&flood).await.unwrap()
        });
        let begun = Instant::now();
        for _ in 0..3 {
            run(client, &sh("true")).await.unwrap();
        }
        assert!(begun.elapsed() < SOON);
        let result = flood.await.unwrap();
        assert!(result.stdout == [b'x'; 1].repeat(OUTPUT_LIMIT));
        assert_eq!(result.stderr, b"end\n");
        assert!(result.truncated);
        assert_eq!(result.exit_code, 4);
    })
    .await;
}

#[tokio::test]
async fn streams_that_nobody_reads_hold_up_nobody() {
    on_both(async |client| {
        let mut unread = Vec::new();
        for _ in 0..12 {
            unread.push(client.stream(&sh("cat /dev/zero")).await.unwrap());
        }
        // Time to fill every buffer on the way.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let result = run(client, &sh("echo through")).await.unwrap();
        assert_eq!(result.stdout, b"through\n");
    })
    .await;
}

#[tokio::test]
async fn it_ends_when_the_command_does() {
    on_both(async |client| {
        // Not when its output is closed.
        let begun = Instant::now();
        let result = run(client, &sh("exec >&- 2>&-; sleep 1; exit 3")).await;
        assert_eq!(result.unwrap().exit_code, 3);
        assert!(begun.elapsed() >= Duration::from_secs(1));

        // And not when a daemon that has its output ends.
        let marker = marker();
        let daemon = sh(format!("(sleep {marker} & echo $!)"));
        let result = run(client, &daemon).await.unwrap();
        assert_eq!(result.exit_code, 0);
        until_sleeping(&marker, 1).await;
        let id = String::from_utf8(result.stdout).unwrap();
        let kill = sh(format!("kill {}", id.trim()));
        assert_eq!(run(client, &kill).await.unwrap().exit_code, 0);
        until_sleeping(&marker, 0).await;
    })
    .await;
}

#[tokio::test]
async fn fifty_at_once() {
    on_both(async |client| {
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for number in 0..50 {
            let client = client.clone();
            running.spawn(async move {
                let command = sh(format!("sleep 1; echo {number}; exit {number}"));
                (number, run(&client, &command).await.unwrap())
            });
        }
        while let Some(ended) = running.join_next().await {
            let (number, result) = ended.unwrap();
            assert_eq!(result.exit_code, number);
            assert_eq!(result.stdout, format!("{number}\n").as_bytes());
        }
        assert!(begun.elapsed() < SOON);
    })
    .await;
}

#[tokio::test]
async fn events_come_as_they_happen() {
    on_both(async |client| {
        let mut stream = client.stream(&sh("echo a; sleep 1234")).await.unwrap();
        let init = stream.next().await.unwrap().unwrap();
        assert_eq!(init.kind, "init");
        let id = init.text.unwrap();
        let mut told = stream.next().await.unwrap().unwrap();
        while told.kind == "ping" {
            told = stream.next().await.unwrap().unwrap();
        }
        assert_eq!(
            (told.kind.as_str(), told.text.as_deref()),
            ("stdout", Some("a\n"))
        );
        assert!(client.status(&id).await.unwrap().running);

        client.interrupt(&id).await.unwrap();
        let mut last = None;
        while let Some(event) = stream.next().await.unwrap() {
            last = Some(event);
        }
        let last = last.unwrap();
        assert_eq!(last.kind, "error");
        assert_eq!(last.error.unwrap().evalue, "-1");
        let status = client.status(&id).await.unwrap();
        assert_eq!((status.running, status.exit_code), (false, Some(-1)));
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_its_command() {
    on_both(async |client| {
        let marker = marker();
        let command = sh(format!("sleep {marker}; :"));
        let mut stream = client.stream(&command).await.unwrap();
        let id = stream.next().await.unwrap().unwrap().text.unwrap();
        until_sleeping(&marker, 1).await;
        drop(stream);
        until_sleeping(&marker, 0).await;
        until("its end", async || {
            (!client.status(&id).await.unwrap().running).then_some(())
        })
        .await;
        // So does a run.
        let begun = tokio::time::timeout(Duration::from_secs(1), client.run(&command));
        assert!(begun.await.is_err());
        until_sleeping(&marker, 0).await;
    })
    .await;
}
