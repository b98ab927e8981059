//! `/proxy/{port}/…`, by which an execd is reached where its sandbox has one port to the outside.

use std::collections::BTreeMap;

use osb_conformance::execd::Client;

use crate::support::{Agent, Folder, api, refused, run, sh};

/// A client of what `agent` forwards to `port`.
fn proxied(agent: &Agent, port: &str) -> Client {
    let base = format!("http://{}/proxy/{port}", agent.address());
    Client::at(&base, &BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn its_own_port_is_itself() {
    let agent = Agent::listening().await;
    let (_, port) = agent.address().rsplit_once(':').unwrap();
    let client = proxied(&agent, port);
    client.ping().await.unwrap();
    let result = run(&client, &sh("echo hello; exit 3")).await.unwrap();
    assert_eq!(result.stdout, b"hello\n");
    assert_eq!(result.exit_code, 3);
    // Parameters in the path and in the query.
    let folder = Folder::new();
    let path = folder.write("a file", "content");
    assert_eq!(client.download(&path).await.unwrap(), "content");
    let missing = refused(client.status("no-such-command").await);
    let session = refused(client.delete_session("no-such-session").await);
    let direct = refused(agent.client.status("no-such-command").await);
    assert_eq!(missing, direct);
    assert_eq!(session, api(404, "CONTEXT_NOT_FOUND"));
    agent.end().await;
}

#[tokio::test]
async fn no_other_port_is_forwarded_to() {
    let agent = Agent::listening().await;
    for port in ["1", "08080", "http", "-1", ""] {
        let refusal = refused(proxied(&agent, port).ping().await);
        assert_eq!(refusal, api(502, "BACKEND_CONNECTION_FAILED"), "{port:?}");
    }
    agent.end().await;
}
