//! A target of another project's own, against the public API: what an embedder relies on.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use osb_conformance::execd::{Command, CommandResult, Execd, ExecdError, FileInfo};
use osb_conformance::report::{Event, Summary, Verdict};
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::sandbox::{
    ApiError, CreateSandboxRequest, SandboxInfo, SandboxState, SandboxStatus,
};
use osb_conformance::target::{
    Capability, Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo,
};
use tokio_util::sync::CancellationToken;

/// Keeps sandboxes in memory; its execd echoes. With `forgets`, it does not remove them; with
/// `hangs`, it does not describe them.
struct Memory {
    info: TargetInfo,
    sandboxes: Mutex<BTreeMap<String, Owner>>,
    created: AtomicUsize,
    forgets: bool,
    hangs: bool,
}

impl Memory {
    fn new() -> Self {
        let info = TargetInfo {
            name: "memory".into(),
            locator: "memory".into(),
            description: "sandboxes in memory".into(),
            image: "none".into(),
            volume_kind: "Memory".into(),
            host_root: None,
            capabilities: BTreeSet::from([Capability::Commands]),
        };
        Self {
            info,
            sandboxes: Mutex::default(),
            created: AtomicUsize::new(0),
            forgets: false,
            hangs: false,
        }
    }
}

#[async_trait]
impl Target for Memory {
    fn info(&self) -> &TargetInfo {
        &self.info
    }

    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo> {
        let valid = request.validate()?;
        if valid.env.contains_key("BREAK") {
            return Err(TargetError::failed(
                "creating the sandbox failed",
                "out of memory",
            ));
        }
        self.created.fetch_add(1, Ordering::Relaxed);
        self.sandboxes
            .lock()
            .unwrap()
            .insert(handle.name.clone(), handle.owner.clone());
        Ok(info(&handle.name))
    }

    async fn get(&self, id: &str) -> Result<SandboxInfo> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let known = self.sandboxes.lock().unwrap().contains_key(id);
        if known {
            Ok(info(id))
        } else {
            Err(ApiError::new(404, "NOT_FOUND", "no such sandbox").into())
        }
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.get(id).await?;
        self.sandboxes.lock().unwrap().remove(id);
        Ok(())
    }

    async fn execd(&self, _id: &str) -> Result<Arc<dyn Execd>> {
        Ok(Arc::new(Echo))
    }

    async fn remove(&self, run: &RunId, resource: &Resource) -> Result<()> {
        if let (Resource::Sandbox(name), false) = (resource, self.forgets) {
            self.sandboxes
                .lock()
                .unwrap()
                .retain(|known, owner| known != name || owner.run != *run);
        }
        Ok(())
    }

    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let sandboxes = self.sandboxes.lock().unwrap();
        let mine = |owner: &&Owner| run.is_none_or(|run| owner.run == *run);
        let left = sandboxes.iter().filter(|(_, owner)| mine(owner));
        Ok(left
            .map(|(name, owner)| (owner.clone(), Resource::Sandbox(name.clone())))
            .collect())
    }
}

fn info(id: &str) -> SandboxInfo {
    SandboxInfo {
        id: id.into(),
        image: None,
        snapshot_id: None,
        platform: None,
        status: SandboxStatus::of(SandboxState::Running),
        metadata: None,
        entrypoint: vec![],
        expires_at: None,
        created_at: Timestamp::now(),
    }
}

/// Answers every command with itself.
struct Echo;

#[async_trait]
impl Execd for Echo {
    async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError> {
        Ok(CommandResult {
            stdout: command.command.clone().into_bytes(),
            ..CommandResult::default()
        })
    }
    async fn read_file(&self, path: &str) -> Result<Vec<u8>, ExecdError> {
        Err(ExecdError::api(404, "FILE_NOT_FOUND", path))
    }
    async fn write_file(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), ExecdError> {
        Ok(())
    }
    async fn file_info(&self, path: &str) -> Result<FileInfo, ExecdError> {
        Err(ExecdError::api(404, "FILE_NOT_FOUND", path))
    }
    async fn list_directory(&self, _: &str) -> Result<Vec<FileInfo>, ExecdError> {
        Ok(vec![])
    }
    async fn delete_file(&self, _: &str) -> Result<(), ExecdError> {
        Ok(())
    }
}

/// What a run came to.
struct Outcome {
    summary: Summary,
    /// Paths in the order in which they were reported.
    order: Vec<String>,
    /// First finding of each scenario, by path: kind, place and message.
    findings: BTreeMap<String, String>,
}

impl Outcome {
    fn verdict(&self, path: &str) -> Verdict {
        self.summary.scenarios[path]
    }
}

/// Runs scenarios given as name and body; `...` is the transcript of each.
async fn run(
    target: Arc<Memory>,
    change: impl FnOnce(&mut RunnerOptions),
    scenarios: &[(&str, &str)],
) -> Outcome {
    run_until(target, change, scenarios, CancellationToken::new()).await
}

async fn run_until(
    target: Arc<Memory>,
    change: impl FnOnce(&mut RunnerOptions),
    scenarios: &[(&str, &str)],
    cancel: CancellationToken,
) -> Outcome {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, body) in scenarios {
        let lua = format!("scenario {{ title = \"{name}\" }}\n{body}");
        let lua = if body.starts_with("scenario") {
            (*body).to_owned()
        } else {
            lua
        };
        std::fs::write(folder.path().join(format!("{name}.lua")), lua).unwrap();
        std::fs::write(folder.path().join(format!("{name}.transcript")), "...\n").unwrap();
    }
    let suite = Arc::new(Suite::folder(folder.path()).unwrap());
    let selection = suite.select(&[]).unwrap();
    let mut options = RunnerOptions {
        state: state.path().into(),
        ..RunnerOptions::default()
    };
    change(&mut options);
    let runner = Runner::new(suite, target, options).unwrap();
    let (mut order, mut findings) = (Vec::new(), BTreeMap::new());
    let summary = runner
        .run(&selection, &cancel, &mut |event: &Event<'_>| {
            if let Event::ScenarioFinished(report) = event {
                order.push(report.scenario.path().to_owned());
                if let Some(first) = report.findings.first() {
                    let place = first.location.clone().unwrap_or_default();
                    findings.insert(
                        report.scenario.path().to_owned(),
                        format!("{} {place} {}", first.kind, first.message),
                    );
                }
            }
        })
        .await;
    assert_eq!(
        summary.verdicts.total(),
        selection.len(),
        "selected must equal reported"
    );
    Outcome {
        summary,
        order,
        findings,
    }
}

const CREATE: &str = "local s = Sandbox.create {}\nsay(s.commands:run('hi').stdout)";

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_ones_own_is_run_and_left_empty() {
    let target = Arc::new(Memory::new());
    let outcome = run(Arc::clone(&target), |_| (), &[("a", CREATE), ("b", CREATE)]).await;
    assert!(
        outcome.summary.is_success() && outcome.summary.verdicts.passed == 2,
        "{:?}",
        outcome.findings
    );
    assert_eq!(target.created.load(Ordering::Relaxed), 2);
    assert!(target.sandboxes.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_keeps_is_a_leak() {
    let target = Arc::new(Memory {
        forgets: true,
        ..Memory::new()
    });
    let outcome = run(target, |_| (), &[("a", CREATE)]).await;
    assert_eq!(outcome.verdict("a.lua"), Verdict::Passed);
    assert!(!outcome.summary.is_success());
    assert!(
        outcome.summary.leaked[0].contains("was left behind"),
        "{:?}",
        outcome.summary.leaked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_capability_is_a_skip_that_calls_nothing() {
    let body = "scenario { title = 'T', requires = { 'volumes.pvc' } }\nSandbox.create {}";
    let target = Arc::new(Memory::new());
    let outcome = run(
        Arc::clone(&target),
        |_| (),
        &[("a", body), ("b", "skip 'not today'")],
    )
    .await;
    assert_eq!(
        (outcome.verdict("a.lua"), outcome.verdict("b.lua")),
        (Verdict::Skipped, Verdict::Skipped)
    );
    assert_eq!(
        outcome.findings["a.lua"],
        "capability  memory lacks the capability volumes.pvc"
    );
    assert!(outcome.findings["b.lua"].ends_with("not today"));
    assert_eq!(target.created.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_tell_a_wrong_target_from_a_broken_one_and_from_a_wrong_script() {
    let scenarios = [
        ("api", "Sandbox.create { timeout = 5 }"),
        ("broken", "Sandbox.create { env = { BREAK = 'x' } }"),
        ("caught", "pcall(function() expect(1):is(2) end)\nsay 'on'"),
        ("global", "print 'x'"),
        ("host", "io.open('/etc/passwd')"),
        ("host_list", "host_dirs.list('/etc')"),
        ("host_read", "host_dirs.read('/etc', 'passwd')"),
        ("list", "Sandbox.create { entrypoint = { sh = 'x' } }"),
        ("nil", "say(nil)"),
        (
            "rejected",
            "local e = expect.rejected(Sandbox.create, { timeout = 5 })\nexpect(e.status):is(400)\nexpect(e.code):is('SANDBOX::INVALID_PARAMETER')\nexpect(e.message):contains('timeout 5')",
        ),
        ("rejected_not", "expect.rejected(Sandbox.create, {})"),
        ("require", "require 'nothing'"),
        (
            "tables",
            "expect({ a = { 1, 2 } }):is({ a = { 1, 2 } })\nexpect({ 'x' }):contains('x')\nexpect('abc'):matches('^a.c$')\nexpect(3):is_at_least(3)",
        ),
    ];
    let outcome = run(Arc::new(Memory::new()), |_| (), &scenarios).await;
    for (name, verdict, says) in [
        (
            "api",
            Verdict::Failed,
            "api_error api.lua:2 400 SANDBOX::INVALID_PARAMETER: timeout 5",
        ),
        (
            "broken",
            Verdict::Errored,
            "target broken.lua:2 creating the sandbox failed: out of memory",
        ),
        (
            "caught",
            Verdict::Failed,
            "expectation caught.lua:2 expected 1 to be 2",
        ),
        (
            "global",
            Verdict::Errored,
            "script global.lua:2 \"print\" is not defined; say(text) prints",
        ),
        ("host", Verdict::Errored, "scenarios cannot reach the host"),
        (
            "host_list",
            Verdict::Errored,
            "that this scenario made with host_dirs.create",
        ),
        (
            "host_read",
            Verdict::Errored,
            "that this scenario made with host_dirs.create",
        ),
        ("list", Verdict::Errored, "entrypoint must be a list"),
        ("nil", Verdict::Errored, "say takes text, not nil"),
        (
            "rejected_not",
            Verdict::Failed,
            "expected the API to refuse this, but it was accepted",
        ),
        (
            "require",
            Verdict::Errored,
            "no module \"nothing\" below scenarios/lib; there is: attempt, ",
        ),
    ] {
        let path = format!("{name}.lua");
        let finding = outcome.findings.get(&path).map_or("", String::as_str);
        assert_eq!(outcome.verdict(&path), verdict, "{name}: {finding}");
        assert!(finding.contains(says), "{name}: {finding}");
    }
    for name in ["rejected.lua", "tables.lua"] {
        assert_eq!(
            outcome.verdict(name),
            Verdict::Passed,
            "{:?}",
            outcome.findings.get(name)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flow_functions_do_what_they_say() {
    let body = "
local n, m = 0, 0
local value = eventually(function() n = n + 1; expect(n):is_at_least(3); return n end, { interval = 0.001 })
expect(value):is(3)
local a, b = concurrently(function() eventually(function() return m == 1 end) return 'a' end,
                          function() m = 1 return 'b' end)
expect(a .. b):is('ab')";
    let late = "eventually(function() return false end, { timeout = 0.05, interval = 0.01 })";
    let outcome = run(
        Arc::new(Memory::new()),
        |_| (),
        &[("flow", body), ("late", late)],
    )
    .await;
    assert_eq!(
        outcome.verdict("flow.lua"),
        Verdict::Passed,
        "{:?}",
        outcome.findings
    );
    assert_eq!(
        outcome.findings["late.lua"],
        "expectation late.lua:2 not within 0.05 s: it is still false"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_is_named_with_its_call() {
    let target = Arc::new(Memory {
        hangs: true,
        ..Memory::new()
    });
    let body = "local s = Sandbox.create {}\npcall(function() s:info() end)";
    let options = |options: &mut RunnerOptions| options.timeout = Duration::from_millis(300);
    let outcome = run(Arc::clone(&target), options, &[("waits", body)]).await;
    assert_eq!(outcome.verdict("waits.lua"), Verdict::Failed);
    assert_eq!(
        outcome.findings["waits.lua"],
        "timeout waits.lua:3 sandbox:info did not return within the scenario's 0.3 s"
    );
    assert!(target.sandboxes.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_come_in_order_whatever_ends_first() {
    let slow = "eventually(function() return false end, { timeout = 0.3 })";
    let scenarios = [
        ("a", slow),
        ("b", CREATE),
        ("c", "error 'x'"),
        ("d", CREATE),
    ];
    let mut orders = Vec::new();
    for jobs in [1, 4] {
        let outcome = run(
            Arc::new(Memory::new()),
            |options| options.jobs = jobs,
            &scenarios,
        )
        .await;
        orders.push((outcome.order, outcome.findings, outcome.summary.scenarios));
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0].0, ["a.lua", "b.lua", "c.lua", "d.lua"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_fast_and_an_interruption_report_what_was_not_run() {
    let target = Arc::new(Memory::new());
    let options = |options: &mut RunnerOptions| (options.jobs, options.fail_fast) = (1, true);
    let outcome = run(
        Arc::clone(&target),
        options,
        &[("a", "error 'x'"), ("b", CREATE)],
    )
    .await;
    assert_eq!(
        (outcome.verdict("a.lua"), outcome.verdict("b.lua")),
        (Verdict::Errored, Verdict::Skipped)
    );
    assert_eq!(target.created.load(Ordering::Relaxed), 0);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = run_until(Arc::clone(&target), |_| (), &[("a", CREATE)], cancel).await;
    assert!(outcome.summary.interrupted && !outcome.summary.is_success());
    assert_eq!(outcome.verdict("a.lua"), Verdict::Skipped);
}

#[test]
fn an_empty_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Suite::folder(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("there is no scenario"),
        "{error}"
    );
}
