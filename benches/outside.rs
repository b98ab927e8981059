//! What the way over HTTP costs, and what an official SDK takes for the same: the four scenarios of
//! the specification's example on Docker, directly and through our reference server; and on the
//! official server with its default settings, through `osb-conformance` and through the official
//! SDK. One run, ratios. Every figure is a whole process, from its start to its end.
//!
//! Needs a Python, see tests/outside/main.rs:
//! `OSB_OUTSIDE_PYTHON=PYTHON cargo bench --bench outside`

#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use official::Official;
use python::{Door, KEY, Python, Seed};
use served::Served;
use support::{Tool, text};

#[allow(dead_code)]
#[path = "../tests/outside/engine.rs"]
mod engine;
#[allow(dead_code)]
#[path = "../tests/outside/official.rs"]
mod official;
#[path = "../tests/outside/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../tests/outside/python.rs"]
mod python;
#[allow(dead_code)]
#[path = "../tests/outside/served.rs"]
mod served;
#[allow(dead_code)]
#[path = "../tests/support/mod.rs"]
mod support;

const ROUNDS: usize = 7;

/// The scenarios of the specification's example, which make five sandboxes.
const EXAMPLE: [&str; 4] = [
    "volumes/pvc/read_write.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/sub_path.lua",
];

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// How long `osb-conformance run` takes on `target` with `command`'s environment.
fn run(mut command: Command) -> Duration {
    command
        .args(["--jobs", "4"])
        .args(EXAMPLE)
        .stdin(Stdio::null());
    timed(|| {
        let output = command.output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{command:?}: {told}");
    })
}

/// How long the SDK takes.
fn seed(python: &Python, door: Door<'_>) -> Duration {
    timed(|| {
        let seed = Seed::run(python, door);
        assert_eq!(seed.code, Some(0), "{}", seed.told);
    })
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

#[tokio::main]
async fn main() {
    let Some(python) = Python::find() else { return };
    let Some(_engine) = engine::alone().await else {
        return;
    };
    let tool = Tool::new();
    let served = Served::start("docker", None);
    let official = Official::start(&python);
    let served_address = format!("http://{}", served.door().address);
    let official_address = format!("http://{}", official.address());
    let door = Door {
        address: official.address(),
        key: Some(KEY),
        image: served.door().image,
        proxy: false,
    };
    let [mut direct, mut over_http, mut suite, mut sdk] = [const { Vec::new() }; 4];
    // Interleaved, so that a slow moment of the machine falls on all alike. The first round is not
    // counted: then images are looked for, and files are read.
    for round in 0..=ROUNDS {
        for (times, took) in [
            (
                &mut direct,
                run(tool.command(&["run", "--target", "docker"])),
            ),
            (
                &mut over_http,
                run(tool.command(&["run", "--target", &served_address])),
            ),
            (
                &mut suite,
                run(official.tool(&["run", "--target", &official_address])),
            ),
            (&mut sdk, seed(&python, door)),
        ] {
            if round > 0 {
                times.push(took);
            }
        }
    }
    served.stop().await;
    let [direct, over_http, suite, sdk] =
        [direct, over_http, suite, sdk].map(|mut times| median(&mut times));
    println!("medians of {ROUNDS} rounds, four scenarios, five sandboxes:");
    println!("(i)   docker, --jobs 4                      {direct:7.0} ms");
    println!(
        "(ii)  serve in front of docker, --jobs 4    {over_http:7.0} ms  {:.2} x (i), asked: at most 1.30",
        over_http / direct
    );
    println!("(iii) the official server, --jobs 4         {suite:7.0} ms");
    println!("(iv)  the official server, official SDK     {sdk:7.0} ms");
    println!(
        "      (iii) is {:.2} x (iv), asked: at most 0.33",
        suite / sdk
    );
}
