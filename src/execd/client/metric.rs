//! What the sandbox uses of its machine.

use super::Client;
use super::event::EventStream;
use super::request::Call;
use crate::execd::api::ExecdError;
use crate::execd::protocol::Metrics;

/// Metrics about every second, until it is dropped.
pub type MetricStream = EventStream<Metrics>;

impl Client {
    /// What is used now (`GET /metrics`).
    ///
    /// # Errors
    /// When execd does not tell.
    pub async fn metrics(&self) -> Result<Metrics, ExecdError> {
        self.send(Call::get("/metrics")).await?.json().await
    }

    /// What is used, time and again (`GET /metrics/watch`).
    ///
    /// # Errors
    /// When execd does not tell.
    pub async fn watch_metrics(&self) -> Result<MetricStream, ExecdError> {
        let answer = self.send(Call::get("/metrics/watch")).await?;
        Ok(EventStream::new(answer))
    }
}
