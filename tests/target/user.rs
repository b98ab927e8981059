//! The local target for an ordinary user, and where it is refused: what root may do is proved above
//! all by what others may not.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::unistd::geteuid;

use crate::bench::{Bench, on, pvc};
use crate::support::text;

/// The ordinary user, who need not have a name.
const USER: u32 = 1000;

/// A folder that the ordinary user can read, with our programs in it and a place for his state.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let stage = Self { folder };
        copy(
            Path::new(env!("CARGO_BIN_EXE_osb-conformance")),
            &stage.path("osb-conformance"),
        );
        for name in ["state", "root"] {
            std::fs::create_dir(stage.path(name)).unwrap();
        }
        let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
        std::fs::create_dir(stage.path("hostile")).unwrap();
        for file in std::fs::read_dir(hostile).unwrap() {
            let file = file.unwrap();
            copy(&file.path(), &stage.path("hostile").join(file.file_name()));
        }
        if geteuid().is_root() {
            chown(stage.path("state"), Some(USER), Some(USER)).unwrap();
        }
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program run by whoever runs this.
    fn ours(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.settle(&mut command, "root");
        command
    }

    /// A program run by the ordinary user; `None` where we cannot become him.
    fn theirs(&self, program: &str) -> Option<Command> {
        if !geteuid().is_root() {
            eprintln!("skipped: only root becomes another user");
            return None;
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=1000", "--regid=1000", "--clear-groups", program]);
        if Command::new("setpriv").arg("--version").output().is_err() {
            eprintln!("skipped: there is no setpriv");
            return None;
        }
        self.settle(&mut command, "state");
        Some(command)
    }

    fn settle(&self, command: &mut Command, state: &str) {
        command
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.path(state))
            .env("TMPDIR", self.path(state))
            .env("HOME", "/nonexistent")
            .env_remove("SANDBOX_IMAGE")
            .env_remove("CI");
    }

    /// Nothing of a run's is left in the state folder.
    fn check(&self, state: &str) {
        let folder = self.path(state).join("osb-conformance");
        for kind in ["runs", "sandboxes", "volumes"] {
            let left = std::fs::read_dir(folder.join(kind)).into_iter().flatten();
            assert_eq!(left.count(), 0, "{kind}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let is_readable = std::fs::metadata(from).unwrap().mode() & 0o004 != 0;
    if !is_readable || std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to).unwrap();
        let mode = std::fs::metadata(from).unwrap().mode() | 0o444;
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn told(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Every test of the local target, once more, as somebody who is not root.
#[tokio::test(flavor = "multi_thread")]
async fn what_root_sees_an_ordinary_user_sees() {
    let (stage, program) = (Stage::new(), std::env::current_exe().unwrap());
    copy(&program, &stage.path("tests"));
    let Some(mut tests) = stage.theirs("./tests") else {
        return;
    };
    let output = tests
        .args(["local::", "hostile::", "--skip", "user::"])
        .env(osb_conformance::harness::REQUIRE, "local")
        .output()
        .unwrap();
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    let counted = told.rsplit("test result: ok. ").next().unwrap_or_default();
    let passed: usize = counted.split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 20, "{told}");
    let left = std::fs::read_dir(stage.path("state")).unwrap();
    assert_eq!(left.count(), 0, "{told}");
}

/// Scenarios that try to get out, and must say that they could not: by root and by an ordinary
/// user, with a terminal and without.
#[test]
fn hostile_scenarios_find_no_way_out() {
    let stage = Stage::new();
    let names = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile"));
    let names = names.unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names
        .filter_map(|name| Some(name.to_str()?.to_owned()))
        .filter(|name| name.ends_with(".lua"))
        .collect();
    let names = names.join(" ");
    let hostile = format!("./osb-conformance run --target local --scenarios hostile {names}");
    let in_terminal = format!("script -qec '{hostile}' /dev/null");
    for line in [hostile.as_str(), in_terminal.as_str()] {
        if line.starts_with("script") && Command::new("script").arg("--version").output().is_err() {
            eprintln!("skipped: there is no script to make a terminal with");
            continue;
        }
        for (command, state) in [
            (Some(stage.ours("sh")), "root"),
            (stage.theirs("sh"), "state"),
        ] {
            let Some(mut command) = command else { continue };
            let output = command.args(["-c", line]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{line}: {}", told(&output));
            assert!(
                told(&output).contains(" passed, 0 failed, 0 errored, 0 skipped"),
                "{}",
                told(&output)
            );
            assert!(!told(&output).contains("INJECTED"), "{}", told(&output));
            stage.check(state);
        }
    }
}

#[test]
fn the_shipped_scenarios_pass_for_an_ordinary_user() {
    let stage = Stage::new();
    let Some(mut command) = stage.theirs("./osb-conformance") else {
        return;
    };
    let output = command.args(["run", "--target", "local"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("as user 1000"), "{}", told(&output));
    stage.check("state");
}

/// Where the kernel makes no user namespaces, the switch is named.
#[test]
fn a_kernel_that_refuses_is_named() {
    let stage = Stage::new();
    let within = |arguments: &str| {
        format!(
            "unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec ./osb-conformance {arguments}'"
        )
    };
    for command in [Some(stage.ours("sh")), stage.theirs("sh")] {
        let Some(mut command) = command else { continue };
        command.env("DOCKER_HOST", "unix:///no/such.sock").arg("-c");
        let run = |arguments: &str| {
            let line = within(arguments);
            let mut shell = Command::new(command.get_program());
            shell
                .args(command.get_args())
                .arg(line)
                .current_dir(stage.folder.path());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => shell.env(name, value),
                    None => shell.env_remove(name),
                };
            }
            shell.output().unwrap()
        };
        let switch = "sysctl -w user.max_user_namespaces=";
        for target in ["local", "auto"] {
            let output = run(&format!("run --target {target}"));
            assert_eq!(output.status.code(), Some(3), "{}", told(&output));
            assert!(text(&output.stderr).contains(switch), "{}", told(&output));
        }
        let output = run("doctor");
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        let line = told(&output);
        let line = line.lines().find(|line| line.starts_with("local "));
        assert!(
            line.is_some_and(|line| line.contains("no") && line.contains(switch)),
            "{}",
            told(&output)
        );
    }
}

/// In a container as it comes, the container's switches are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_refuses_is_named() {
    on(Bench::docker().await, async |bench| {
        let program = Path::new(env!("CARGO_BIN_EXE_osb-conformance"));
        let folder = bench.folder().join("allow/tool");
        std::fs::create_dir(&folder).unwrap();
        copy(program, &folder.join("osb-conformance"));
        // The program with the libraries that it loads here, started by their own loader.
        let loads = Command::new("ldd").arg(program).output().unwrap();
        let loads = text(&loads.stdout);
        let libraries = loads
            .split_whitespace()
            .filter(|word| word.starts_with('/'));
        let mut loader = String::new();
        for library in libraries {
            let name = Path::new(library)
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            std::fs::copy(library, folder.join(&name)).unwrap();
            if name.starts_with("ld-") {
                loader = name;
            }
        }
        let host = pvc("unused", serde_json::json!({"host": {"path": folder}}));
        let mut body = host;
        body["volumes"][0].as_object_mut().unwrap().remove("pvc");
        let sandbox = bench.create(body).await;
        let tool = format!("/mnt/data/{loader} --library-path /mnt/data /mnt/data/osb-conformance");
        for arguments in ["run --target local", "doctor"] {
            let line = format!("XDG_STATE_HOME=/tmp HOME=/tmp {tool} {arguments}");
            let result = sandbox.run(&line).await;
            let told = text(&result.stdout) + &text(&result.stderr);
            assert_eq!(result.exit_code, 3, "{told}");
            for switch in [
                "start the container with",
                "--security-opt seccomp=unconfined",
            ] {
                assert!(told.contains(switch), "{told}");
            }
        }
    })
    .await;
}
