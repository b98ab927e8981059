//! Runs of small scenarios.

use std::sync::Arc;
use std::time::{Duration, Instant};

use osb_conformance::report::{
    Event, Finding, Json, Junit, Reporter, ScenarioReport, Summary, Verdict, explain,
};
use osb_conformance::runner::{Runner, RunnerOptions, Suite};
use osb_conformance::scenario::Filter;
use osb_conformance::target::Target;
use osb_conformance::target::server::ServerTarget;
use tokio_util::sync::CancellationToken;

/// Creates a sandbox and runs a command in it.
pub const COMMAND: &str = "local s = Sandbox.create {}\nsay(s.commands:run('echo hello').stdout)";

/// What a run came to.
pub struct Outcome {
    pub summary: Summary,
    pub reports: Vec<ScenarioReport>,
    /// Everything that every report has of it.
    pub told: String,
    pub duration: Duration,
}

impl Outcome {
    pub fn of(&self, name: &str) -> &ScenarioReport {
        let path = format!("{name}.lua");
        let mut reports = self.reports.iter();
        let found = reports.find(|report| report.scenario.path() == path);
        found.unwrap_or_else(|| panic!("no report of {path}"))
    }

    pub fn verdict(&self, name: &str) -> Verdict {
        self.of(name).verdict
    }

    /// The gravest finding of a scenario that did not pass.
    pub fn finding(&self, name: &str) -> &Finding {
        let report = self.of(name);
        report
            .findings
            .first()
            .unwrap_or_else(|| panic!("{name} has passed"))
    }

    /// What was left, or may have been, in words.
    pub fn left(&self) -> Vec<String> {
        let Summary {
            leaked, unsettled, ..
        } = &self.summary;
        leaked.iter().chain(unsettled).cloned().collect()
    }

    /// Checks that every scenario passed, and that nothing was left.
    pub fn all_pass(&self) -> &Self {
        let bad = self.reports.iter().filter(|r| r.verdict != Verdict::Passed);
        let told: Vec<_> = bad.map(explain).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
        assert_eq!(self.left(), Vec::<String>::new());
        assert!(self.summary.is_success());
        self
    }
}

/// Runs scenarios given as name and body; `...` is the transcript of each.
pub async fn run(target: &Arc<ServerTarget>, scenarios: &[(&str, &str)]) -> Outcome {
    run_with(target, |_| (), &mut |_| (), scenarios).await
}

/// As [`run`], on any target.
pub async fn run_on(target: Arc<dyn Target>, scenarios: &[(&str, &str)]) -> Outcome {
    run_suite(target, |_| (), &mut |_| (), suite(scenarios), &[]).await
}

/// As [`run`], with other options, and telling of every event.
pub async fn run_with(
    target: &Arc<ServerTarget>,
    change: impl FnOnce(&mut RunnerOptions),
    tell: &mut (dyn FnMut(&Event<'_>) + Send),
    scenarios: &[(&str, &str)],
) -> Outcome {
    let target = Arc::clone(target) as Arc<dyn Target>;
    run_suite(target, change, tell, suite(scenarios), &[]).await
}

fn suite(scenarios: &[(&str, &str)]) -> Suite {
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in scenarios {
        let lua = match body.starts_with("scenario") {
            true => (*body).to_owned(),
            false => format!("scenario {{ title = '{name}' }}\n{body}"),
        };
        std::fs::write(folder.path().join(format!("{name}.lua")), lua).unwrap();
        std::fs::write(folder.path().join(format!("{name}.transcript")), "...\n").unwrap();
    }
    Suite::folder(folder.path()).unwrap()
}

/// The four scenarios of the specification's example.
pub const SEEDS: [&str; 4] = [
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/read_write.lua",
    "volumes/pvc/sub_path.lua",
];

/// Runs [`SEEDS`], as they ship with the crate.
pub async fn run_seeds(target: &Arc<ServerTarget>) -> Outcome {
    run_shipped(target, &SEEDS).await
}

/// Runs scenarios that ship with the crate.
pub async fn run_shipped(target: &Arc<ServerTarget>, paths: &[&str]) -> Outcome {
    let filters: Vec<_> = paths
        .iter()
        .map(|path| Filter::parse(path).unwrap())
        .collect();
    let suite = Suite::shipped().unwrap();
    let target = Arc::clone(target) as Arc<dyn Target>;
    run_suite(target, |_| (), &mut |_| (), suite, &filters).await
}

async fn run_suite(
    target: Arc<dyn Target>,
    change: impl FnOnce(&mut RunnerOptions),
    tell: &mut (dyn FnMut(&Event<'_>) + Send),
    suite: Suite,
    filters: &[Filter],
) -> Outcome {
    let state = tempfile::tempdir().unwrap();
    let mut options = RunnerOptions {
        state: state.path().into(),
        ..RunnerOptions::default()
    };
    change(&mut options);
    let suite = Arc::new(suite);
    let selection = suite.select(filters).unwrap();
    let runner = Runner::new(suite, target, options).unwrap();
    let (mut json, mut junit) = (Vec::new(), Vec::new());
    let (mut reports, mut explained) = (Vec::new(), String::new());
    let begun = Instant::now();
    let summary = {
        let mut writers: [Box<dyn Reporter>; 2] = [
            Box::new(Json::new(&mut json)),
            Box::new(Junit::new(&mut junit)),
        ];
        let mut emit = |event: &Event<'_>| {
            for writer in &mut writers {
                writer.event(event).unwrap();
            }
            if let Event::ScenarioFinished(report) = event {
                reports.push((*report).clone());
                explained.push_str(&explain(report));
            }
            tell(event);
        };
        runner
            .run(&selection, &CancellationToken::new(), &mut emit)
            .await
    };
    assert_eq!(
        reports.len(),
        selection.len(),
        "selected must equal reported"
    );
    let told = [json, junit].map(|bytes| String::from_utf8(bytes).unwrap());
    Outcome {
        told: format!("{}{}{explained}", told[0], told[1]),
        summary,
        reports,
        duration: begun.elapsed(),
    }
}
