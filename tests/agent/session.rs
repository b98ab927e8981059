//! Sessions.

use osb_conformance::execd::protocol::RunInSessionRequest;
use osb_conformance::execd::{Client, CommandResult, ExecdError};
use tokio::time::timeout;

use crate::support::{SOON, api, in_folder, marker, on_both, refused, until_sleeping};

fn line(command: &str) -> RunInSessionRequest {
    RunInSessionRequest {
        command: command.into(),
        ..RunInSessionRequest::default()
    }
}

async fn run(
    client: &Client,
    id: &str,
    request: &RunInSessionRequest,
) -> Result<CommandResult, ExecdError> {
    let run = timeout(SOON, client.run_in_session(id, request)).await;
    run.unwrap_or_else(|_| panic!("{request:?} does not end"))
}

async fn stdout(client: &Client, id: &str, command: &str) -> String {
    let result = run(client, id, &line(command)).await.unwrap();
    assert_eq!(result.exit_code, 0, "{command}: {result:?}");
    String::from_utf8(result.stdout).unwrap()
}

#[tokio::test]
async fn environment_and_directory_persist() {
    in_folder(async |client, folder| {
        let id = client.create_session(Some("/")).await.unwrap();
        assert_eq!(stdout(client, &id, "pwd").await, "/\n");
        stdout(client, &id, "export OSB_A='å b'; cd /usr").await;
        assert_eq!(
            stdout(client, &id, "echo \"$OSB_A\"; pwd").await,
            "å b\n/usr\n"
        );

        let result = run(client, &id, &line("export OSB_B=b; echo err >&2; exit 3")).await;
        let result = result.unwrap();
        assert_eq!(
            (result.exit_code, result.stderr.as_slice()),
            (3, &b"err\n"[..])
        );
        assert_eq!(stdout(client, &id, "echo $OSB_B").await, "b\n");

        let elsewhere = RunInSessionRequest {
            cwd: Some("/dev".into()),
            ..line("pwd")
        };
        assert_eq!(
            run(client, &id, &elsewhere).await.unwrap().stdout,
            b"/dev\n"
        );

        // Another session has none of it; its directory is made.
        let path = folder.join("new/one");
        let other = client.create_session(Some(&path)).await.unwrap();
        assert_eq!(
            stdout(client, &other, "echo \"<$OSB_A>\"; pwd").await,
            format!("<>\n{path}\n")
        );
        client.delete_session(&id).await.unwrap();
        client.delete_session(&other).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_timeout_ends_a_run_but_not_its_session() {
    on_both(async |client| {
        let (id, marker) = (client.create_session(None).await.unwrap(), marker());
        stdout(client, &id, "export OSB_A=a").await;
        let late = RunInSessionRequest {
            timeout: Some(500),
            ..line(&format!("sleep {marker}; :"))
        };
        let result = run(client, &id, &late).await.unwrap();
        assert_eq!((result.exit_code, result.timed_out), (-1, true));
        until_sleeping(&marker, 0).await;
        assert_eq!(stdout(client, &id, "echo $OSB_A").await, "a\n");
    })
    .await;
}

#[tokio::test]
async fn deletion_ends_what_runs() {
    on_both(async |client| {
        let (id, marker) = (client.create_session(None).await.unwrap(), marker());
        let request = line(&format!("sleep {marker}; :"));
        let (ended, ()) = tokio::join!(run(client, &id, &request), async {
            until_sleeping(&marker, 1).await;
            client.delete_session(&id).await.unwrap();
        });
        assert_eq!(ended.unwrap().exit_code, -1);
        until_sleeping(&marker, 0).await;
        run(client, &id, &line("true")).await.unwrap_err();
        assert_eq!(
            refused(client.delete_session(&id).await),
            api(404, "CONTEXT_NOT_FOUND")
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    on_both(async |client| {
        let id = client.create_session(None).await.unwrap();
        let bad = api(400, "INVALID_REQUEST_BODY");
        assert_eq!(refused(run(client, &id, &line("")).await), bad);
        let nowhere = RunInSessionRequest {
            cwd: Some("/osb-nowhere".into()),
            ..line("pwd")
        };
        assert_eq!(refused(run(client, &id, &nowhere).await), bad);
        let negative = RunInSessionRequest {
            timeout: Some(-1),
            ..line("pwd")
        };
        assert_eq!(refused(run(client, &id, &negative).await), bad);
        let never = RunInSessionRequest {
            timeout: Some(0),
            ..line("sleep 0.2")
        };
        let result = run(client, &id, &never).await.unwrap();
        assert_eq!((result.exit_code, result.timed_out), (0, false));
        client.delete_session("nope").await.unwrap_err();
    })
    .await;
}
