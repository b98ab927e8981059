//! A server that says one thing and mounts another: the engine below it tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use osb_conformance::report::Verdict;
use osb_conformance::sandbox::{
    CreateSandboxRequest, ImageSpec, Pvc, Volume, default_entrypoint, default_limits,
};
use osb_conformance::target::server::{ServerTarget, VolumeAccess};
use osb_conformance::target::{Handle, Owner, Resource, SeenMount, Target, Witness};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::relay::{Act, Relay, Seen};
use crate::run::{COMMAND, run};
use crate::support;

over! {
    docker {
        an_honest_server_has_the_mounts_it_says,
        a_server_that_forgets_what_was_asked_for_is_found_out,
        the_engine_tells_what_a_sandbox_cannot,
        a_server_that_makes_what_must_exist_is_left_as_it_was,
        a_server_that_makes_nothing_is_judged_all_the_same,
    }
    local {
        a_server_that_makes_nothing_is_judged_all_the_same,
        without_an_engine_the_sandbox_alone_is_asked,
        where_volumes_stay_none_is_made,
    }
}

const MOUNTS: &str = r#"
local v = volumes.create("asked", { files = { ["f.txt"] = "x", ["part/g.txt"] = "y" } })
local other = volumes.create("other", { files = { ["f.txt"] = "x", ["part/g.txt"] = "y" } })
local claim = { claimName = v.name }
local s = Sandbox.create {
  volumes = {
    { name = "ro", mountPath = "/mnt/ro", pvc = claim, readOnly = true },
    { name = "rw", mountPath = "/mnt/rw", pvc = claim },
    { name = "part", mountPath = "/mnt/part", pvc = claim, subPath = "part", readOnly = true },
  },
}
"#;

const READ_ONLY: &str =
    "expect(s):has_mount { mountPath = '/mnt/ro', claimName = v.name, readOnly = true }";
const READ_WRITE: &str = "expect(s):has_mount { mountPath = '/mnt/rw', claimName = v.name }";
const PART: &str = "expect(s):has_mount { mountPath = '/mnt/part', claimName = v.name, subPath = 'part', readOnly = true }";

/// A target with the engine's word, through `relay`.
async fn connect(bench: &Bench, relay: &Relay) -> Arc<ServerTarget> {
    let connected = bench.connect(relay.url(), |config| config.volumes = VolumeAccess::Auto);
    connected.await.unwrap()
}

/// A name, what is done to each volume, what the scenario expects, and what is told.
type Lie = (&'static str, fn(&mut Value), &'static str, &'static str);

/// Passes every create request on with a change to each of its volumes.
fn changing(change: fn(&mut Value)) -> impl Fn(&Seen, &[Seen]) -> Act {
    move |seen, _| {
        if !seen.is("POST", "/v1/sandboxes") {
            return Act::Pass;
        }
        let mut body: Value = serde_json::from_slice(&seen.body).unwrap();
        for volume in body["volumes"].as_array_mut().into_iter().flatten() {
            change(volume);
        }
        Act::Change(body)
    }
}

async fn an_honest_server_has_the_mounts_it_says(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = connect(&bench, &relay).await;
    let body = format!(
        "{MOUNTS}\n{READ_ONLY}\n{READ_WRITE}\n{PART}\n\
         s.commands:run('touch /mnt/rw/new')\n{READ_ONLY}\n{READ_WRITE}"
    );
    run(&target, &[("honest", &body)]).await.all_pass();
    assert_eq!(bench.count().await, 0);
}

async fn a_server_that_forgets_what_was_asked_for_is_found_out(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = connect(&bench, &relay).await;
    let lies: [Lie; 5] = [
        (
            "forgets_read_only",
            |volume| drop(volume.as_object_mut().unwrap().remove("readOnly")),
            READ_ONLY,
            "/mnt/ro is read-write inside of the sandbox",
        ),
        (
            "makes_read_only",
            |volume| volume["readOnly"] = json!(true),
            READ_WRITE,
            "/mnt/rw is read-only inside of the sandbox",
        ),
        (
            // The same files are in it: nobody inside can tell.
            "swaps_the_claim",
            |volume| {
                let claim = volume["pvc"]["claimName"].as_str().unwrap();
                volume["pvc"]["claimName"] = json!(swapped(claim));
            },
            READ_WRITE,
            "the engine has mounted the volume ",
        ),
        (
            "forgets_the_part",
            |volume| drop(volume.as_object_mut().unwrap().remove("subPath")),
            PART,
            "the engine has mounted the whole volume at /mnt/part",
        ),
        (
            "mounts_elsewhere",
            |volume| volume["mountPath"] = json!(format!("/elsewhere{}", volume["name"])),
            READ_WRITE,
            "nothing is mounted at /mnt/rw inside of the sandbox",
        ),
    ];
    for (name, lie, expectation, says) in lies {
        relay.when(changing(lie));
        let body = format!("{MOUNTS}\n{expectation}");
        let outcome = run(&target, &[(name, &body)]).await;
        relay.heal();
        let finding = outcome.finding(name);
        assert_eq!(
            (finding.verdict, finding.kind),
            (Verdict::Failed, "expectation"),
            "{finding:?}"
        );
        assert!(finding.message.contains(says), "{name}: {finding:?}");
        assert_eq!(outcome.left(), Vec::<String>::new());
        assert_eq!(bench.count().await, 0);
    }
}

/// The name of the volume that a scenario of the same run made next.
fn swapped(claim: &str) -> String {
    let (rest, number) = claim.rsplit_once('-').unwrap();
    let next = number.parse::<u32>().unwrap() + 1;
    format!("{}-{next}", rest.replacen("asked", "other", 1))
}

async fn the_engine_tells_what_a_sandbox_cannot(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = connect(&bench, &relay).await;
    let owner = Owner::this_process();
    let handle = Handle::new(owner.clone(), format!("osb-{}-1", owner.run));
    let claim = format!("witness-{}-2", owner.run);
    let files = BTreeMap::from([("f.txt".to_owned(), b"x".to_vec())]);
    target.create_volume(&owner, &claim, &files).await.unwrap();
    relay.when(changing(|volume| {
        volume.as_object_mut().unwrap().remove("readOnly");
    }));
    let request = CreateSandboxRequest {
        image: Some(ImageSpec {
            uri: target.info().image.clone(),
            auth: None,
        }),
        entrypoint: Some(default_entrypoint()),
        resource_limits: Some(default_limits()),
        timeout: Some(600),
        volumes: Some(vec![Volume {
            pvc: Some(Pvc::claim(&claim)),
            read_only: true,
            ..Volume::at("v", "/mnt/data")
        }]),
        ..CreateSandboxRequest::default()
    };
    let info = target.create(&handle, &request).await.unwrap();
    assert_eq!(info.metadata, None);
    let seen = SeenMount {
        claim_name: Some(claim.clone()),
        sub_path: None,
        host_path: None,
        read_only: false,
        entries: Some(["f.txt".to_owned()].into()),
    };
    let witness = target.witness(&info.id, "/mnt/data/").await.unwrap();
    assert_eq!(witness, Witness::Saw(Some(seen)));
    let nothing = target.witness(&info.id, "/mnt").await.unwrap();
    assert_eq!(nothing, Witness::Saw(None));
    let unknown = target.witness("nope", "/mnt/data").await.unwrap();
    assert!(matches!(unknown, Witness::Blind(_)), "{unknown:?}");
    for resource in [Resource::Sandbox(handle.name), Resource::Volume(claim)] {
        target.remove(&owner.run, &resource).await.unwrap();
    }
    assert_eq!(target.remains(Some(&owner.run)).await.unwrap(), []);
}

async fn without_an_engine_the_sandbox_alone_is_asked(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let body = format!("{MOUNTS}\n{READ_ONLY}\n{READ_WRITE}\n{PART}");
    run(&target, &[("honest", &body)]).await.all_pass();
    relay.when(changing(|volume| {
        volume.as_object_mut().unwrap().remove("readOnly");
    }));
    let body = format!("{MOUNTS}\n{READ_ONLY}");
    let outcome = run(&target, &[("lies", &body)]).await;
    let finding = outcome.finding("lies");
    assert!(
        finding.message.contains("/mnt/ro is read-write"),
        "{finding:?}"
    );
    assert_eq!(bench.count().await, 0);
}

async fn a_server_that_makes_what_must_exist_is_left_as_it_was(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    let engine = support::engine().await.unwrap();
    relay.when(changing(|volume| {
        volume["pvc"]["createIfNotExists"] = json!(true);
    }));
    let target = connect(&bench, &relay).await;
    let told = &target.info().description;
    assert!(told.contains("makes volumes that must exist"), "{told}");
    assert_eq!(bench.count().await, 0);
    let asked: Vec<_> = relay
        .seen()
        .iter()
        .filter(|seen| seen.is("POST", "/v1/sandboxes"))
        .filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok())
        .flat_map(|body| body["volumes"].as_array().cloned().unwrap_or_default())
        .map(|volume| volume["pvc"]["claimName"].as_str().unwrap().to_owned())
        .collect();
    assert!(asked.len() >= 2, "{asked:?}");
    for claim in asked {
        let left = engine.inspect_volume(&claim).await;
        assert!(left.is_err(), "{claim} is left");
    }
}

async fn where_volumes_stay_none_is_made(bench: Arc<Bench>) {
    let relay = Relay::to(bench.address).await;
    relay.when(changing(|volume| {
        volume["pvc"]["deleteOnSandboxTermination"] = json!(false);
    }));
    let target = bench.connect(relay.url(), |_| ()).await.unwrap();
    let told = &target.info().description;
    assert!(
        told.contains("was to go with its sandbox, is there still"),
        "{told}"
    );
    let flagged = r#"
Sandbox.create { volumes = { { name = "v", mountPath = "/v", pvc = {
  claimName = volumes.name("v"), deleteOnSandboxTermination = true } } } }"#;
    let outcome = run(
        &target,
        &[
            ("prepared", MOUNTS),
            ("flagged", flagged),
            ("none", COMMAND),
        ],
    )
    .await;
    for name in ["prepared", "flagged"] {
        let finding = outcome.finding(name);
        assert_eq!(finding.verdict, Verdict::Skipped, "{finding:?}");
        assert!(
            finding.message.contains("give --volumes docker"),
            "{finding:?}"
        );
    }
    assert_eq!(outcome.verdict("none"), Verdict::Passed);
    assert_eq!(bench.count().await, 0);
}

async fn a_server_that_makes_nothing_is_judged_all_the_same(bench: Arc<Bench>) {
    for (status, kind, body) in [
        (500, "application/json", r#"{"code":"X","message":"never"}"#),
        (200, "text/html", "<html>never</html>"),
    ] {
        let relay = Relay::to(bench.address).await;
        // From the beginning, when it is found out where its volumes are.
        relay.when(move |seen, _| match seen.is("POST", "/v1/sandboxes") {
            true => Act::Answer(status, kind, body.into()),
            false => Act::Pass,
        });
        let access = match bench.is_docker() {
            true => VolumeAccess::Auto,
            false => VolumeAccess::Api,
        };
        let target = bench.connect(relay.url(), |config| config.volumes = access);
        let outcome = run(&target.await.unwrap(), &[("create", COMMAND)]).await;
        let finding = outcome.finding("create");
        assert_eq!(finding.verdict, Verdict::Failed, "{finding:?}");
        assert!(outcome.told.contains("never"), "{}", outcome.told);
        assert_eq!(outcome.left(), Vec::<String>::new());
        assert_eq!(bench.count().await, 0);
    }
}
