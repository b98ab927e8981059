//! From a choice to a connected target.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::server::{ServerConfig, ServerTarget, VolumeAccess};
use osb_conformance::target::{Result, Target, TargetError};

use super::Failure;
use super::args::{TargetChoice, VolumesChoice};

/// What targets are made with.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    pub(super) image: Option<String>,
    pub(super) allowed_host_paths: Vec<PathBuf>,
    /// Whether the local target makes a sandbox of any image.
    pub(super) any_image: bool,
    /// Whether sandboxes of a server are reached through its proxy.
    pub(super) proxy: bool,
    pub(super) volumes: VolumeAccess,
}

impl From<VolumesChoice> for VolumeAccess {
    fn from(choice: VolumesChoice) -> Self {
        match choice {
            VolumesChoice::Auto => Self::Auto,
            VolumesChoice::Docker => Self::Docker,
            VolumesChoice::Api => Self::Api,
        }
    }
}

/// Tells progress. A reader that has gone does not stop the run: it must clean up.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The API key of a server, from the environment alone: a command line is for all to see.
pub(super) fn api_key() -> Option<String> {
    let key = |name| std::env::var(name).ok().filter(|key| !key.is_empty());
    key("SANDBOX_API_KEY").or_else(|| key("OPEN_SANDBOX_API_KEY"))
}

/// The server that the environment names, as the clients' libraries read it: a host and a port, or
/// an address.
pub(super) fn domain() -> Option<String> {
    let domain = std::env::var("SANDBOX_DOMAIN").ok()?;
    match domain.as_str() {
        "" => None,
        address if address.contains("://") => Some(domain),
        _ => Some(format!("http://{domain}")),
    }
}

/// The server at `address`.
pub(super) async fn server(address: &str, setting: &Setting) -> Result<Arc<dyn Target>> {
    let config = ServerConfig {
        address: address.into(),
        api_key: api_key(),
        proxy: setting.proxy,
        volumes: setting.volumes,
        image: setting.image.clone(),
        allowed_host_paths: setting.allowed_host_paths.clone(),
        progress: Some(Arc::new(note)),
    };
    Ok(Arc::new(ServerTarget::connect(config).await?))
}

/// The Docker target; what it tells of its progress goes to standard error.
pub(super) async fn docker(setting: &Setting) -> Result<Arc<dyn Target>> {
    let config = DockerConfig {
        image: setting.image.clone(),
        allowed_host_paths: setting.allowed_host_paths.clone(),
        progress: Some(Arc::new(note)),
    };
    Ok(Arc::new(DockerTarget::connect(config).await?))
}

/// The local target.
#[cfg(target_os = "linux")]
pub(super) async fn local(setting: &Setting) -> Result<Arc<dyn Target>> {
    let config = LocalConfig {
        allowed_host_paths: setting.allowed_host_paths.clone(),
        any_image: setting.any_image,
        ..LocalConfig::default()
    };
    Ok(Arc::new(LocalTarget::connect(config).await?))
}

/// The local target.
#[cfg(not(target_os = "linux"))]
pub(super) async fn local(_: &Setting) -> Result<Arc<dyn Target>> {
    Err(TargetError::Unreachable {
        target: "the local target".into(),
        reason: "it is made of Linux namespaces, and this is not Linux".into(),
    })
}

/// The chosen target; with `auto`, the server that the environment names, else docker where an
/// engine answers, else local, and standard error says which and why.
pub(super) async fn connect(
    choice: TargetChoice,
    setting: &Setting,
) -> Result<Arc<dyn Target>, Failure> {
    match choice {
        TargetChoice::Docker => Ok(docker(setting).await?),
        TargetChoice::Local => {
            if let Some(image) = &setting.image {
                return Err(Failure::usage(format!(
                    "the local target has no images: leave out --image {image}, or unset SANDBOX_IMAGE"
                )));
            }
            Ok(local(setting).await?)
        }
        TargetChoice::Server(address) => Ok(server(&address, setting).await?),
        TargetChoice::Auto => auto(setting).await,
    }
}

async fn auto(setting: &Setting) -> Result<Arc<dyn Target>, Failure> {
    if let Some(address) = domain() {
        eprintln!("auto: {address}, because SANDBOX_DOMAIN names it");
        return Ok(server(&address, setting).await?);
    }
    engine_or_machine(setting).await
}

/// Docker where an engine answers, else local.
pub(super) async fn engine_or_machine(setting: &Setting) -> Result<Arc<dyn Target>, Failure> {
    let without_docker = match docker(setting).await {
        Ok(target) => {
            eprintln!("auto: docker, because an engine answers");
            return Ok(target);
        }
        // Such as a directory of --allow-host-path that is none: wrong for any target.
        Err(error @ (TargetError::Failed { .. } | TargetError::Impossible(_))) => {
            return Err(error.into());
        }
        Err(error) => error,
    };
    match local(setting).await {
        Ok(target) => {
            eprintln!("auto: local, because {without_docker}");
            if let Some(image) = &setting.image {
                eprintln!("auto: the image {image} is left out: the local target has no images");
            }
            Ok(target)
        }
        Err(error) => Err(Failure::unavailable(format!(
            "no target can run here:\n  docker: {without_docker}\n  local: {error}"
        ))),
    }
}
