//! The official SDK with our reference server: it finds what the specification's example shows.

use osb_conformance::transcript::{Comparison, compare};

use crate::engine;
use crate::python::{Door, KEY, Python, Seed};
use crate::served::Served;
use crate::support;

fn finds_the_example(python: &Python, door: Door<'_>) {
    let seed = Seed::run(python, door);
    let case = format!("proxy {}, key {:?}", door.proxy, door.key);
    assert_eq!(seed.code, Some(0), "{case}: {}\n{}", seed.told, seed.shown);
    let expected = include_str!("../seed_output.txt");
    if let Comparison::Differs(diff) = compare(expected, &seed.shown) {
        panic!("{case}:\n{}", diff.render());
    }
}

async fn the_sdk_finds_the_example(target: &str) {
    let Some(python) = Python::find() else { return };
    for key in [None, Some(KEY)] {
        let served = Served::start(target, key);
        for proxy in [false, true] {
            let door = Door {
                proxy,
                ..served.door()
            };
            finds_the_example(&python, door);
            assert_eq!(served.sandboxes(), 0, "proxy {proxy}, key {key:?}");
        }
        served.stop().await;
    }
}

#[tokio::test]
async fn the_sdk_finds_the_example_on_docker() {
    let Some(_engine) = engine::alone().await else {
        return;
    };
    the_sdk_finds_the_example("docker").await;
}

#[tokio::test]
async fn the_sdk_finds_the_example_on_local() {
    if support::local().await {
        the_sdk_finds_the_example("local").await;
    }
}

#[tokio::test]
async fn the_sdk_is_not_let_in_without_the_right_key() {
    let Some(python) = Python::find() else { return };
    if !support::local().await {
        return;
    }
    let served = Served::start("local", Some(KEY));
    for (key, code) in [(None, "MISSING_API_KEY"), (Some("x"), "INVALID_API_KEY")] {
        let door = Door {
            key,
            ..served.door()
        };
        let seed = Seed::run(&python, door);
        assert_eq!(seed.code, Some(1), "{}", seed.told);
        assert!(seed.told.contains(code), "{}", seed.told);
    }
    assert_eq!(served.sandboxes(), 0);
    served.stop().await;
}
