//! The sandboxes' image: a named one, pulled where it is absent, or one that is assembled from
//! this machine's own tools, so that no registry is needed.

mod assemble;
mod collect;

pub(super) use collect::hex;

use bollard::body_full;
use bollard::query_parameters::{CreateImageOptionsBuilder, ImportImageOptions};
use futures_util::{StreamExt, TryStreamExt};

use crate::execd::agent::architecture;
use crate::sandbox::{ApiError, ImageSpec};
use crate::target::{Result, TargetError};

use super::Engine;
use super::error::{failed, status, words};

/// Repository of the assembled image; its tag is the content's fingerprint.
const REPOSITORY: &str = "osb-conformance/default";

/// The image that sandboxes get when their request names none.
#[derive(Debug)]
pub(super) struct DefaultImage {
    reference: String,
    /// The tools that it is assembled from; `None` for a named image.
    tools: Option<collect::Tools>,
}

impl DefaultImage {
    /// The named image, or the one that this machine's tools make.
    pub(super) fn new(named: Option<String>) -> Self {
        match named.filter(|name| !name.trim().is_empty()) {
            Some(reference) => Self {
                reference,
                tools: None,
            },
            None => {
                let tools = collect::Tools::find();
                let reference = format!("{REPOSITORY}:{}", tools.fingerprint());
                Self {
                    reference,
                    tools: Some(tools),
                }
            }
        }
    }

    /// The image as a request names it.
    pub(super) fn reference(&self) -> &str {
        &self.reference
    }
}

impl Engine {
    /// The default image, made ready on first use.
    pub(super) async fn image(&self) -> Result<&str> {
        let reference = self.default_image.reference();
        self.ready
            .get_or_try_init(|| async {
                if self.has_image(reference).await? {
                    return Ok(());
                }
                match &self.default_image.tools {
                    Some(tools) => self.assemble(tools).await,
                    None => self.pull(reference).await,
                }
            })
            .await?;
        Ok(reference)
    }

    /// Makes sure that the image of a request is there.
    pub(super) async fn ensure_image(&self, image: &ImageSpec) -> Result<()> {
        if image.uri == self.default_image.reference() {
            return self.image().await.map(drop);
        }
        if self.has_image(&image.uri).await? {
            Ok(())
        } else {
            self.pull(&image.uri).await
        }
    }

    async fn has_image(&self, reference: &str) -> Result<bool> {
        match self.docker.inspect_image(reference).await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            // A reference that cannot be one is the request's fault.
            Err(error) if status(&error) == Some(400) => {
                let message = format!("image \"{reference}\": {}", words(&error));
                Err(ApiError::invalid_parameter(message).into())
            }
            Err(error) => Err(failed(&format!("looking for the image {reference}"), error)),
        }
    }

    async fn pull(&self, reference: &str) -> Result<()> {
        // Without a tag the engine would pull every tag there is.
        let name = reference.rsplit('/').next().unwrap_or_default();
        let tagged = name.contains([':', '@']);
        let full = if tagged {
            reference.to_owned()
        } else {
            format!("{reference}:latest")
        };
        self.tell(&format!("pulling {full}"));
        let options = CreateImageOptionsBuilder::default()
            .from_image(&full)
            .build();
        let mut pull = std::pin::pin!(self.docker.create_image(Some(options), None, None));
        let mut layers = std::collections::BTreeSet::new();
        while let Some(step) = pull.next().await {
            let step = step.map_err(|error| {
                let message = format!(
                    "image \"{full}\" is not on the engine and cannot be pulled: {}",
                    words(&error)
                );
                ApiError::new(500, "DOCKER::SANDBOX_IMAGE_PULL_FAILED", message)
            })?;
            if let (Some("Pull complete"), Some(layer)) = (step.status.as_deref(), step.id)
                && layers.insert(layer)
            {
                self.tell(&format!("pulling {full}: {} layers", layers.len()));
            }
        }
        Ok(())
    }

    async fn assemble(&self, tools: &collect::Tools) -> Result<()> {
        let reference = self.default_image.reference();
        let ours = architecture();
        let help = "name an image that the engine has or can pull with --image or SANDBOX_IMAGE";
        if std::env::consts::OS != "linux" || self.architecture != ours {
            let context = format!(
                "the default image is made of this machine's tools ({} {ours}), which the engine (linux {}) cannot run",
                std::env::consts::OS,
                self.architecture
            );
            return Err(TargetError::failed(context, help));
        }
        self.tell(&format!(
            "assembling the default image {reference} from this machine's tools"
        ));
        let tools = tools.clone();
        let (name, architecture) = (reference.to_owned(), ours);
        let archive = tokio::task::spawn_blocking(move || {
            let layer = tools.layer()?;
            assemble::archive(&name, architecture, &layer)
        });
        let archive = archive
            .await
            .map_err(std::io::Error::other)
            .and_then(|archive| archive)
            .map_err(|error| {
                TargetError::failed(
                    format!("the default image cannot be assembled ({help})"),
                    error,
                )
            })?;
        self.docker
            .import_image(
                ImportImageOptions::default(),
                body_full(archive.into()),
                None,
            )
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(|error| failed("loading the default image", error))
    }
}
