//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use osb_conformance::scenario::Profile;

/// Tests implementations of OpenSandbox: Lua scenarios, real sandboxes, expected transcripts.
#[derive(Debug, Parser)]
#[command(
    name = "osb-conformance",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios against a target and compare what they print with their transcripts
    Run(RunArguments),
    /// List scenarios and what they cover
    List(ListArguments),
    /// Show which scenarios check which requirement, and which requirement none checks
    Coverage(CoverageArguments),
    /// Write a new scenario from a template
    New(NewArguments),
    /// Say which targets can run here, and why not
    Doctor,
    /// Remove what dead runs left behind
    Clean,
    /// Serve the lifecycle API in front of docker or local: the reference server
    Serve(ServeArguments),
}

/// Which scenarios.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Path prefix, glob, or requirement id; several select what any of them selects
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// Folder of scenarios that are added to the built-in ones, or replace those with their path
    #[arg(long, value_name = "DIR")]
    pub(super) scenarios: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) choice: Choice,
    /// What is tested: docker, local, a server's http://HOST:PORT, or auto, which is the server that
    /// SANDBOX_DOMAIN names, else docker, else local
    #[arg(long, value_name = "TARGET", default_value = "auto")]
    pub(super) target: TargetChoice,
    /// Reach sandboxes of a server through its own proxy
    #[arg(long)]
    pub(super) proxy: bool,
    /// How volumes of a server are prepared and looked at: through the Docker engine below it,
    /// through its API alone, or auto, which finds out
    #[arg(long, value_name = "WAY", value_enum, default_value_t = VolumesChoice::Auto)]
    pub(super) volumes: VolumesChoice,
    /// Run everything on this target too, and show where the two print different things
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["accept", "report", "transcript", "fail_fast"])]
    pub(super) against: Option<TargetChoice>,
    /// Image of the sandboxes; without it a minimal one is assembled from this machine's own tools
    #[arg(long, value_name = "IMAGE", env = "SANDBOX_IMAGE")]
    pub(super) image: Option<String>,
    /// Host directory below which `host` volumes may lie; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(super) allow_host_path: Vec<PathBuf>,
    /// How many scenarios run at once [default: 4]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Run the scenarios of this profile, and say whether the target conforms to it: volumes
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<Profile>,
    /// Accept any 4xx that makes nothing as the refusal of a wrong request
    #[arg(long)]
    pub(super) lenient: bool,
    /// Scenarios that are known to fail on this target: a file, or the name of a list that ships
    /// with the tool, such as opensandbox-server-1.1
    #[arg(long, value_name = "FILE", conflicts_with = "accept")]
    pub(super) known_failures: Option<PathBuf>,
    /// How long one scenario may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(super) timeout: Duration,
    /// Run scenarios that take a minute or more, too
    #[arg(long)]
    pub(super) slow: bool,
    /// Print every transcript in full
    #[arg(long)]
    pub(super) transcript: bool,
    /// Write transcripts that differ or are missing; read the change before you commit it
    #[arg(long)]
    pub(super) accept: bool,
    /// Begin no further scenario after the first that fails
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Write a report: junit=FILE or json=FILE; may be repeated
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(super) report: Vec<ReportChoice>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    pub(super) choice: Choice,
    /// How the list is written
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(super) format: ListFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ListFormat {
    /// For a person
    Text,
    /// One JSON array
    Json,
}

#[derive(Debug, Args)]
pub(super) struct CoverageArguments {
    /// Folder of scenarios that are added to the built-in ones, or replace those with their path
    #[arg(long, value_name = "DIR")]
    pub(super) scenarios: Option<PathBuf>,
    /// Only the requirements of this profile: volumes
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<Profile>,
    /// Host directory below which `host` volumes may lie; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(super) allow_host_path: Vec<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = CoverageFormat::Text)]
    pub(super) format: CoverageFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CoverageFormat {
    /// For a person, with the targets that can run here
    Text,
    /// Tables for readers, the same on every machine
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// What makes the sandboxes: auto, docker, or local
    #[arg(long, value_name = "TARGET", default_value = "auto")]
    pub(super) target: TargetChoice,
    /// Where to listen; port 0 takes a free one. Beyond this machine only with an API key in
    /// SANDBOX_API_KEY
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Host directory below which `host` volumes may lie; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(super) allow_host_path: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct NewArguments {
    /// Where the scenario is to be: a path that ends in .lua
    pub(super) path: PathBuf,
}

/// How volumes of a server are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum VolumesChoice {
    /// Find out
    Auto,
    /// Through the Docker engine
    Docker,
    /// Through the API alone
    Api,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TargetChoice {
    Auto,
    Docker,
    Local,
    /// A server's address.
    Server(String),
}

impl FromStr for TargetChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "docker" => Ok(Self::Docker),
            "local" => Ok(Self::Local),
            _ if text.contains("://") => Ok(Self::Server(text.into())),
            _ => Err("there is: auto, docker, local, http://HOST:PORT, https://HOST:PORT".into()),
        }
    }
}

/// A report and where it goes.
#[derive(Debug, Clone)]
pub(super) enum ReportChoice {
    Junit(PathBuf),
    Json(PathBuf),
}

impl FromStr for ReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("junit", file)) if !file.is_empty() => Ok(Self::Junit(file.into())),
            Some(("json", file)) if !file.is_empty() => Ok(Self::Json(file.into())),
            _ => Err("it takes junit=FILE or json=FILE".into()),
        }
    }
}

/// `90s`, `2m`, `1500ms`, or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "it takes a time such as 90s, 2m or 500ms".to_owned();
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * factor;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 86_400.0 => Ok(duration),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_read() {
        for (text, millis) in [
            ("90s", 90_000),
            ("2m", 120_000),
            ("500ms", 500),
            ("3", 3_000),
            ("1.5s", 1_500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "0", "-1s", "1d", "1e99s", "nan"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
