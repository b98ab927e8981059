//! Commands: in the foreground as a stream of events, in the background by their ids.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};

use super::Client;
use super::event::EventStream;
use super::request::{Call, segment};
use crate::execd::api::{Command, CommandResult, ExecdError, OutputStream};
use crate::execd::protocol::{
    CHUNKS, CommandStatus, Event, ExecutionError, RunCommandRequest, TAIL_CURSOR,
};

impl Client {
    /// Runs a command and waits for its terminal event (`POST /command`).
    ///
    /// # Errors
    /// What execd answers instead of a stream, and a stream that breaks off.
    pub async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError> {
        let begun = Instant::now();
        let stream = self.stream(command).await?;
        Self::outcome(stream, begun, command.timeout).await
    }

    /// Starts a command in the foreground and answers its events as they come: `init` with the
    /// command's id, output, and `execution_complete` or `error`.
    ///
    /// # Errors
    /// What execd answers instead of a stream.
    pub async fn stream(&self, command: &Command) -> Result<EventStream, ExecdError> {
        self.events(Call::post("/command").json(&wire(command, false))?)
            .await
    }

    /// Starts a command in the background and answers its id.
    ///
    /// # Errors
    /// What execd answers instead of an id.
    pub async fn start(&self, command: &Command) -> Result<String, ExecdError> {
        let call = Call::post("/command").json(&wire(command, true))?;
        let mut stream = self.events(call).await?;
        let mut id = None;
        // To the end of the launch: a client that leaves before might end what it launched.
        while let Some(event) = stream.next().await? {
            match event.kind.as_str() {
                "init" => id = event.text,
                "execution_complete" => break,
                "error" => {
                    let error = event.error.unwrap_or_default();
                    return Err(ExecdError::api(500, error.ename, error.evalue));
                }
                "" => return Err(late(event)),
                _ => {}
            }
        }
        id.filter(|id| !id.is_empty()).ok_or_else(|| {
            let what = "the events of the launch have no id";
            ExecdError::transport("starting a command", what)
        })
    }

    /// What became of a command (`GET /command/status/{id}`).
    ///
    /// # Errors
    /// When execd knows none with this id.
    pub async fn status(&self, id: &str) -> Result<CommandStatus, ExecdError> {
        let call = Call::get(format!("/command/status/{}", segment(id)));
        self.send(call).await?.json().await
    }

    /// What a command in the background has printed (`GET /command/{id}/logs`): all, or what came
    /// after `cursor`; and the cursor to go on with. A cursor is execd's to understand.
    ///
    /// # Errors
    /// When execd knows none with this id, or it runs in the foreground.
    pub async fn logs(&self, id: &str, cursor: Option<i64>) -> Result<(Bytes, i64), ExecdError> {
        let call = Call::get(format!("/command/{}/logs", segment(id))).maybe("cursor", cursor);
        let answer = self.send(call).await?;
        let next = answer.headers.get(TAIL_CURSOR);
        let next = next.and_then(|next| next.to_str().ok()?.trim().parse().ok());
        let next = next.ok_or_else(|| {
            let what = format!("no number in the header {TAIL_CURSOR}");
            ExecdError::transport(
                format!("the answer to {} cannot be read", answer.context),
                what,
            )
        })?;
        Ok((answer.file().await?, next))
    }

    /// Ends a command that runs (`DELETE /command`).
    ///
    /// # Errors
    /// When none with this id runs.
    pub async fn interrupt(&self, id: &str) -> Result<(), ExecdError> {
        let call = Call::delete("/command").query("id", id);
        self.send(call).await?.nothing().await
    }

    /// Sends a request whose answer is a command's events.
    pub(super) async fn events(&self, call: Call) -> Result<EventStream, ExecdError> {
        let name = HeaderName::from_static(CHUNKS);
        let call = call.header(name, HeaderValue::from_static("1"));
        self.send(call).await.map(EventStream::new)
    }

    /// Reads a command's events to the last and gathers what they tell.
    pub(super) async fn outcome(
        mut stream: EventStream,
        begun: Instant,
        timeout: Option<Duration>,
    ) -> Result<CommandResult, ExecdError> {
        let mut result = CommandResult::default();
        // An execd that is not our own sends one line in each event, without the line's end.
        // Whether the last line had one cannot be known; it gets one.
        let is_in_lines = !stream.has_header(CHUNKS);
        while let Some(event) = stream.next().await? {
            if take(&mut result, event, is_in_lines)? {
                let is_late = timeout.is_some_and(|limit| begun.elapsed() >= limit);
                result.timed_out = result.exit_code == -1 && is_late;
                return Ok(result);
            }
        }
        Err(ExecdError::transport(
            "the command's events broke off",
            "the stream ended before the command did",
        ))
    }
}

/// `timeout` as execd is told it: 0 would be none.
fn milliseconds(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_millis())
        .unwrap_or(i64::MAX)
        .max(1)
}

fn wire(command: &Command, background: bool) -> RunCommandRequest {
    RunCommandRequest {
        command: command.command.clone(),
        cwd: command.cwd.clone(),
        background,
        timeout: command.timeout.map(milliseconds),
        uid: command.uid,
        gid: command.gid,
        envs: command.envs.clone(),
    }
}

/// An error that came after the status: an event without a kind.
fn late(event: Event) -> ExecdError {
    let code = event.code.unwrap_or_else(|| "UNKNOWN".into());
    ExecdError::api(500, code, event.message.unwrap_or_default())
}

/// Takes one event into `result`; whether it was the last.
fn take(result: &mut CommandResult, event: Event, is_in_lines: bool) -> Result<bool, ExecdError> {
    let stream = match event.kind.as_str() {
        "stdout" => OutputStream::Stdout,
        "stderr" => OutputStream::Stderr,
        "execution_complete" => return Ok(true),
        "error" => {
            let ExecutionError { ename, evalue, .. } = event.error.unwrap_or_default();
            let code = evalue.parse();
            result.exit_code = code.map_err(|_| ExecdError::api(500, ename, evalue))?;
            return Ok(true);
        }
        "" => return Err(late(event)),
        // `init`, `ping`, and whatever later versions add.
        _ => return Ok(false),
    };
    let bytes = output(&event)?;
    result.push(stream, &bytes);
    // An empty line comes as its end alone.
    if is_in_lines && !bytes.ends_with(b"\n") {
        result.push(stream, b"\n");
    }
    Ok(false)
}

fn output(event: &Event) -> Result<Cow<'_, [u8]>, ExecdError> {
    if let Some(encoded) = &event.base64 {
        let bytes = BASE64_STANDARD.decode(encoded);
        let bytes =
            bytes.map_err(|error| ExecdError::transport("reading a command's output", error))?;
        return Ok(bytes.into());
    }
    let text = event.text.as_deref().unwrap_or_default();
    Ok(text.as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(json: &str, is_in_lines: bool) -> (Result<bool, String>, CommandResult) {
        let mut result = CommandResult::default();
        let event = serde_json::from_str(json).expect("an event");
        let taken = take(&mut result, event, is_in_lines);
        (taken.map_err(|error| error.to_string()), result)
    }

    #[test]
    fn output_is_taken_as_it_is_or_in_lines() {
        let stdout = |json, is_in_lines| taken(json, is_in_lines).1.stdout;
        let text = r#"{"type":"stdout","text":"a"}"#;
        assert_eq!(stdout(text, false), b"a");
        assert_eq!(stdout(text, true), b"a\n");
        assert_eq!(stdout(r#"{"type":"stdout","text":"\n"}"#, true), b"\n");
        assert_eq!(stdout(r#"{"type":"stdout","text":"a\n"}"#, true), b"a\n");
        assert_eq!(
            stdout(r#"{"type":"stdout","base64":"/wA="}"#, false),
            b"\xff\0"
        );
        assert!(taken(r#"{"type":"stdout","base64":"?"}"#, false).0.is_err());
        assert_eq!(
            taken(r#"{"type":"stderr","text":"e"}"#, false).1.stderr,
            b"e"
        );
    }

    #[test]
    fn the_last_event_tells_how_it_ended() {
        let (last, result) = taken(r#"{"type":"execution_complete"}"#, false);
        assert_eq!((last, result.exit_code), (Ok(true), 0));
        let error = r#"{"type":"error","error":{"ename":"CommandExecError","evalue":"-1"}}"#;
        let (last, result) = taken(error, false);
        assert_eq!((last, result.exit_code), (Ok(true), -1));
        let error = r#"{"type":"error","error":{"ename":"X","evalue":"no shell"}}"#;
        assert_eq!(taken(error, false).0, Err("500 X: no shell".into()));
        let error = r#"{"code":"RUNTIME_ERROR","message":"late"}"#;
        assert_eq!(taken(error, false).0, Err("500 RUNTIME_ERROR: late".into()));
        assert_eq!(taken(r#"{"type":"status"}"#, false).0, Ok(false));
    }

    #[test]
    fn a_timeout_is_never_none() {
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::from_micros(1500)), 1);
        assert_eq!(milliseconds(Duration::MAX), i64::MAX);
    }
}
