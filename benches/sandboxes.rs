//! What sandboxes and their commands cost: on Docker through our agent beside the engine's own
//! exec, and on the local target. One run, ratios.
//!
//! `cargo bench --bench sandboxes`

#![allow(clippy::unwrap_used)]

use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use osb_conformance::execd::{Command, Execd};
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::sandbox::CreateSandboxRequest;
use osb_conformance::scenario::Filter;
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::{Handle, Owner, Target};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// How often what takes a long time, and what takes a short one, is measured.
const ROUNDS: usize = 9;
const TIMES: usize = 100;
const BLOCK: usize = 10;

/// The scenarios of the specification's example, which make five sandboxes.
const EXAMPLE: [&str; 4] = [
    "volumes/pvc/read_write.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/sub_path.lua",
];
const SANDBOXES: usize = 5;

/// A name that nothing else in this process and no other process uses.
fn unique(owner: &Owner) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("osb-{}-bench-{count}", owner.run)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

async fn timed<T>(times: &mut Vec<Duration>, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = work.await;
    times.push(start.elapsed());
    result
}

fn request(image: &str) -> CreateSandboxRequest {
    let body = json!({
        "image": {"uri": image}, "entrypoint": ["tail", "-f", "/dev/null"],
        "resourceLimits": {"cpu": "500m", "memory": "512Mi"}, "timeout": 600,
    });
    serde_json::from_value(body).unwrap()
}

fn nothing() -> Command {
    Command {
        command: "true".into(),
        ..Command::default()
    }
}

/// Create, first command, further command, removal of sandboxes on `target`, in milliseconds.
struct Life {
    create: f64,
    first: f64,
    further: f64,
    remove: f64,
    all: f64,
}

async fn life(target: &dyn Target, owner: &Owner, rounds: usize) -> Life {
    let request = request(&target.info().image);
    let [mut create, mut first, mut further, mut remove, mut all] = [const { Vec::new() }; 5];
    for _ in 0..rounds {
        let handle = Handle::new(owner.clone(), unique(owner));
        let start = Instant::now();
        let info = timed(&mut create, target.create(&handle, &request))
            .await
            .unwrap();
        let execd = target.execd(&info.id).await.unwrap();
        timed(&mut first, execd.run(&nothing())).await.unwrap();
        let before = start.elapsed();
        for _ in 0..BLOCK {
            timed(&mut further, execd.run(&nothing())).await.unwrap();
        }
        let start = Instant::now();
        timed(&mut remove, target.delete(&info.id)).await.unwrap();
        all.push(before + start.elapsed());
    }
    let [create, first, further, remove, all] = [create, first, further, remove, all].map(median);
    Life {
        create,
        first,
        further,
        remove,
        all,
    }
}

fn show(name: &str, life: &Life) {
    println!(
        "{name:<8} create {:.2}, first command {:.2}, further command {:.2}, removal {:.2}; create + first command + removal {:.2} ms",
        life.create, life.first, life.further, life.remove, life.all
    );
}

/// The bare engine: a container as the Docker target makes it, less the agent.
async fn bare_sandbox(docker: &Docker, image: &str, owner: &Owner) {
    let (name, volume) = (unique(owner), unique(owner));
    let create = VolumeCreateRequest {
        name: Some(volume.clone()),
        ..Default::default()
    };
    docker.create_volume(create).await.unwrap();
    let body = ContainerCreateBody {
        image: Some(image.into()),
        entrypoint: Some(["tail", "-f", "/dev/null"].map(String::from).to_vec()),
        host_config: Some(HostConfig {
            network_mode: Some("none".into()),
            nano_cpus: Some(500_000_000),
            memory: Some(512 << 20),
            mounts: Some(vec![Mount {
                typ: Some(MountType::VOLUME),
                source: Some(volume.clone()),
                target: Some("/mnt/data".into()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    docker.create_container(Some(options), body).await.unwrap();
    docker.start_container(&name, None).await.unwrap();
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&name, Some(force)).await.unwrap();
    let options = None::<RemoveVolumeOptions>;
    docker.remove_volume(&volume, options).await.unwrap();
}

/// The five sandboxes of the example on the bare engine, `jobs` at once.
async fn bare_sandboxes(docker: &Docker, image: &str, owner: &Owner, jobs: usize) {
    let mut running = FuturesUnordered::new();
    for _ in 0..SANDBOXES {
        if running.len() == jobs {
            running.next().await;
        }
        running.push(bare_sandbox(docker, image, owner));
    }
    while running.next().await.is_some() {}
}

/// One command through the engine's exec.
async fn engine_exec(docker: &Docker, container: &str) {
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(vec!["sh", "-c", "true"]),
        ..Default::default()
    };
    let exec = docker.create_exec(container, options).await.unwrap();
    if let StartExecResults::Attached { mut output, .. } =
        docker.start_exec(&exec.id, None).await.unwrap()
    {
        while output.next().await.is_some() {}
    }
    docker.inspect_exec(&exec.id).await.unwrap();
}

async fn example(target: &Arc<dyn Target>, suite: &Arc<Suite>, jobs: usize) {
    let state = tempfile::tempdir().unwrap();
    let options = RunnerOptions {
        jobs,
        state: state.path().into(),
        ..RunnerOptions::default()
    };
    let filters = EXAMPLE.map(|text| Filter::parse(text).unwrap());
    let selection = suite.select(&filters).unwrap();
    let runner = Runner::new(Arc::clone(suite), Arc::clone(target), options).unwrap();
    let cancel = CancellationToken::new();
    let summary = runner.run(&selection, &cancel, &mut |_| {}).await;
    assert!(summary.is_success(), "{summary:?}");
}

async fn on_docker(owner: &Owner) {
    let Ok(target) = DockerTarget::connect(DockerConfig::default()).await else {
        println!("no Docker engine answers: docker is not measured");
        return;
    };
    target.prepare().await.unwrap();
    let image = target.info().image.clone();
    let docker = Docker::connect_with_defaults().unwrap();
    let docker = docker.negotiate_version().await.unwrap();
    show("docker", &life(&target, owner, ROUNDS).await);
    let handle = Handle::new(owner.clone(), unique(owner));
    let info = target.create(&handle, &request(&image)).await.unwrap();
    let execd: Arc<dyn Execd> = target.execd(&info.id).await.unwrap();
    let (mut through_agent, mut through_engine) = (Vec::new(), Vec::new());
    // Interleaved, here and below, so that a slow moment of the machine falls on all alike; in
    // blocks, so that what the engine does after an exec falls on the next one.
    for _ in 0..TIMES / BLOCK {
        for _ in 0..BLOCK {
            timed(&mut through_agent, execd.run(&nothing()))
                .await
                .unwrap();
        }
        for _ in 0..BLOCK {
            timed(&mut through_engine, engine_exec(&docker, &handle.name)).await;
        }
    }
    target.delete(&info.id).await.unwrap();
    let [agent, engine] = [through_agent, through_engine].map(median);
    println!(
        "docker   one command: agent {agent:.2} ms, engine's exec {engine:.2} ms: 1/{:.0}",
        engine / agent
    );
    let target: Arc<dyn Target> = Arc::new(target);
    let suite = Arc::new(Suite::shipped().unwrap());
    let jobs = RunnerOptions::default().jobs;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        timed(&mut bare, bare_sandboxes(&docker, &image, owner, jobs)).await;
        timed(&mut ours, example(&target, &suite, jobs)).await;
    }
    let [ours, bare] = [ours, bare].map(median);
    println!(
        "docker   the four scenarios, {jobs} at once: {ours:.0} ms; their {SANDBOXES} sandboxes on the bare engine {bare:.0} ms: {:.2} x",
        ours / bare
    );
}

async fn on_local(owner: &Owner) {
    let state = tempfile::tempdir().unwrap();
    let config = LocalConfig {
        state: state.path().into(),
        ..LocalConfig::default()
    };
    let target = match LocalTarget::connect(config).await {
        Ok(target) => target,
        Err(error) => {
            println!("local is not measured: {error}");
            return;
        }
    };
    show("local", &life(&target, owner, TIMES).await);
    let mut process = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let output = Process::new(env!("CARGO_BIN_EXE_osb-conformance"))
            .args(["run", "--target", "local"])
            .args(EXAMPLE)
            .env("XDG_STATE_HOME", state.path())
            .output()
            .unwrap();
        process.push(start.elapsed());
        assert!(output.status.success(), "{output:?}");
    }
    println!(
        "local    the four scenarios, the whole process: {:.0} ms",
        median(process)
    );
}

#[tokio::main]
async fn main() {
    let owner = Owner::this_process();
    on_local(&owner).await;
    on_docker(&owner).await;
}
