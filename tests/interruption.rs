//! Runs that end before they are done: nothing of theirs stays, and nothing of others goes.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptions;
use serde_json::{Value, json};
use support::{Tool, control_groups, descendants, engine, failing, local, marked, text};

/// Starts a run that waits inside of a sandbox, and answers once its command runs there.
async fn waiting(tool: &Tool, docker: &bollard::Docker) -> (Child, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("r.json");
    let root = failing().display().to_string();
    let child = tool
        .command(&[
            "run",
            "--target",
            "docker",
            "--scenarios",
            &root,
            "slow_command.lua",
            "endless_loop.lua",
            "--report",
            &format!("json={}", json.display()),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    let mut run = None;
    while run.is_none() {
        assert!(Instant::now() < patience, "the run does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
        run = created(&json, docker).await;
    }
    (child, run.unwrap_or_default(), folder)
}

/// The id of the run that writes the report `json`, once it has made what both of its scenarios
/// wait with: a sandbox, and a volume.
async fn created(json: &Path, docker: &bollard::Docker) -> Option<String> {
    let text = std::fs::read_to_string(json).ok()?;
    let line: Value = serde_json::from_str(text.lines().next()?).unwrap();
    let run = line["run"].as_str().unwrap().to_owned();
    let names = marked(docker, Some(&run)).await;
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    (has("/osb-") && has("loop")).then_some(run)
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn a_signal_in_the_middle_leaves_nothing() {
    let Some(docker) = engine().await else { return };
    for name in ["-INT", "-TERM"] {
        let tool = Tool::new();
        let (mut child, run, _folder) = waiting(&tool, &docker).await;
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let shown: Vec<_> = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .collect();
        assert!(
            shown.last().unwrap().starts_with("interrupted"),
            "{shown:#?}"
        );
        assert_eq!(
            marked(&docker, Some(&run)).await,
            Vec::<String>::new(),
            "after {name}"
        );
    }
}

#[tokio::test]
async fn after_a_kill_clean_removes_that_run_and_nothing_else() {
    let Some(docker) = engine().await else { return };
    let (tool, other) = (Tool::new(), Tool::new());
    let (mut dead, run, _folder) = waiting(&tool, &docker).await;
    let (mut alive, living, _living_folder) = waiting(&tool, &docker).await;
    let (mut apart, elsewhere, _elsewhere_folder) = waiting(&other, &docker).await;
    // Looks like ours, but carries no label: somebody else's.
    let look_alike = format!("loop-{run}-99");
    let volume = |name: &str, labels| VolumeCreateRequest {
        name: Some(name.into()),
        labels,
        ..Default::default()
    };
    docker
        .create_volume(volume(&look_alike, None))
        .await
        .unwrap();
    // Carries the label of a run on another host, of which nothing is known here.
    let foreign = format!("foreign-{run}");
    let labels = [("run", "0f0f0f0f"), ("pid", "1"), ("host", "another-host")];
    let labels = labels.map(|(key, value)| (format!("io.osb-conformance.{key}"), value.to_owned()));
    docker
        .create_volume(volume(&foreign, Some(HashMap::from(labels))))
        .await
        .unwrap();
    dead.kill().unwrap();
    dead.wait().unwrap();
    assert!(
        !marked(&docker, Some(&run)).await.is_empty(),
        "the killed run left nothing to clean"
    );
    let output = tool.run(&["clean"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(marked(&docker, Some(&run)).await, Vec::<String>::new());
    for run in [&living, &elsewhere] {
        assert!(
            marked(&docker, Some(run)).await.len() >= 2,
            "a living run was cleaned: {}",
            text(&output.stdout)
        );
    }
    for name in [&look_alike, &foreign] {
        docker
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await
            .expect("left alone");
    }
    for child in [&mut alive, &mut apart] {
        signal(child, "-INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
    assert!(text(&tool.run(&["clean"]).stdout).contains("nothing to remove"));
}

#[tokio::test]
async fn clean_removes_the_host_directories_of_dead_runs_only() {
    if engine().await.is_none() {
        return;
    }
    let (tool, hosts) = (Tool::new(), tempfile::tempdir().unwrap());
    let runs = tool.state.path().join("osb-conformance/runs");
    std::fs::create_dir_all(&runs).unwrap();
    let folder = |name: &str| {
        let path = hosts.path().join(name);
        std::fs::create_dir_all(path.join("inner")).unwrap();
        path
    };
    let (ours, others) = (folder("demo-0badcafe-1"), folder("demo-1"));
    let line = |path: &Path| json!({"kind": "host_dir", "name": path}).to_string();
    let header = json!({"target": "docker", "pid": 1, "host": "h"}).to_string();
    let ledger = [header, line(&ours), line(&others), "{\"kind\":\"vol".into()].join("\n");
    std::fs::write(runs.join("0badcafe.jsonl"), ledger).unwrap();
    let output = tool.run(&["clean"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!ours.exists() && others.join("inner").exists());
    assert_eq!(std::fs::read_dir(runs).unwrap().count(), 0);
}

/// Where no engine answers: what these tests leave alone.
const NO_ENGINE: &str = "unix:///no/such.sock";

/// What the local target and the ledger keep of runs.
fn kept(tool: &Tool, kind: &str) -> Vec<String> {
    let folder = tool.state.path().join("osb-conformance").join(kind);
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Starts a run on the local target that waits, and answers once it has a sandbox and a volume.
async fn waiting_locally(tool: &Tool) -> Child {
    let root = failing().display().to_string();
    let child = tool
        .command(&[
            "run",
            "--target",
            "local",
            "--scenarios",
            &root,
            "slow_command.lua",
            "endless_loop.lua",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let before = [kept(tool, "sandboxes"), kept(tool, "volumes")].map(|names| names.len());
    let patience = Instant::now() + Duration::from_secs(30);
    while kept(tool, "sandboxes").len() <= before[0] || kept(tool, "volumes").len() <= before[1] {
        assert!(Instant::now() < patience, "the run does not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child
}

fn clean_locally(tool: &Tool) -> String {
    let mut command = tool.command(&["clean"]);
    let output = command.env("DOCKER_HOST", NO_ENGINE).output().unwrap();
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    told
}

fn assert_nothing_kept(tool: &Tool, after: &str) {
    for kind in ["runs", "sandboxes", "volumes"] {
        assert_eq!(kept(tool, kind), Vec::<String>::new(), "{kind} {after}");
    }
}

#[tokio::test]
async fn a_signal_in_the_middle_of_a_local_run_leaves_nothing() {
    if !local().await {
        return;
    }
    for name in ["-INT", "-TERM"] {
        let tool = Tool::new();
        let mut child = waiting_locally(&tool).await;
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_nothing_kept(&tool, name);
    }
}

#[tokio::test]
async fn clean_leaves_a_living_local_run_alone() {
    if !local().await {
        return;
    }
    let tool = Tool::new();
    let mut alive = waiting_locally(&tool).await;
    let living = [kept(&tool, "sandboxes"), kept(&tool, "volumes")].concat();
    let mut dead = waiting_locally(&tool).await;
    dead.kill().unwrap();
    dead.wait().unwrap();
    clean_locally(&tool);
    let left = [kept(&tool, "sandboxes"), kept(&tool, "volumes")].concat();
    assert_eq!(left, living);
    signal(&alive, "-INT");
    assert_eq!(alive.wait().unwrap().code(), Some(130));
    assert!(clean_locally(&tool).contains("nothing to remove"));
    assert_nothing_kept(&tool, "after all");
}

/// Set for the copy of this program that runs [`alone`].
const ALONE: &str = "OSB_TEST_ALONE";

/// In a program of its own, all of whose processes can be told from others'.
#[test]
fn a_kill_at_any_moment_ends_every_local_sandbox() {
    let program = std::env::current_exe().unwrap();
    let status = std::process::Command::new(program)
        .args(["--exact", "alone", "--ignored", "--nocapture"])
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Runs commands that leave their session, pauses and goes on, for ever.
const BUSY: &str = r#"scenario { title = "Busy", requires = { "volumes.pvc", "pause" } }
while true do
  local volume = volumes.create("busy", { files = { f = "x" } })
  local sandbox = Sandbox.create {
    volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/v" } },
  }
  concurrently(
    function() sandbox.commands:run("setsid sleep 1000 >/dev/null 2>&1 & echo x > /v/g") end,
    function() sandbox.commands:run("sleep 0.01") end
  )
  sandbox:pause()
  sandbox:resume()
  sandbox.commands:run("sleep 0.01")
  sandbox:pause()
  sandbox:kill()
end
"#;

#[tokio::test]
#[ignore = "run by a_kill_at_any_moment_ends_every_local_sandbox, in a process of its own"]
async fn alone() {
    if std::env::var_os(ALONE).is_none() || !local().await {
        return;
    }
    // What loses its parent becomes this process's child, and is seen.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for number in 0..3 {
        std::fs::write(folder.path().join(format!("{number}.lua")), BUSY).unwrap();
        std::fs::write(folder.path().join(format!("{number}.transcript")), "...\n").unwrap();
    }
    let root = folder.path().display().to_string();
    let tool = Tool::new();
    let early = (0..20).map(|step| step * 3);
    let late = (0..20).map(|step| 60 + step * 13);
    let mut has_left = false;
    for moment in early.chain(late) {
        let arguments = [
            "run",
            "--target",
            "local",
            "--scenarios",
            &root,
            "--jobs",
            "3",
            "?.lua",
        ];
        let mut child = tool
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // No event: any moment will do.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let patience = Instant::now() + Duration::from_secs(1);
        loop {
            let mut alive = descendants();
            alive.retain(|pid, state| state != "Z" && *pid as u32 != std::process::id());
            if alive.is_empty() {
                break;
            }
            assert!(Instant::now() < patience, "after {moment} ms: {alive:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let runs = kept(&tool, "runs");
        has_left |= !kept(&tool, "sandboxes").is_empty();
        clean_locally(&tool);
        assert_nothing_kept(&tool, &format!("after {moment} ms"));
        for run in runs {
            let run = run.trim_end_matches(".jsonl");
            assert_eq!(
                control_groups(run),
                Vec::<std::path::PathBuf>::new(),
                "after {moment} ms"
            );
        }
    }
    assert!(has_left, "no kill met a sandbox");
}
