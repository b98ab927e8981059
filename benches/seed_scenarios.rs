//! What the harness costs: the four scenarios of the specification's example through
//! `osb-conformance`, beside the same work on the bare engine. One run, ratios.
//!
//! The work is the same on every side: volumes made and filled through a container that is
//! created and never started, sandboxes created, started and removed, every command of the
//! scenarios, every look at a volume from outside.
//!
//! `cargo bench --bench seed_scenarios`

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bollard::Docker;
use bollard::body_full;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt;
use osb_conformance::execd::Execd;
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::sandbox::{CreateSandboxRequest, SandboxInfo};
use osb_conformance::scenario::Filter;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::{
    Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo,
};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 7;

/// The four scenarios of the example.
const EXAMPLE: [&str; 4] = [
    "volumes/pvc/read_write.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/sub_path.lua",
];

/// One thing that a scenario makes the engine do.
enum Op {
    Fill(&'static [(&'static str, &'static str)]),
    Sandbox {
        name: &'static str,
        path: &'static str,
        sub: Option<&'static str>,
        read_only: bool,
    },
    Exec(&'static str, &'static str),
    Look(&'static str),
    Remove(&'static str),
}

const MARKER: (&str, &str) = ("marker.txt", "hello-from-named-volume\n");

fn scenarios() -> Vec<Vec<Op>> {
    let sandbox = |name, path| Op::Sandbox {
        name,
        path,
        sub: None,
        read_only: false,
    };
    vec![
        vec![
            Op::Fill(&[MARKER]),
            sandbox("a", "/mnt/data"),
            Op::Exec("a", "cat /mnt/data/marker.txt"),
            Op::Exec(
                "a",
                "echo written-by-sandbox > /mnt/data/sandbox-output.txt",
            ),
            Op::Exec("a", "cat /mnt/data/sandbox-output.txt"),
            Op::Look("sandbox-output.txt"),
            Op::Exec("a", "ls -la /mnt/data/"),
            Op::Remove("a"),
        ],
        vec![
            Op::Fill(&[MARKER]),
            Op::Sandbox {
                name: "a",
                path: "/mnt/readonly",
                sub: None,
                read_only: true,
            },
            Op::Exec("a", "cat /mnt/readonly/marker.txt"),
            Op::Exec("a", "touch /mnt/readonly/should-fail.txt"),
            Op::Look("should-fail.txt"),
            Op::Remove("a"),
        ],
        vec![
            Op::Fill(&[MARKER]),
            sandbox("a", "/mnt/shared"),
            Op::Exec(
                "a",
                "echo message-from-sandbox-a > /mnt/shared/cross-sandbox.txt",
            ),
            sandbox("b", "/mnt/shared"),
            Op::Exec("b", "cat /mnt/shared/cross-sandbox.txt"),
            Op::Remove("a"),
            Op::Exec("b", "cat /mnt/shared/cross-sandbox.txt"),
            Op::Remove("b"),
        ],
        vec![
            Op::Fill(&[
                MARKER,
                ("datasets/train/data.csv", "id,value\n1,100\n2,200\n"),
            ]),
            Op::Sandbox {
                name: "a",
                path: "/mnt/training-data",
                sub: Some("datasets/train"),
                read_only: false,
            },
            Op::Exec("a", "ls -la /mnt/training-data/"),
            Op::Exec("a", "cat /mnt/training-data/data.csv"),
            Op::Exec(
                "a",
                "test -f /mnt/training-data/marker.txt && echo FOUND || echo NOT-FOUND",
            ),
            Op::Exec("a", "echo 3,300 >> /mnt/training-data/data.csv"),
            Op::Look("datasets/train/data.csv"),
            Op::Remove("a"),
        ],
    ]
}

/// A name that no other scenario, round or process uses.
fn unique(what: &str) -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!(
        "osb-bench-{}-{}-{what}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

fn pack(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn mount(source: &str, target: &str, read_only: bool, typ: MountType) -> Mount {
    Mount {
        typ: Some(typ),
        source: Some(source.into()),
        target: Some(target.into()),
        read_only: Some(read_only),
        ..Default::default()
    }
}

/// The bare engine, one call after the other.
struct Bare<'a> {
    docker: &'a Docker,
    image: &'a str,
}

impl Bare<'_> {
    async fn create(&self, name: &str, entrypoint: &[&str], mount: Mount) {
        let body = ContainerCreateBody {
            image: Some(self.image.into()),
            entrypoint: Some(entrypoint.iter().map(|word| (*word).into()).collect()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                mounts: Some(vec![mount]),
                nano_cpus: Some(500_000_000),
                memory: Some(512 << 20),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        self.docker
            .create_container(Some(options), body)
            .await
            .unwrap();
    }

    async fn remove(&self, name: &str) {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        self.docker
            .remove_container(name, Some(options))
            .await
            .unwrap();
    }

    async fn scenario(&self, ops: &[Op]) {
        let volume = unique("volume");
        let request = VolumeCreateRequest {
            name: Some(volume.clone()),
            ..Default::default()
        };
        let mountpoint = self.docker.create_volume(request).await.unwrap().mountpoint;
        let mut names = BTreeMap::new();
        for op in ops {
            match op {
                Op::Fill(files) => {
                    let helper = unique("helper");
                    self.create(
                        &helper,
                        &["x"],
                        mount(&volume, "/volume", false, MountType::VOLUME),
                    )
                    .await;
                    let options = UploadToContainerOptionsBuilder::default()
                        .path("/volume")
                        .build();
                    self.docker
                        .upload_to_container(&helper, Some(options), body_full(pack(files).into()))
                        .await
                        .unwrap();
                    self.remove(&helper).await;
                }
                Op::Sandbox {
                    name,
                    path,
                    sub,
                    read_only,
                } => {
                    let real = unique(name);
                    let mount = match sub {
                        None => mount(&volume, path, *read_only, MountType::VOLUME),
                        Some(sub) => mount(
                            &format!("{mountpoint}/{sub}"),
                            path,
                            *read_only,
                            MountType::BIND,
                        ),
                    };
                    self.create(&real, &["tail", "-f", "/dev/null"], mount)
                        .await;
                    self.docker.start_container(&real, None).await.unwrap();
                    names.insert(*name, real);
                }
                Op::Exec(name, command) => {
                    let options = CreateExecOptions {
                        attach_stdout: Some(true),
                        attach_stderr: Some(true),
                        cmd: Some(vec!["sh", "-c", command]),
                        ..Default::default()
                    };
                    let exec = self
                        .docker
                        .create_exec(&names[name], options)
                        .await
                        .unwrap();
                    if let StartExecResults::Attached { mut output, .. } =
                        self.docker.start_exec(&exec.id, None).await.unwrap()
                    {
                        while output.next().await.is_some() {}
                    }
                    self.docker.inspect_exec(&exec.id).await.unwrap();
                }
                Op::Look(path) => {
                    let helper = unique("helper");
                    self.create(
                        &helper,
                        &["x"],
                        mount(&volume, "/volume", false, MountType::VOLUME),
                    )
                    .await;
                    let options = DownloadFromContainerOptionsBuilder::default()
                        .path(&format!("/volume/{path}"))
                        .build();
                    let mut file =
                        std::pin::pin!(self.docker.download_from_container(&helper, Some(options)));
                    while file.next().await.is_some() {}
                    self.remove(&helper).await;
                }
                Op::Remove(name) => self.remove(&names[name]).await,
            }
        }
        self.docker
            .remove_volume(&volume, None::<RemoveVolumeOptions>)
            .await
            .unwrap();
    }
}

/// The same by the `docker` command line.
fn by_command_line(image: &str, ops: &[Op]) {
    let docker = |arguments: &[&str]| {
        let mut command = Command::new("docker");
        let output = command
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let volume = unique("volume");
    docker(&["volume", "create", &volume]);
    let mountpoint = docker(&["volume", "inspect", "-f", "{{.Mountpoint}}", &volume]);
    let helper = |path: &dyn Fn(&str)| {
        let name = unique("helper");
        let mount = format!("type=volume,source={volume},target=/volume");
        docker(&[
            "create",
            "--name",
            &name,
            "--network",
            "none",
            "--mount",
            &mount,
            image,
            "x",
        ]);
        path(&name);
        docker(&["rm", "-f", &name]);
    };
    let mut names = BTreeMap::new();
    for op in ops {
        match op {
            Op::Fill(files) => helper(&|name| {
                let mut copy = Command::new("docker");
                copy.args(["cp", "-", &format!("{name}:/volume")])
                    .stdin(Stdio::piped());
                let mut copy = copy.spawn().unwrap();
                std::io::Write::write_all(&mut copy.stdin.take().unwrap(), &pack(files)).unwrap();
                copy.wait().unwrap();
            }),
            Op::Sandbox {
                name,
                path,
                sub,
                read_only,
            } => {
                let real = unique(name);
                let mut mount = match sub {
                    None => format!("type=volume,source={volume},target={path}"),
                    Some(sub) => format!("type=bind,source={mountpoint}/{sub},target={path}"),
                };
                if *read_only {
                    mount.push_str(",readonly");
                }
                docker(&[
                    "create",
                    "--name",
                    &real,
                    "--network",
                    "none",
                    "--cpus",
                    "0.5",
                    "--memory",
                    "512m",
                    "--mount",
                    &mount,
                    "--entrypoint",
                    "tail",
                    image,
                    "-f",
                    "/dev/null",
                ]);
                docker(&["start", &real]);
                names.insert(*name, real);
            }
            Op::Exec(name, command) => drop(docker(&["exec", &names[name], "sh", "-c", command])),
            Op::Look(path) => {
                helper(&|name| drop(docker(&["cp", &format!("{name}:/volume/{path}"), "-"])))
            }
            Op::Remove(name) => drop(docker(&["rm", "-f", &names[name]])),
        }
    }
    docker(&["volume", "rm", &volume]);
}

/// A target that does nothing, for what the harness itself costs.
struct Nothing(TargetInfo);

#[async_trait]
impl Target for Nothing {
    fn info(&self) -> &TargetInfo {
        &self.0
    }
    async fn create(&self, _: &Handle, _: &CreateSandboxRequest) -> Result<SandboxInfo> {
        Err(TargetError::unsupported("create"))
    }
    async fn get(&self, _: &str) -> Result<SandboxInfo> {
        Err(TargetError::unsupported("get"))
    }
    async fn delete(&self, _: &str) -> Result<()> {
        Ok(())
    }
    async fn execd(&self, _: &str) -> Result<Arc<dyn Execd>> {
        Err(TargetError::unsupported("execd"))
    }
    async fn remove(&self, _: &RunId, _: &Resource) -> Result<()> {
        Ok(())
    }
    async fn remains(&self, _: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        Ok(Vec::new())
    }
}

async fn run(
    target: Arc<dyn Target>,
    suite: &Arc<Suite>,
    filters: &[&str],
    jobs: usize,
) -> Duration {
    let state = tempfile::tempdir().unwrap();
    let options = RunnerOptions {
        jobs,
        state: state.path().into(),
        ..RunnerOptions::default()
    };
    let filters: Vec<_> = filters
        .iter()
        .map(|text| Filter::parse(text).unwrap())
        .collect();
    let selection = suite.select(&filters).unwrap();
    let start = Instant::now();
    let runner = Runner::new(Arc::clone(suite), target, options).unwrap();
    let summary = runner
        .run(&selection, &CancellationToken::new(), &mut |_| {})
        .await;
    let took = start.elapsed();
    assert!(summary.is_success(), "{summary:?}");
    took
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// What the harness itself takes per scenario: discovery, Lua state, transcript, report.
async fn overhead() -> f64 {
    const SCENARIOS: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let shipped = include_str!("../scenarios/volumes/pvc/read_write.lua");
    let declaration = &shipped[..shipped.find("local volume").unwrap()];
    let declaration = declaration.replace("\"volumes.pvc\", \"commands\"", "");
    for number in 0..SCENARIOS {
        let lua = format!(
            "{declaration}step 'x'\nsay(listing.format('-rw-r--r-- 1 root root 24 Nov 24 15:17 f'))"
        );
        std::fs::write(folder.path().join(format!("{number}.lua")), lua).unwrap();
        std::fs::write(
            folder.path().join(format!("{number}.transcript")),
            "...\n  [1] x\n  -rw-r--r-- 1 root root   ... f\n...\n",
        )
        .unwrap();
    }
    let info = TargetInfo {
        name: "nothing".into(),
        locator: "nothing".into(),
        description: "nothing".into(),
        image: "none".into(),
        volume_kind: "No".into(),
        host_root: None,
        capabilities: BTreeSet::new(),
    };
    let start = Instant::now();
    let suite = Arc::new(Suite::folder(folder.path()).unwrap());
    run(Arc::new(Nothing(info)), &suite, &[], 1).await;
    start.elapsed().as_secs_f64() * 1000.0 / SCENARIOS as f64
}

#[tokio::main]
async fn main() {
    println!("harness alone: {:.2} ms per scenario", overhead().await);
    let Ok(target) = DockerTarget::connect(DockerConfig::default()).await else {
        println!("no Docker engine answers: the rest is not measured");
        return;
    };
    target.prepare().await.unwrap();
    let image = target.info().image.clone();
    let target: Arc<dyn Target> = Arc::new(target);
    let docker = Docker::connect_with_defaults()
        .unwrap()
        .negotiate_version()
        .await
        .unwrap();
    let bare = Bare {
        docker: &docker,
        image: &image,
    };
    let suite = Arc::new(Suite::shipped().unwrap());
    let jobs = RunnerOptions::default().jobs;
    let work = scenarios();
    let [mut engine, mut command_line, mut serial, mut parallel] = [const { Vec::new() }; 4];
    // Interleaved, so that a slow moment of the machine falls on all alike.
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for ops in &work {
            bare.scenario(ops).await;
        }
        engine.push(start.elapsed());
        let start = Instant::now();
        for ops in &work {
            by_command_line(&image, ops);
        }
        command_line.push(start.elapsed());
        serial.push(run(Arc::clone(&target), &suite, &EXAMPLE, 1).await);
        parallel.push(run(Arc::clone(&target), &suite, &EXAMPLE, jobs).await);
    }
    let [engine, command_line, serial, parallel] =
        [engine, command_line, serial, parallel].map(median);
    println!("medians of {ROUNDS} rounds, four scenarios, five sandboxes:");
    println!("(a) bare engine API, serial         {engine:7.0} ms");
    println!("(b) docker command line, serial     {command_line:7.0} ms");
    println!(
        "osb-conformance --jobs 1            {serial:7.0} ms  {:.2} x (a)  {:.2} x (b)",
        serial / engine,
        serial / command_line
    );
    println!(
        "osb-conformance --jobs {jobs}            {parallel:7.0} ms  {:.2} x (a)  {:.2} x (b)",
        parallel / engine,
        parallel / command_line
    );
}
