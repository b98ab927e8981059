//! A client of execd.
//!
//! [`Client::at`] speaks to an execd on a port, as any has one. [`Client::over`] speaks HTTP/2
//! without negotiation over one stream of bytes: a container's attached input and output are one
//! pair of pipes, and HTTP/2 carries many requests over it at once, each with flow control of its
//! own. Nothing here ends by itself: whoever calls drops what takes too long.

mod answer;
mod command;
mod directory;
mod event;
mod file;
mod forward;
mod greeting;
mod metric;
mod request;
mod session;
mod transport;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::api::ExecdError;
use answer::Answer;
use request::Call;
use transport::Transport;

pub use event::EventStream;
pub use forward::{ForwardRequest, ForwardResponse, Payload};
pub use greeting::{NotReady, greet, read_greeting};
pub use metric::MetricStream;

/// A way to an execd. Clones share it; the one stream of [`Client::over`] is closed with the last
/// of them and the last of their answers.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Opens a connection of HTTP/2 over `io`. Its work is done by a task of the current runtime.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn over(
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self, ExecdError> {
        Transport::over(io).await.map(Self::new)
    }

    /// Speaks HTTP/1.1 to the execd at `base`, such as `http://127.0.0.1:44772/proxy/44772`, with
    /// `headers` in every request. Nothing is connected yet: each request does that for itself.
    ///
    /// # Errors
    /// When `base` is no address of this kind or a header cannot be one.
    pub fn at(base: &str, headers: &BTreeMap<String, String>) -> Result<Self, ExecdError> {
        Transport::at(base, headers).map(Self::new)
    }

    /// As [`Client::at`], over what `connect` connects: a Unix socket, say. The host of `base` is
    /// told to execd, and not connected to.
    ///
    /// # Errors
    /// As [`Client::at`].
    pub fn with<F, T>(
        base: &str,
        headers: &BTreeMap<String, String>,
        connect: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Self, ExecdError>
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Transport::with(base, headers, connect).map(Self::new)
    }

    fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Whether execd answers (`GET /ping`).
    ///
    /// # Errors
    /// When it does not, or not with a success.
    pub async fn ping(&self) -> Result<(), ExecdError> {
        self.send(Call::get("/ping")).await?.nothing().await
    }

    /// Stops every process of the sandbox (`POST /freeze`). No part of execd: only our agent has
    /// it, and only as the first process of its sandbox.
    ///
    /// # Errors
    /// When the agent refuses.
    pub async fn freeze(&self) -> Result<(), ExecdError> {
        self.send(Call::post("/freeze")).await?.nothing().await
    }

    /// Lets the processes that [`Client::freeze`] stopped go on (`POST /thaw`). No part of execd.
    ///
    /// # Errors
    /// When the agent refuses.
    pub async fn thaw(&self) -> Result<(), ExecdError> {
        self.send(Call::post("/thaw")).await?.nothing().await
    }

    /// Sends a request; an answer that is not a success is an error.
    async fn send(&self, call: Call) -> Result<Answer, ExecdError> {
        // The query may be long, and the answer names what it is about.
        let path = call.target.split('?').next().unwrap_or_default();
        let context = format!("{} {path}", call.method);
        let failed = |error| ExecdError::transport(format!("{context} failed"), error);
        let request = call.into_request().map_err(|error| failed(error.into()))?;
        let response = self.transport.send(request).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let answer = Answer {
            context,
            status: head.status,
            headers: head.headers,
            body,
        };
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(answer.refusal().await)
    }
}
