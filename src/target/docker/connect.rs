//! Finds the engine and learns what it is.

use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::time::timeout;

use crate::target::TargetError;

/// Where an engine listens unless `DOCKER_HOST` says otherwise.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// Oldest API that is supported: Docker 20.10.
const OLDEST: (u32, u32) = (1, 41);

/// How long an engine may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest request, in seconds; streams are not bounded by it.
const REQUEST: u64 = 120;

/// An engine that answered.
pub(super) struct Connection {
    pub(super) docker: Docker,
    /// One line for a person.
    pub(super) description: String,
    /// Go's name of the engine's processor: `amd64`.
    pub(super) architecture: String,
    /// Negotiated API version.
    pub(super) api: (u32, u32),
    /// Whether the engine is on this machine, so that its host paths are ours.
    pub(super) is_local: bool,
}

/// Connects to the engine that `DOCKER_HOST` names, or to the default socket.
pub(super) async fn connect() -> Result<Connection, TargetError> {
    let host = std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| DEFAULT_HOST.into());
    let unreachable = |reason: String| TargetError::Unreachable {
        target: format!("the Docker engine at {host}"),
        reason,
    };
    let docker = match host.split_once("://") {
        Some(("unix", path)) => {
            reachable(path).map_err(unreachable)?;
            Docker::connect_with_unix(&host, REQUEST, API_DEFAULT_VERSION)
        }
        Some(("tcp" | "http", _)) if std::env::var_os("DOCKER_TLS_VERIFY").is_none() => {
            Docker::connect_with_http(&host, REQUEST, API_DEFAULT_VERSION)
        }
        _ => {
            let reason = "only unix:// and tcp:// without TLS are supported; forward the engine's \
                          socket (ssh -L /tmp/docker.sock:/var/run/docker.sock HOST) and set \
                          DOCKER_HOST=unix:///tmp/docker.sock";
            return Err(unreachable(reason.into()));
        }
    }
    .map_err(|error| unreachable(error.to_string()))?;
    let late = |_| unreachable(format!("no answer within {} s", PATIENCE.as_secs()));
    let docker = timeout(PATIENCE, docker.negotiate_version())
        .await
        .map_err(late)?
        .map_err(|error| unreachable(advice(&error)))?;
    let version = timeout(PATIENCE, docker.version())
        .await
        .map_err(late)?
        .map_err(|error| unreachable(advice(&error)))?;
    let client = docker.client_version();
    let api = (client.major_version as u32, client.minor_version as u32);
    if api < OLDEST {
        return Err(unreachable(format!(
            "its API {}.{} is too old: Docker 20.10 (API {}.{}) is the oldest that is supported",
            api.0, api.1, OLDEST.0, OLDEST.1
        )));
    }
    let name = version
        .version
        .unwrap_or_else(|| "of unknown version".into());
    Ok(Connection {
        docker,
        description: format!("Docker {name} (API {}.{}) at {host}", api.0, api.1),
        architecture: version.arch.unwrap_or_default(),
        api,
        is_local: host.starts_with("unix://"),
    })
}

/// Why a socket cannot be used, where that can be told before it is.
fn reachable(path: &str) -> Result<(), String> {
    if !Path::new(path).exists() {
        return Err("there is no such socket; start Docker, or set DOCKER_HOST".into());
    }
    Ok(())
}

fn advice(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if text.contains("ermission denied") {
        return "permission denied; add yourself to the group docker, or run as root".into();
    }
    if text.contains("refused") {
        return "nothing listens there; start Docker, or set DOCKER_HOST".into();
    }
    format!("{text}; start Docker, or set DOCKER_HOST")
}
