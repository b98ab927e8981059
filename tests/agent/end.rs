//! How an agent ends, and that nothing outlives it.

use osb_conformance::execd::NotReady;
use osb_conformance::execd::enclosure::Greeting;
use tokio::time::timeout;

use crate::support::{Agent, SOON, attach, marker, sh, until_sleeping};

#[tokio::test]
async fn nothing_outlives_its_input() {
    let (mut child, client) = attach(&["tail", "-f", "/dev/null"]).await;
    let client = client.unwrap();
    let marker = marker();
    let lines = [
        format!("sleep {marker}"),
        // Does not listen.
        format!("trap '' TERM HUP INT; sleep {marker}; sleep {marker}"),
        // Left its group.
        format!("setsid sleep {marker} & wait"),
        format!("setsid sh -c 'trap \"\" TERM; sleep {marker}; sleep {marker}' & wait"),
    ];
    for line in &lines {
        client.start(&sh(line)).await.unwrap();
    }
    let mut stream = client
        .stream(&sh(format!("sleep {marker}; :")))
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    until_sleeping(&marker, lines.len() + 1).await;
    drop((stream, client));
    let ended = timeout(SOON, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
    until_sleeping(&marker, 0).await;
}

#[tokio::test]
async fn nothing_outlives_its_entrypoint() {
    let (mut child, client) = attach(&["sh", "-c", "sleep 1; exit 7"]).await;
    let client = client.unwrap();
    let marker = marker();
    let mut stream = client
        .stream(&sh(format!("sleep {marker}; :")))
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    let ended = timeout(SOON, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(7));
    until_sleeping(&marker, 0).await;
    // What was in flight fails, and what comes later.
    while let Ok(event) = stream.next().await {
        assert!(event.is_some_and(|event| event.kind != "execution_complete"));
    }
    client.ping().await.unwrap_err();
}

#[tokio::test]
async fn an_entrypoint_that_is_not_there_is_told() {
    let (mut child, client) = attach(&["/osb/no-such-program"]).await;
    match client.unwrap_err() {
        NotReady::Refused(Greeting::NotStarted(why)) => {
            assert!(why.contains("/osb/no-such-program"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    let ended = timeout(SOON, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(127));
}

#[tokio::test]
async fn it_waits_for_the_last_clone() {
    let Agent {
        client, mut child, ..
    } = Agent::attached().await;
    let clone = client.clone();
    drop(client);
    clone.ping().await.unwrap();
    assert!(child.try_wait().unwrap().is_none());
    drop(clone);
    timeout(SOON, child.wait()).await.unwrap().unwrap();
}
