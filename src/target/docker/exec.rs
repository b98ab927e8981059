//! execd by the engine's own means: commands through its exec, files through its archives. Slow
//! (an exec costs tens of milliseconds), but there in every container.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout};

use crate::execd::{Command, CommandResult, Execd, ExecdError, FileInfo, OutputStream};

use super::Engine;
use super::archive::{self, Kind};
use super::error::{status, words};
use super::file;

/// How often a command that is silent is asked whether it has ended: a process that it left in the
/// background may hold its output open for ever, and exec has no other sign of the end.
const SILENCE: Duration = Duration::from_millis(250);

/// How long output may lag behind the end of the command, and the end behind the output's.
const LAG: Duration = Duration::from_millis(500);

/// Prints its process id, which is also that of its process group, and becomes the command.
const TRACED: &str = "echo \"$$\"; exec sh -c \"$0\"";

/// The execd of one container.
pub(super) struct EngineExecd {
    pub(super) engine: Arc<Engine>,
    pub(super) container: String,
}

type Output = std::pin::Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

#[async_trait]
impl Execd for EngineExecd {
    async fn run(&self, command: &Command) -> Result<CommandResult, ExecdError> {
        if command.gid.is_some() && command.uid.is_none() {
            return Err(ExecdError::api(
                400,
                "INVALID_REQUEST_BODY",
                "gid needs uid",
            ));
        }
        if let Some(cwd) = &command.cwd {
            self.check_cwd(cwd).await?;
        }
        let argv = match command.timeout {
            None => vec!["sh".to_owned(), "-c".into(), command.command.clone()],
            Some(_) => vec![
                "sh".into(),
                "-c".into(),
                TRACED.into(),
                command.command.clone(),
            ],
        };
        let user = command.uid.map(|uid| match command.gid {
            Some(gid) => format!("{uid}:{gid}"),
            None => uid.to_string(),
        });
        let (id, output) = self.start(argv, user, command).await?;
        let mut running = Running {
            execd: self,
            id,
            output,
            result: CommandResult::default(),
        };
        match command.timeout {
            None => running.finish().await?,
            Some(limit) => running.finish_within(limit).await?,
        }
        Ok(running.result)
    }

    async fn read_file(&self, path: &str) -> Result<Vec<u8>, ExecdError> {
        file::read(&self.engine.docker, &self.container, path).await
    }

    async fn write_file(
        &self,
        path: &str,
        data: &[u8],
        mode: Option<u32>,
    ) -> Result<(), ExecdError> {
        file::write(&self.engine.docker, &self.container, path, data, mode).await
    }

    async fn file_info(&self, path: &str) -> Result<FileInfo, ExecdError> {
        file::info(&self.engine.docker, &self.container, path).await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<FileInfo>, ExecdError> {
        file::list(&self.engine.docker, &self.container, path).await
    }

    async fn delete_file(&self, path: &str) -> Result<(), ExecdError> {
        let (id, output) = self
            .start(
                ["rm", "-f", "--", path].map(String::from).to_vec(),
                None,
                &Command::default(),
            )
            .await?;
        let mut running = Running {
            execd: self,
            id,
            output,
            result: CommandResult::default(),
        };
        running.finish().await?;
        if running.result.exit_code == 0 {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&running.result.stderr)
            .trim()
            .to_owned();
        Err(ExecdError::api(500, "RUNTIME_ERROR", said))
    }
}

impl EngineExecd {
    async fn check_cwd(&self, cwd: &str) -> Result<(), ExecdError> {
        let kind = match archive::stat(&self.engine.docker, &self.container, cwd).await {
            Ok(Some(Kind::Symlink(target))) => {
                archive::stat(&self.engine.docker, &self.container, &target).await
            }
            other => other,
        };
        match kind.map_err(|error| self.error("looking for the working directory", error))? {
            Some(Kind::Directory) => Ok(()),
            _ => {
                let message = format!("cwd \"{cwd}\" is no directory");
                Err(ExecdError::api(400, "INVALID_REQUEST_BODY", message))
            }
        }
    }

    async fn start(
        &self,
        argv: Vec<String>,
        user: Option<String>,
        command: &Command,
    ) -> Result<(String, Output), ExecdError> {
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(argv),
            user,
            working_dir: command.cwd.clone(),
            env: Some(
                command
                    .envs
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect(),
            ),
            ..Default::default()
        };
        let docker = &self.engine.docker;
        let exec = docker
            .create_exec(&self.container, options)
            .await
            .map_err(|error| self.error("starting a command", error))?;
        match docker.start_exec(&exec.id, None).await {
            Ok(StartExecResults::Attached { output, .. }) => Ok((exec.id, output)),
            Ok(StartExecResults::Detached) => Err(ExecdError::transport(
                "starting a command",
                "the engine detached it",
            )),
            Err(error) => Err(self.error("starting a command", error)),
        }
    }

    /// The exit code of an exec, or `None` while it runs.
    async fn exit_code(&self, id: &str) -> Result<Option<i64>, ExecdError> {
        let state = self.engine.docker.inspect_exec(id).await;
        let state = state.map_err(|error| self.error("asking for a command's end", error))?;
        Ok(state.exit_code.filter(|_| state.running != Some(true)))
    }

    /// The exit code once the engine has it: shortly after the output has ended.
    async fn settled_exit_code(&self, id: &str) -> Result<i64, ExecdError> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(code) = self.exit_code(id).await? {
                return Ok(code);
            }
            // A command that closed its output goes on; the engine does not tell when it ends.
            sleep(pause).await;
            pause = (pause * 2).min(SILENCE);
        }
    }

    fn error(&self, context: &str, error: Error) -> ExecdError {
        match status(&error) {
            Some(404) => ExecdError::api(404, "DOCKER::SANDBOX_NOT_FOUND", words(&error)),
            Some(409) => ExecdError::api(409, "DOCKER::SANDBOX_NOT_RUNNING", words(&error)),
            Some(http) => ExecdError::api(
                http,
                "RUNTIME_ERROR",
                format!("{context}: {}", words(&error)),
            ),
            None => ExecdError::transport(format!("{context} failed"), error),
        }
    }
}

/// A command that was started.
struct Running<'a> {
    execd: &'a EngineExecd,
    id: String,
    output: Output,
    result: CommandResult,
}

impl Running<'_> {
    /// Reads to the end of the command.
    async fn finish(&mut self) -> Result<(), ExecdError> {
        loop {
            match timeout(SILENCE, self.output.next()).await {
                Ok(Some(chunk)) => self.push(chunk)?,
                Ok(None) => break,
                Err(_) if self.execd.exit_code(&self.id).await?.is_some() => {
                    // What was written before the end is still read; what a process left in the
                    // background writes later is not waited for.
                    let end = Instant::now() + LAG;
                    while let Ok(Some(chunk)) =
                        tokio::time::timeout_at(end, self.output.next()).await
                    {
                        self.push(chunk)?;
                    }
                    break;
                }
                Err(_) => {}
            }
        }
        self.result.exit_code = self.execd.settled_exit_code(&self.id).await?;
        Ok(())
    }

    /// Reads to the end of the command, or kills it after `limit`.
    async fn finish_within(&mut self, limit: Duration) -> Result<(), ExecdError> {
        let end = Instant::now() + limit;
        let pid = match tokio::time::timeout_at(end, self.read_pid()).await {
            Ok(pid) => pid?,
            Err(_) => return self.expire(None).await,
        };
        match tokio::time::timeout_at(end, self.finish()).await {
            Ok(finished) => finished,
            Err(_) => self.expire(pid).await,
        }
    }

    /// Takes the line with the process id off the output. `None` where the shell wrote something
    /// else, which then is output.
    async fn read_pid(&mut self) -> Result<Option<u32>, ExecdError> {
        while !self.result.stdout.contains(&b'\n') {
            match self.output.next().await {
                Some(chunk) => self.push(chunk)?,
                None => return Ok(None),
            }
        }
        let at = self
            .result
            .stdout
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or_default();
        let pid = std::str::from_utf8(&self.result.stdout[..at])
            .ok()
            .and_then(|text| text.parse().ok());
        if pid.is_some() {
            self.result.stdout.drain(..=at);
        }
        Ok(pid)
    }

    /// Kills the command's process group.
    async fn expire(&mut self, pid: Option<u32>) -> Result<(), ExecdError> {
        self.result.timed_out = true;
        self.result.exit_code = -1;
        let Some(pid) = pid else { return Ok(()) };
        let kill = vec!["sh".to_owned(), "-c".into(), format!("kill -KILL -{pid}")];
        let (_, mut output) = self.execd.start(kill, None, &Command::default()).await?;
        while output.next().await.is_some() {}
        // A process that left the group may hold the output: it is not waited for.
        let end = Instant::now() + LAG;
        while let Ok(Some(chunk)) = tokio::time::timeout_at(end, self.output.next()).await {
            self.push(chunk)?;
        }
        Ok(())
    }

    fn push(&mut self, chunk: Result<LogOutput, Error>) -> Result<(), ExecdError> {
        match chunk.map_err(|error| self.execd.error("reading a command's output", error))? {
            LogOutput::StdErr { message } => self.result.push(OutputStream::Stderr, &message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                self.result.push(OutputStream::Stdout, &message);
            }
            LogOutput::StdIn { .. } => {}
        }
        Ok(())
    }
}
