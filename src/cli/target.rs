//! From a choice to a connected target.

use std::path::PathBuf;
use std::sync::Arc;

use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::{Result, Target, TargetError};

use super::Failure;
use super::args::TargetChoice;

/// What targets are made with.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    pub(super) image: Option<String>,
    pub(super) allowed_host_paths: Vec<PathBuf>,
}

/// The Docker target; what it tells of its progress goes to standard error.
pub(super) async fn docker(setting: &Setting) -> Result<Arc<dyn Target>> {
    let config = DockerConfig {
        image: setting.image.clone(),
        allowed_host_paths: setting.allowed_host_paths.clone(),
        progress: Some(Arc::new(|text: &str| eprintln!("{text}"))),
    };
    Ok(Arc::new(DockerTarget::connect(config).await?))
}

/// The local target.
#[cfg(target_os = "linux")]
pub(super) async fn local(setting: &Setting) -> Result<Arc<dyn Target>> {
    let config = LocalConfig {
        allowed_host_paths: setting.allowed_host_paths.clone(),
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

/// The chosen target; with `auto`, docker where an engine answers, else local, and standard error
/// says which and why.
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
        TargetChoice::Auto => auto(setting).await,
    }
}

async fn auto(setting: &Setting) -> Result<Arc<dyn Target>, Failure> {
    let without_docker = match docker(setting).await {
        Ok(target) => {
            eprintln!("auto: docker, because an engine answers");
            return Ok(target);
        }
        // Such as a directory of --allow-host-path that is none: wrong for any target.
        Err(error @ TargetError::Failed { .. }) => return Err(error.into()),
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
