//! A server as a target, with nothing wrong: it is one like any other.

use std::sync::Arc;

use osb_conformance::report::Verdict;
use osb_conformance::target::Target;
use osb_conformance::target::server::VolumeAccess;

use crate::bench::{Bench, KEY};
use crate::run::{Outcome, SEEDS, run, run_on, run_seeds, run_shipped};

over! {
    docker {
        the_shipped_scenarios_pass_with_volumes_on_the_engine,
        a_sandbox_is_what_its_scenario_made_it,
        a_raw_request_is_answered_as_by_any_target,
    }
    local {
        the_shipped_scenarios_pass_with_volumes_through_the_api,
        an_engine_that_is_not_the_servers_is_not_used,
        a_sandbox_is_what_its_scenario_made_it,
        lists_are_filtered_and_paged,
        a_volume_that_nobody_could_remove_is_not_made,
        a_raw_request_is_answered_as_by_any_target,
        sandboxes_of_raw_requests_are_removed,
    }
    keyed { the_shipped_scenarios_pass_with_a_key }
}

fn assert_seeds(outcome: &Outcome) {
    outcome.all_pass();
    let verdicts = &outcome.summary.scenarios;
    for seed in SEEDS {
        assert_eq!(verdicts.get(seed), Some(&Verdict::Passed), "{seed}");
    }
    println!("{} scenarios within {:?}", verdicts.len(), outcome.duration);
}

async fn the_shipped_scenarios_pass_with_volumes_on_the_engine(bench: Arc<Bench>) {
    let on_it = "(the server's volumes are on it)";
    for (proxy, volumes, through) in [
        (false, VolumeAccess::Auto, on_it),
        (true, VolumeAccess::Auto, on_it),
    ] {
        let outcome = on_the_engine(&bench, proxy, volumes, through, &SEEDS).await;
        assert_seeds(&outcome);
    }
    // Where somebody says so, nothing is found out.
    for (volumes, through) in [
        (VolumeAccess::Docker, "(--volumes docker)"),
        (
            VolumeAccess::Api,
            "volumes through the API alone (--volumes api)",
        ),
    ] {
        let one = ["volumes/pvc/sub_path.lua"];
        on_the_engine(&bench, false, volumes, through, &one)
            .await
            .all_pass();
    }
}

/// Runs shipped scenarios; the target says that it goes `through` something to its volumes.
async fn on_the_engine(
    bench: &Bench,
    proxy: bool,
    volumes: VolumeAccess,
    through: &str,
    paths: &[&str],
) -> Outcome {
    let connected = bench.connect(bench.url(), |config| {
        (config.proxy, config.volumes) = (proxy, volumes);
        if volumes != VolumeAccess::Api {
            config.image = None;
        }
    });
    let target = connected.await.unwrap();
    let outcome = run_shipped(&target, paths).await;
    let description = &target.info().description;
    assert!(description.contains(through), "{description}");
    assert_eq!(bench.count().await, 0);
    outcome
}

async fn the_shipped_scenarios_pass_with_volumes_through_the_api(bench: Arc<Bench>) {
    for proxy in [false, true] {
        let connected = bench.connect(bench.url(), |config| config.proxy = proxy);
        let target = connected.await.unwrap();
        assert_seeds(&run_seeds(&target).await);
        assert_eq!(bench.count().await, 0);
    }
}

async fn the_shipped_scenarios_pass_with_a_key(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let outcome = run_seeds(&target).await;
    assert_seeds(&outcome);
    assert!(!outcome.told.contains(KEY));
    assert_eq!(bench.count().await, 0);
}

async fn an_engine_that_is_not_the_servers_is_not_used(bench: Arc<Bench>) {
    // Whether there is one or not.
    let connected = bench.connect(bench.url(), |config| config.volumes = VolumeAccess::Auto);
    let target = connected.await.unwrap();
    assert_seeds(&run_seeds(&target).await);
    let description = &target.info().description;
    assert!(
        description.contains("volumes through the API alone ("),
        "{description}"
    );
    assert_eq!(bench.count().await, 0);
}

async fn a_sandbox_is_what_its_scenario_made_it(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let marks = r#"
local plain = Sandbox.create {}
expect(plain:info().metadata):is_nil()
local s = Sandbox.create { metadata = { team = "a", blank = "" }, env = { A = "b" } }
expect(s:info().metadata):is { team = "a", blank = "" }
local renamed = s:patch_metadata { team = "b", blank = false, more = "1" }
expect(renamed.metadata):is { team = "b", more = "1" }
expect(s:info().metadata):is { team = "b", more = "1" }
local listed = Sandbox.list { metadata = { team = "b" } }
expect(#listed.items):is(1)
expect(listed.items[1].id):is(s.id)
expect(listed.items[1].metadata):is { team = "b", more = "1" }
for _, item in ipairs(Sandbox.list({ pageSize = 100 }).items) do
  for key in pairs(item.metadata or {}) do
    expect(key):does_not_contain("osb")
  end
end
expect(s.commands:run("printenv A").stdout):is("b\n")
-- The mark is out of a patch's reach, too.
expect.rejected(function() s:patch_metadata { ["opensandbox.io/x"] = "1" } end)
expect(s:info().metadata):is { team = "b", more = "1" }
"#;
    let life = r#"
local s = Sandbox.create { timeout = 600 }
expect(s:info().status.state):is("Running")
local before = s:info().expiresAt
s.files:write("/tmp/kept", "kept")
s:pause()
expect(s:info().status.state):is("Paused")
local paused = expect.rejected(function() s.commands:run("true") end)
expect(paused.status):is(409)
expect(expect.rejected(function() s:pause() end).status):is(409)
s:resume()
expect(s:info().status.state):is("Running")
expect(s.files:read("/tmp/kept")):is("kept")
expect(expect.rejected(function() s:resume() end).status):is(409)
local renewed = s:renew(1200)
expect(s:info().expiresAt):is(renewed.expiresAt)
expect(renewed.expiresAt):is_not(before)
expect(expect.rejected(function() s:renew(60) end).code):is("DOCKER::EXPIRATION_NOT_EXTENDED")
expect(s:endpoint(8080).endpoint):contains("/proxy/8080")
local exit = s.commands:run("echo out; echo err >&2; exit 3")
expect(exit.stdout .. exit.stderr .. exit.exit_code):is("out\nerr\n3")
s:kill()
expect(expect.rejected(function() s:info() end).status):is(404)
expect(expect.rejected(function() s:kill() end).status):is(404)
expect(expect.rejected(function() s.commands:run("true") end).status):is(404)
"#;
    run(&target, &[("marks", marks), ("life", life)])
        .await
        .all_pass();
    assert_eq!(bench.count().await, 0);
}

async fn lists_are_filtered_and_paged(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let body = r#"
local made = {}
for n, team in ipairs { "x", "y", "x", "x" } do
  made[n] = Sandbox.create({ metadata = { team = team, ["a/b"] = "c.d_e-f" } }).id
end
local function ids(query)
  local found = {}
  for n, item in ipairs(Sandbox.list(query).items) do
    found[n] = item.id
  end
  return found
end
expect(ids { metadata = { ["a/b"] = "c.d_e-f" } }):is { made[4], made[3], made[2], made[1] }
expect(ids { metadata = { team = "x" } }):is { made[4], made[3], made[1] }
expect(ids { metadata = { team = "x" }, pageSize = 2 }):is { made[4], made[3] }
expect(ids { metadata = { team = "x" }, pageSize = 2, page = 2 }):is { made[1] }
expect(ids { metadata = { team = "x" }, pageSize = 2, page = 9 }):is {}
expect(ids { metadata = { team = "z" } }):is {}
expect(ids { state = { "Running" }, metadata = { team = "y" } }):is { made[2] }
expect(ids { state = { "Paused", "Failed" } }):is {}
local page = Sandbox.list({ metadata = { team = "x" }, pageSize = 2 }).pagination
expect(page):is { page = 1, pageSize = 2, totalItems = 3, totalPages = 2, hasNextPage = true }
expect(expect.rejected(Sandbox.list, { page = 0 }).status):is(400)
"#;
    run(&target, &[("lists", body)]).await.all_pass();
    // More than fit on one page of those who clean up.
    let many = r#"
local function some()
  for _ = 1, 21 do
    Sandbox.create {}
  end
end
concurrently(some, some, some, some, some)
"#;
    let outcome = run(&target, &[("many", many)]).await;
    outcome.all_pass();
    println!("105 sandboxes within {:?}", outcome.duration);
    assert_eq!(bench.count().await, 0);
}

async fn a_volume_that_nobody_could_remove_is_not_made(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let with = |pvc: &str| {
        format!(
            "Sandbox.create {{ volumes = {{ {{ name = 'v', mountPath = '/mnt/data', pvc = {pvc} }} }} }}"
        )
    };
    let name = "volumes.name('lasting')";
    let lasting = with(&format!("{{ claimName = {name} }}"));
    let going = with(&format!(
        "{{ claimName = {name}, deleteOnSandboxTermination = true }}"
    ));
    let missing = format!(
        "local e = expect.rejected(function() {} end)\nexpect(e.code):is('VOLUME::PVC_NOT_FOUND')",
        with(&format!(
            "{{ claimName = {name}, createIfNotExists = false }}"
        ))
    );
    let ours = format!(
        "local v = volumes.create('ours')\n{}",
        with("{ claimName = v.name }")
    );
    let scenarios = [
        ("lasting", lasting.as_str()),
        ("going", going.as_str()),
        ("missing", missing.as_str()),
        ("ours", ours.as_str()),
    ];
    let outcome = run(&target, &scenarios).await;
    let finding = outcome.finding("lasting");
    assert_eq!(finding.verdict, Verdict::Skipped, "{finding:?}");
    assert!(
        finding
            .message
            .contains("cannot be removed through the API alone"),
        "{finding:?}"
    );
    assert!(finding.message.contains("--volumes docker"), "{finding:?}");
    for name in ["going", "missing", "ours"] {
        let report = outcome.of(name);
        assert_eq!(
            report.verdict,
            Verdict::Passed,
            "{name}: {:?}",
            report.findings
        );
    }
    assert!(outcome.summary.is_success());
    assert_eq!(bench.count().await, 0);
}

async fn a_raw_request_is_answered_as_by_any_target(bench: Arc<Bench>) {
    let server = bench.connect(bench.url(), |_| ()).await.unwrap();
    let body = r#"
local function show(method, path, body)
  local answer = api.request { method = method, path = path, body = body }
  local names = {}
  for name in pairs(answer.headers) do
    -- What belongs to one answer, or to one connection.
    if name ~= "x-request-id" and name ~= "date" and name ~= "content-length" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  say(method .. " " .. path .. ": " .. answer.status .. " " .. answer.text)
  for _, name in ipairs(names) do
    say(name .. ": " .. answer.headers[name])
  end
  expect(answer.headers["x-request-id"]):matches("^%x+%-%x+%-4%x+%-%x+%-%x+$")
  expect(answer.body.code):is_not_nil()
end
show("GET", "/no-such-thing")
show("PUT", "/sandboxes")
show("POST", "/sandboxes", "{bad")
show("POST", "/sandboxes", { timeout = 5 })
show("GET", "/sandboxes/nope")
show("GET", "/sandboxes?page=0")
show("GET", "/snapshots")
"#;
    let over_network = run(&server, &[("raw", body)]).await;
    over_network.all_pass();
    let direct = run_on(Arc::clone(&bench.target), &[("raw", body)]).await;
    direct.all_pass();
    let said = &direct.of("raw").transcript;
    assert_eq!(&over_network.of("raw").transcript, said);
    // Word for word, so that it is the same on every target.
    let unknown = r#"GET /no-such-thing: 404 {"code":"GENERAL::NOT_FOUND","message":"there is nothing at /v1/no-such-thing"}"#;
    assert!(said.contains(unknown), "{said}");
}

async fn sandboxes_of_raw_requests_are_removed(bench: Arc<Bench>) {
    let target = bench.connect(bench.url(), |_| ()).await.unwrap();
    let body = r#"
local rest = require "rest"
for _ = 1, 3 do
  local answer = rest.create { env = { A = "b" } }
  expect(answer.status):is(202)
  expect(answer.headers.location):contains(answer.body.id)
end
local gone = rest.create()
expect(rest.delete("/sandboxes/" .. gone.body.id).status):is(204)
rest.expect_rejected({ timeout = 5 }, "timeout")
require("refusal").of_volume({ pvc = { claimName = "A_b" } }, "claimName")
"#;
    let unknown =
        "require('rest').expect_refused(api.request { method = 'GET', path = '/x' }, 404)";
    let outcome = run(&target, &[("raw", body), ("unknown", unknown)]).await;
    outcome.all_pass();
    assert_eq!(bench.count().await, 0);
}
