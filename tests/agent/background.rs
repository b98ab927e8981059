//! Commands in the background.

use std::time::{Duration, Instant};

use osb_conformance::execd::{Client, Command};

use crate::support::{
    SOON, api, in_folder, marker, on_both, refused, run, sh, until, until_sleeping,
};

/// Waits for the end of a command; its exit code.
async fn code(client: &Client, id: &str) -> Option<i32> {
    until("the end of a command", async || {
        let status = client.status(id).await.unwrap();
        (!status.running).then_some(status.exit_code)
    })
    .await
}

#[tokio::test]
async fn status_and_logs() {
    in_folder(async |client, folder| {
        // Goes on when it is told to.
        let go = folder.join("go");
        let line = format!("echo a; until [ -e '{go}' ]; do sleep 0.02; done; echo b >&2; exit 5");
        let begun = Instant::now();
        let id = client.start(&sh(&line)).await.unwrap();
        assert!(begun.elapsed() < SOON);
        let status = client.status(&id).await.unwrap();
        assert!(status.running);
        assert_eq!(
            (status.id.as_str(), status.content.as_str()),
            (id.as_str(), line.as_str())
        );
        assert_eq!((status.exit_code, status.finished_at), (None, None));

        let (first, cursor) = until("the first line", async || {
            let (logs, cursor) = client.logs(&id, None).await.unwrap();
            (!logs.is_empty()).then_some((logs, cursor))
        })
        .await;
        assert_eq!(first, "a\n");
        assert_eq!(
            client.logs(&id, Some(cursor)).await.unwrap(),
            ("".into(), cursor)
        );

        folder.write("go", "");
        assert_eq!(code(client, &id).await, Some(5));
        let status = client.status(&id).await.unwrap();
        assert_eq!(status.error.as_deref(), Some("exit status 5"));
        assert!(status.finished_at.unwrap() >= status.started_at);
        let (rest, end) = client.logs(&id, Some(cursor)).await.unwrap();
        assert_eq!(rest, "b\n");
        assert_eq!(client.logs(&id, Some(end)).await.unwrap(), ("".into(), end));
        assert_eq!(
            client.logs(&id, None).await.unwrap(),
            ("a\nb\n".into(), end)
        );
    })
    .await;
}

#[tokio::test]
async fn it_can_be_interrupted() {
    on_both(async |client| {
        let marker = marker();
        let id = client.start(&sh(format!("sleep {marker}"))).await.unwrap();
        until_sleeping(&marker, 1).await;
        client.interrupt(&id).await.unwrap();
        assert_eq!(code(client, &id).await, Some(-1));
        until_sleeping(&marker, 0).await;
        // Once it has ended there is nothing to interrupt.
        assert_eq!(
            refused(client.interrupt(&id).await),
            api(500, "RUNTIME_ERROR")
        );

        // One that does not listen is killed after a while.
        let deaf = format!("trap '' TERM; sleep {marker}; exit 0");
        let id = client.start(&sh(deaf)).await.unwrap();
        until_sleeping(&marker, 1).await;
        client.interrupt(&id).await.unwrap();
        assert_eq!(code(client, &id).await, Some(-1));
        until_sleeping(&marker, 0).await;
    })
    .await;
}

#[tokio::test]
async fn it_has_a_timeout() {
    on_both(async |client| {
        let marker = marker();
        let command = Command {
            timeout: Some(Duration::from_millis(300)),
            ..sh(format!("sleep {marker}"))
        };
        let id = client.start(&command).await.unwrap();
        assert_eq!(code(client, &id).await, Some(-1));
        until_sleeping(&marker, 0).await;
    })
    .await;
}

#[tokio::test]
async fn ids_must_be_known() {
    on_both(async |client| {
        for id in ["nope", "a/b", "å b", "?", "%2F"] {
            assert_eq!(refused(client.status(id).await).0, 404, "{id}");
            assert_eq!(refused(client.logs(id, None).await).0, 404, "{id}");
            assert_eq!(
                refused(client.interrupt(id).await),
                api(500, "RUNTIME_ERROR")
            );
        }
        // The output of one in the foreground is in its events.
        let mut stream = client.stream(&sh("echo a")).await.unwrap();
        let id = stream.next().await.unwrap().unwrap().text.unwrap();
        while stream.next().await.unwrap().is_some() {}
        assert_eq!(refused(client.logs(&id, None).await).0, 400);
        assert_eq!(client.status(&id).await.unwrap().exit_code, Some(0));
        assert!(run(client, &sh("true")).await.is_ok());
    })
    .await;
}
