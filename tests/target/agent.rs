//! Our agent in images of every kind, and the engine's exec where it cannot run.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use bollard::body_full;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ImportImageOptions, ListContainersOptionsBuilder,
    RemoveImageOptions,
};
use futures_util::{StreamExt, TryStreamExt};
use osb_conformance::execd::protocol::FileMetadata;
use osb_conformance::execd::{Command, agent, greet};
use osb_conformance::target::Target;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, UnixStream};
use tokio::time::timeout;

use crate::bench::{Bench, on};
use crate::support::{EXAMPLE, Tool, engine, text};

/// An image that is gone when its test has ended.
struct Image<'a> {
    docker: &'a bollard::Docker,
    name: String,
}

impl<'a> Image<'a> {
    /// One of a root file system in a tar archive, for the processor `architecture`.
    async fn load(
        docker: &'a bollard::Docker,
        name: &str,
        root: &[u8],
        architecture: &str,
    ) -> Self {
        let name = format!("osb-conformance-test/{name}:{}", std::process::id());
        let digest: String = Sha256::digest(root)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        });
        let manifest =
            json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
        let mut archive = tar::Builder::new(Vec::new());
        for (file, data) in [
            ("config.json", config.to_string().into_bytes()),
            ("manifest.json", manifest.to_string().into_bytes()),
            ("layer.tar", root.to_vec()),
        ] {
            add(&mut archive, file, &data);
        }
        let archive = body_full(archive.into_inner().unwrap().into());
        let import = docker.import_image(ImportImageOptions::default(), archive, None);
        import.try_for_each(|_| async { Ok(()) }).await.unwrap();
        Self { docker, name }
    }

    async fn remove(self) {
        let options = None::<RemoveImageOptions>;
        self.docker
            .remove_image(&self.name, options, None)
            .await
            .unwrap();
    }
}

fn add(archive: &mut tar::Builder<Vec<u8>>, file: &str, data: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(data.len() as u64);
    header.set_mode(0o755);
    archive.append_data(&mut header, file, data).unwrap();
}

/// The default image's root file system.
async fn default_root(bench: &Bench, docker: &bollard::Docker) -> Vec<u8> {
    let name = bench.name();
    let body = bollard::models::ContainerCreateBody {
        image: Some(bench.target.info().image.clone()),
        labels: Some(bench.owner.labels().into_iter().collect()),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    docker.create_container(Some(options), body).await.unwrap();
    let mut root = Vec::new();
    let mut export = std::pin::pin!(docker.export_container(&name));
    while let Some(chunk) = export.next().await {
        root.extend_from_slice(&chunk.unwrap());
    }
    root
}

/// The image that the bench's only sandbox runs.
async fn image_with_agent(docker: &bollard::Docker, bench: &Bench) -> String {
    let label = format!("io.osb-conformance.run={}", bench.owner.run);
    let options = ListContainersOptionsBuilder::default()
        .filters(&HashMap::from([("label", vec![label])]))
        .build();
    let found = docker.list_containers(Some(options)).await.unwrap();
    found[0].image.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_without_a_shell_has_files_and_names_what_is_missing() {
    on(Bench::docker().await, async |bench| {
        let docker = engine().await.unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        // The only program: it waits for requests that nobody sends.
        add(&mut tar, "wait", agent::binary());
        let root = tar.into_inner().unwrap();
        let image = Image::load(&docker, "no-shell", &root, agent::architecture()).await;
        let entrypoint = json!(["/wait", "--listen", "127.0.0.1:1"]);
        let body = json!({"image": {"uri": image.name}, "entrypoint": entrypoint});
        let sandbox = bench.create(body).await;
        let result = sandbox.run("true").await;
        assert_eq!(result.exit_code, 127);
        assert!(text(&result.stderr).starts_with("sh: "), "{result:?}");
        let execd = &sandbox.execd;
        execd.write_file("/a/b", b"\0\xff", None).await.unwrap();
        assert_eq!(execd.read_file("/a/b").await.unwrap(), b"\0\xff");
        let name = image_with_agent(&docker, &bench).await;
        let derived = Image {
            docker: &docker,
            name,
        };
        bench.target.delete(&sandbox.id).await.unwrap();
        derived.remove().await;
        image.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_user_and_a_root_that_is_only_to_be_read_will_do() {
    on(Bench::docker().await, async |bench| {
        let docker = engine().await.unwrap();
        bench.create(json!({})).await;
        let image = image_with_agent(&docker, &bench).await;
        let mut child = tokio::process::Command::new("docker")
            .args(["run", "--rm", "-i", "--read-only", "--user", "65534:65534"])
            .args(["--network", "none", "--entrypoint", "/.osb-agent", &image])
            .args(["--", "sleep", "1000"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let streams = tokio::io::join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let client = greet(streams).await.unwrap();
        let run = async |command: &str| {
            let command = Command {
                command: command.into(),
                ..Command::default()
            };
            client.run(&command).await.unwrap()
        };
        assert_eq!(run("id -u").await.stdout, b"65534\n");
        let denied = run("touch /x").await;
        assert!(text(&denied.stderr).contains("Read-only"), "{denied:?}");
        let path = "/x".to_owned();
        let metadata = FileMetadata {
            path,
            ..FileMetadata::default()
        };
        assert!(client.upload(&[(metadata, "x".into())]).await.is_err());
        // The end of its input is its end.
        drop(client);
        let ended = timeout(Duration::from_secs(20), child.wait()).await;
        ended.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_agent_cannot_run_the_engines_exec_does_and_that_is_said() {
    on(Bench::docker().await, async |bench| {
        let docker = engine().await.unwrap();
        let other = match agent::architecture() {
            "amd64" => "arm64",
            _ => "amd64",
        };
        // Its programs are this machine's, whatever it says of itself.
        let root = default_root(&bench, &docker).await;
        let image = Image::load(&docker, "other", &root, other).await;
        let target = DockerTarget::connect(DockerConfig {
            image: Some(image.name.clone()),
            ..DockerConfig::default()
        });
        let target = target.await.unwrap();
        target.prepare().await.unwrap();
        let said = target.info().description.clone();
        assert!(said.contains("slow exec"), "{said}");
        let output = Tool::new().run(&[
            "run",
            "--target",
            "docker",
            "--image",
            &image.name,
            "volumes/pvc/read_only.lua",
        ]);
        let stdout = text(&output.stdout);
        assert!(output.status.success(), "{stdout}");
        let first = stdout.lines().next().unwrap();
        assert!(first.contains("slow exec"), "{first}");
        image.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_engine_gets_the_agent_by_upload() {
    const SOCKET: &str = "/var/run/docker.sock";
    on(Bench::docker().await, async |_| {
        if !std::path::Path::new(SOCKET).exists() {
            eprintln!("skipped: the engine is not at {SOCKET}");
            return;
        }
        // By TCP no path of the engine's counts as one of ours.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let relay = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut engine = UnixStream::connect(SOCKET).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut engine).await
                });
            }
        });
        let tool = Tool::new();
        let mut command = tool.command(&[&["run", "--target", "docker"][..], &EXAMPLE].concat());
        command.env("DOCKER_HOST", format!("tcp://{address}"));
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        assert!(output.status.success(), "{}", text(&output.stdout));
        relay.abort();
    })
    .await;
}
