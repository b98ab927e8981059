//! Our agent in a container: brought in once per image, reached over the container's attached
//! input and output. A command costs a millisecond that way, where the engine's exec costs tens.

use std::pin::Pin;

use bollard::body_full;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::query_parameters::{AttachContainerOptionsBuilder, BuildImageOptionsBuilder};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use crate::execd::enclosure::Greeting;
use crate::execd::{Client, NotReady, agent, greet};
use crate::target::request::start_failed;
use crate::target::{READY, Result, TargetError};

use super::Engine;
use super::archive::Builder;
use super::error::{failed, status};
use super::image::hex;

/// Where it is in an image.
pub(super) const PATH: &str = "/.osb-agent";

/// Repository of images with the agent in them; the tag names both by their content.
const REPOSITORY: &str = "osb-conformance/agent";

impl Engine {
    /// The image with the agent in it, made on first use; `None` where the agent cannot run.
    pub(super) async fn image_with_agent(&self, reference: &str) -> Result<Option<String>> {
        // Held while it is made, so that it is made once.
        let mut agents = self.agents.lock().await;
        if let Some(known) = agents.get(reference) {
            return Ok(known.clone());
        }
        let made = self.bring_in_agent(reference).await?;
        agents.insert(reference.to_owned(), made.clone());
        Ok(made)
    }

    async fn bring_in_agent(&self, reference: &str) -> Result<Option<String>> {
        let base = self.docker.inspect_image(reference).await;
        let base =
            base.map_err(|error| failed(&format!("looking at the image {reference}"), error))?;
        if !agent::runs_on(base.architecture.as_deref().unwrap_or_default()) {
            return Ok(None);
        }
        let mut hash = Sha256::new_with_prefix(base.id.unwrap_or_default());
        hash.update(agent::binary());
        let name = format!("{REPOSITORY}:{}", &hex(&hash.finalize())[..12]);
        match self.docker.inspect_image(&name).await {
            Ok(_) => return Ok(Some(name)),
            Err(error) if status(&error) == Some(404) => {}
            Err(error) => return Err(failed(&format!("looking for the image {name}"), error)),
        }
        self.tell(&format!("adding the agent to {reference}"));
        let dockerfile = format!("FROM {reference}\nCOPY osb-agent {PATH}\n");
        let pack = || -> std::io::Result<Vec<u8>> {
            let mut tar = Builder::new();
            tar.file("Dockerfile", 0o644, dockerfile.as_bytes())?;
            tar.file("osb-agent", 0o755, agent::binary())?;
            tar.finish()
        };
        let context =
            pack().map_err(|error| TargetError::failed("packing the agent failed", error))?;
        let options = BuildImageOptionsBuilder::default()
            .t(&name)
            .rm(true)
            .build();
        self.docker
            .build_image(options, None, Some(body_full(context.into())))
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(|error| failed(&format!("adding the agent to {reference}"), error))?;
        Ok(Some(name))
    }

    /// Attaches to a container that is not started yet. What the entrypoint prints is read and
    /// dropped, so that it is never held up.
    pub(super) async fn attach(&self, name: &str) -> Result<Attached> {
        let options = AttachContainerOptionsBuilder::default()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let attached = self.docker.attach_container(name, Some(options)).await;
        let AttachContainerResults { output, input } =
            attached.map_err(|error| failed("attaching to the sandbox", error))?;
        let output = output.filter_map(|chunk| async {
            match chunk {
                Ok(LogOutput::StdOut { message }) => Some(Ok::<Bytes, std::io::Error>(message)),
                Ok(_) => None,
                Err(error) => Some(Err(std::io::Error::other(error))),
            }
        });
        Ok(Attached {
            output: Box::pin(StreamReader::new(Box::pin(output))),
            input,
        })
    }
}

/// A container's attached streams.
pub(super) struct Attached {
    output: Pin<Box<dyn AsyncRead + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Attached {
    /// Waits until the agent of the container, which has been started, says that it is ready.
    pub(super) async fn meet(self) -> Result<Client> {
        let greeted = timeout(READY, greet(tokio::io::join(self.output, self.input))).await;
        match greeted {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(NotReady::Refused(Greeting::NotStarted(why)))) => {
                Err(start_failed(format!("the entrypoint {why}")))
            }
            Ok(Err(other)) => Err(TargetError::failed("meeting the agent failed", other)),
            Err(late) => Err(TargetError::failed("meeting the agent failed", late)),
        }
    }
}
