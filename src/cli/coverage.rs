//! `coverage`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use osb_conformance::runner::Suite;
use osb_conformance::scenario::{Profile, Requirement, Scenario};
use osb_conformance::target::{Capability, Target};

use super::args::{CoverageArguments, CoverageFormat};
use super::target::{Setting, docker, domain, local, server};
use super::{Failure, exit};

/// One requirement and the scenarios that cover it.
struct Row<'a> {
    id: &'a str,
    requirement: &'a Requirement,
    scenarios: Vec<&'a Scenario>,
}

impl Row<'_> {
    /// Whether a scenario could be there and is not.
    fn is_missing(&self) -> bool {
        self.scenarios.is_empty() && self.requirement.untestable.is_none()
    }

    /// What the id begins with: `VOL-PVC`.
    fn group(&self) -> &str {
        self.id.rsplit_once('-').map_or(self.id, |(group, _)| group)
    }
}

pub(super) async fn coverage(arguments: CoverageArguments) -> Result<u8, Failure> {
    let suite = match &arguments.scenarios {
        Some(folder) => Suite::shipped_and(folder)?,
        None => Suite::shipped()?,
    };
    let rows = rows(&suite, arguments.profile.as_ref());
    let text = match arguments.format {
        CoverageFormat::Text => text(&rows, &targets(&arguments).await),
        CoverageFormat::Markdown => markdown(&rows),
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("the coverage cannot be written: {error}");
            return Err(Failure::unavailable(message));
        }
        _ => {}
    }
    let missing: Vec<_> = rows
        .iter()
        .filter(|row| row.is_missing())
        .map(|row| row.id)
        .collect();
    if missing.is_empty() {
        return Ok(exit::SUCCESS);
    }
    eprintln!("no scenario covers {}", missing.join(", "));
    Ok(exit::NOT_CONFORMANT)
}

fn rows<'a>(suite: &'a Suite, profile: Option<&Profile>) -> Vec<Row<'a>> {
    let wanted = |(id, _): &(&str, &Requirement)| profile.is_none_or(|profile| profile.has(id));
    let row = |(id, requirement): (&'a str, &'a Requirement)| {
        let covers = |scenario: &&Scenario| scenario.covers().iter().any(|other| other == id);
        Row {
            id,
            requirement,
            scenarios: suite.scenarios().iter().filter(covers).collect(),
        }
    };
    suite.catalogue().iter().filter(wanted).map(row).collect()
}

/// The targets that can run here.
async fn targets(arguments: &CoverageArguments) -> Vec<Arc<dyn Target>> {
    let setting = Setting {
        allowed_host_paths: arguments.allow_host_path.clone(),
        ..Setting::default()
    };
    let mut targets = Vec::from_iter(docker(&setting).await);
    targets.extend(local(&setting).await);
    if let Some(address) = domain() {
        targets.extend(server(&address, &setting).await);
    }
    targets
}

/// Requirement, scenario, and whether each target here can run it.
fn text(rows: &[Row<'_>], targets: &[Arc<dyn Target>]) -> String {
    let ids = rows
        .iter()
        .map(|row| row.id.len())
        .max()
        .unwrap_or_default();
    let paths = rows
        .iter()
        .flat_map(|row| &row.scenarios)
        .map(|scenario| scenario.path().len());
    let paths = paths.max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let level = row.requirement.level.to_string();
        let mut line = |what: String| {
            let line = format!("{:ids$}  {level:<6}  {what}", row.id);
            let _ = writeln!(text, "{}", line.trim_end());
        };
        for scenario in &row.scenarios {
            let on: Vec<_> = targets
                .iter()
                .map(|target| on(target.as_ref(), scenario))
                .collect();
            line(format!("{:paths$}  {}", scenario.path(), on.join(", ")));
        }
        match &row.requirement.untestable {
            Some(why) if row.scenarios.is_empty() => line(format!("untestable: {why}")),
            None if row.scenarios.is_empty() => line("NO SCENARIO".into()),
            _ => {}
        }
    }
    let testable = rows
        .iter()
        .filter(|row| row.requirement.untestable.is_none());
    let (testable, missing) = (
        testable.count(),
        rows.iter().filter(|row| row.is_missing()).count(),
    );
    let scenarios: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| &row.scenarios)
        .map(|s| s.path())
        .collect();
    let _ = writeln!(
        text,
        "\n{} requirements, {testable} of them testable; {} of those have one of {} scenarios",
        rows.len(),
        testable - missing,
        scenarios.len()
    );
    text
}

/// The target, and what it lacks for the scenario.
fn on(target: &dyn Target, scenario: &Scenario) -> String {
    let info = target.info();
    let requires = scenario
        .metadata
        .as_ref()
        .map_or(&[][..], |metadata| &metadata.requires);
    let lacks = |name: &&String| {
        name.parse::<Capability>()
            .is_ok_and(|capability| !info.capabilities.contains(&capability))
    };
    match requires.iter().find(lacks) {
        Some(name) => format!("{} lacks {name}", info.name),
        None => info.name.clone(),
    }
}

/// The same for readers: one table for each group, the same on every machine.
fn markdown(rows: &[Row<'_>]) -> String {
    let mut text = String::from(
        "# Requirements and their scenarios\n\n\
         What the suite demands, where that comes from, and which scenarios check it. Written by\n\
         `osb-conformance coverage --format markdown`; do not edit.\n",
    );
    let mut group = "";
    for row in rows {
        if row.group() != group {
            group = row.group();
            let _ = write!(
                text,
                "\n## {group}\n\n| id | level | requirement | scenarios |\n| --- | --- | --- | --- |\n"
            );
        }
        let requirement = row.requirement;
        let mut sentence = requirement.text.clone();
        if let Some(decision) = &requirement.decision {
            let _ = write!(sentence, "<br>*{decision}*");
        }
        let _ = write!(sentence, "<br>({})", requirement.source);
        let scenarios: Vec<_> = row
            .scenarios
            .iter()
            .map(|scenario| format!("[{}]({})", scenario.name(), scenario.path()))
            .collect();
        let scenarios = match (&requirement.untestable, scenarios.is_empty()) {
            (Some(why), true) => format!("untestable: {why}"),
            _ => scenarios.join("<br>"),
        };
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.id,
            requirement.level,
            cell(&sentence),
            cell(&scenarios)
        );
    }
    text
}
