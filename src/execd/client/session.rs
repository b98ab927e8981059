//! Sessions: runs that share their environment and their working directory.

use std::time::{Duration, Instant};

use super::Client;
use super::request::{Call, segment};
use crate::execd::api::{CommandResult, ExecdError};
use crate::execd::protocol::{CreateSessionRequest, CreateSessionResponse, RunInSessionRequest};

impl Client {
    /// Begins a session in `cwd` and answers its id (`POST /session`).
    ///
    /// # Errors
    /// When execd refuses the directory.
    pub async fn create_session(&self, cwd: Option<&str>) -> Result<String, ExecdError> {
        let request = CreateSessionRequest {
            cwd: cwd.map(str::to_owned),
        };
        let call = Call::post("/session").json(&request)?;
        let created: CreateSessionResponse = self.send(call).await?.json().await?;
        Ok(created.session_id)
    }

    /// Runs a command in a session and waits for its terminal event (`POST /session/{id}/run`).
    ///
    /// # Errors
    /// As [`Client::run`]; and when there is no such session.
    pub async fn run_in_session(
        &self,
        id: &str,
        request: &RunInSessionRequest,
    ) -> Result<CommandResult, ExecdError> {
        let begun = Instant::now();
        let call = Call::post(format!("/session/{}/run", segment(id))).json(request)?;
        let stream = self.events(call).await?;
        let timeout = request.timeout.and_then(|limit| u64::try_from(limit).ok());
        let timeout = timeout.filter(|limit| *limit > 0);
        Self::outcome(stream, begun, timeout.map(Duration::from_millis)).await
    }

    /// Ends a session and what runs in it (`DELETE /session/{id}`).
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn delete_session(&self, id: &str) -> Result<(), ExecdError> {
        let call = Call::delete(format!("/session/{}", segment(id)));
        self.send(call).await?.nothing().await
    }
}
