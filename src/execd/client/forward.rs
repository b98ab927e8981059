//! Requests that somebody else wrote, passed on as they are.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::{Request, Response};

use super::Client;
use crate::execd::api::ExecdError;

/// The body of a request or an answer, piece by piece.
pub type Payload = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A request whose path and query begin at execd's root.
pub type ForwardRequest = Request<Payload>;

/// An answer, whatever its status.
pub type ForwardResponse = Response<Payload>;

impl Client {
    /// Passes a request on, and its answer back as it comes: nothing is buffered. The caller has
    /// taken off headers that are about his own connection.
    ///
    /// # Errors
    /// When execd cannot be reached or answers with something else than HTTP.
    pub async fn forward(&self, request: ForwardRequest) -> Result<ForwardResponse, ExecdError> {
        let context = format!("{} {} failed", request.method(), request.uri().path());
        self.transport
            .send(request)
            .await
            .map(|answer| answer.map(Payload::new))
            .map_err(|error| ExecdError::transport(context, error))
    }
}
