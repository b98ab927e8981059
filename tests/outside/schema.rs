//! schemathesis with our reference server: whatever is asked, the answer is one that the
//! specification has.

use std::time::Duration;

use crate::process::Process;
use crate::python::{KEY, Python, tests};
use crate::served::Served;
use crate::support;

/// How long schemathesis may take.
const LIMIT: Duration = Duration::from_secs(600);

#[tokio::test]
async fn every_answer_is_one_of_the_specification() {
    let Some(python) = Python::find() else { return };
    if !support::local().await {
        return;
    }
    let served = Served::start("local", Some(KEY));
    let file = |name| tests().join(name).display().to_string();
    let url = format!("http://{}/v1", served.door().address);
    let mut command = python.command(&[
        "-m",
        "schemathesis.cli",
        "--config-file",
        &file("schemathesis.toml"),
        "run",
        "--no-color",
        "--url",
        &url,
        "--header",
        &format!("OPEN-SANDBOX-API-KEY: {KEY}"),
        &file("lifecycle.yaml"),
    ]);
    // It keeps notes where it is started.
    let folder = tempfile::tempdir().unwrap();
    command.current_dir(&folder);
    let mut schemathesis = Process::start(command);
    let code = schemathesis.code(LIMIT);
    assert_eq!(code, Some(0), "{}", schemathesis.told());
    // Nearly every sandbox is still there: now the server has to remove them.
    assert!(served.sandboxes() > 10, "{}", schemathesis.told());
    served.stop().await;
}
