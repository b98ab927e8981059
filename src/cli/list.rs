//! `list`.

use std::io::{self, Write};

use osb_conformance::scenario::Scenario;
use serde::Serialize;

use super::args::{ListArguments, ListFormat};
use super::{Failure, exit};

/// One scenario in `--format json`.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    title: &'a str,
    covers: &'a [String],
    requires: &'a [String],
    /// Why it cannot be run, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn list(arguments: &ListArguments) -> Result<u8, Failure> {
    let (_, selection) = super::run::choose(&arguments.choice)?;
    let written = match arguments.format {
        ListFormat::Text => text(&selection),
        ListFormat::Json => json(&selection),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(Failure::unavailable(format!(
                "the list cannot be written: {error}"
            )));
        }
        _ => {}
    }
    // A scenario that cannot be run is an error of its author, found without any target.
    let broken = selection.iter().filter_map(defect).collect::<Vec<_>>();
    if broken.is_empty() {
        return Ok(exit::SUCCESS);
    }
    Err(Failure::usage(broken.join("\nerror: ")))
}

fn defect(scenario: &Scenario) -> Option<String> {
    let defect = scenario.metadata.as_ref().err()?;
    let place = defect.location.as_deref().unwrap_or(scenario.path());
    Some(format!("{place}: {}", defect.message))
}

fn row(scenario: &Scenario) -> Row<'_> {
    Row {
        path: scenario.path(),
        title: scenario.title(),
        covers: scenario.covers(),
        requires: scenario
            .metadata
            .as_ref()
            .map_or(&[], |metadata| &metadata.requires),
        error: defect(scenario),
    }
}

fn text(selection: &[Scenario]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let width = |of: fn(&Scenario) -> usize| selection.iter().map(of).max().unwrap_or_default();
    let (paths, titles) = (
        width(|s| s.path().len()),
        width(|s| s.title().chars().count()),
    );
    for scenario in selection {
        let (path, title, covers) = (
            scenario.path(),
            scenario.title(),
            scenario.covers().join(" "),
        );
        writeln!(
            out,
            "{}",
            format!("{path:paths$}  {title:titles$}  {covers}").trim_end()
        )?;
    }
    Ok(())
}

fn json(selection: &[Scenario]) -> io::Result<()> {
    let rows: Vec<_> = selection.iter().map(row).collect();
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &rows)?;
    writeln!(out)
}
