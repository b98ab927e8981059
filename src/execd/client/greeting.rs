//! The agent's first line, before HTTP/2 begins.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader};

use super::Client;
use super::answer::beginning;
use crate::execd::api::ExecdError;
use crate::execd::enclosure::{Greeting, LONGEST_GREETING};

/// Why there is no execd to speak to.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The agent told why: it is not [`Greeting::Ready`].
    #[error("{}", told(.0))]
    Refused(Greeting),
    /// The agent said nothing, or nothing that can be understood.
    #[error(transparent)]
    Broken(#[from] ExecdError),
}

/// For a person.
fn told(greeting: &Greeting) -> String {
    match greeting {
        Greeting::Ready => "the agent is ready".into(),
        Greeting::Unshared => {
            "the agent waits for the users and the enclosure of its sandbox".into()
        }
        Greeting::NotStarted(why) => format!("the entrypoint cannot be started: {why}"),
        Greeting::NotEnclosed { step, message, .. } => {
            format!("the sandbox cannot be made: {step}: {message}")
        }
    }
}

/// Waits for the agent's greeting on `io`, its output and input, and opens a connection over what
/// follows.
///
/// # Errors
/// When the agent cannot serve, and when `io` ends or says something else.
pub async fn greet(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Client, NotReady> {
    // Stays around `io`: HTTP/2 may follow the line in the same read.
    let mut io = BufReader::new(io);
    match read_greeting(&mut io).await? {
        Greeting::Ready => Ok(Client::over(io).await?),
        refusal => Err(NotReady::Refused(refusal)),
    }
}

/// Waits for one greeting, for whoever expects another than [`Greeting::Ready`] before [`greet`].
/// What follows it stays in `output`.
///
/// # Errors
/// When `output` ends or says something else.
pub async fn read_greeting(
    output: &mut (impl AsyncBufRead + Unpin),
) -> Result<Greeting, ExecdError> {
    let mut line = Vec::new();
    let limit = u64::try_from(LONGEST_GREETING).unwrap_or(u64::MAX);
    output
        .take(limit)
        .read_until(b'\n', &mut line)
        .await
        .map_err(|error| ExecdError::transport("waiting for the agent's greeting", error))?;
    parse(&line)
}

fn parse(line: &[u8]) -> Result<Greeting, ExecdError> {
    let shown = beginning(line);
    let Some(json) = line.strip_suffix(b"\n") else {
        let what = match line.len() {
            0 => "its output ended before it said anything".into(),
            LONGEST_GREETING.. => format!("its first line does not end: {shown}"),
            _ => format!("its output ended after: {shown}"),
        };
        return Err(ExecdError::transport("the agent did not greet", what));
    };
    serde_json::from_slice(json).map_err(|error| {
        let shown = shown.trim_end();
        let context = format!("the agent said something else than a greeting: {shown}");
        ExecdError::transport(context, error)
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn refused(said: &[u8]) -> NotReady {
        let (ours, mut theirs) = tokio::io::duplex(LONGEST_GREETING + 10);
        theirs.write_all(said).await.expect("room");
        drop(theirs);
        greet(ours).await.expect_err("not ready")
    }

    #[tokio::test]
    async fn refusals_are_told() {
        let refusal = refused(b"{\"not_started\":\"\\\"x\\\": no such file\"}\n").await;
        assert_eq!(
            refusal.to_string(),
            "the entrypoint cannot be started: \"x\": no such file"
        );
        let said = b"{\"not_enclosed\":{\"step\":\"making a user namespace\",\"errno\":1,\"message\":\"EPERM\"}}\n";
        let refusal = refused(said).await;
        assert_eq!(
            refusal.to_string(),
            "the sandbox cannot be made: making a user namespace: EPERM"
        );
        assert!(matches!(
            refusal,
            NotReady::Refused(Greeting::NotEnclosed { errno: 1, .. })
        ));
    }

    #[tokio::test]
    async fn what_follows_a_greeting_is_kept() {
        let mut said = BufReader::new(&b"\"unshared\"\n\"ready\"\nPRI"[..]);
        let first = read_greeting(&mut said).await.expect("a greeting");
        assert_eq!(first, Greeting::Unshared);
        let second = read_greeting(&mut said).await.expect("a greeting");
        assert_eq!(second, Greeting::Ready);
        let mut rest = String::new();
        said.read_to_string(&mut rest).await.expect("the rest");
        assert_eq!(rest, "PRI");
    }

    #[tokio::test]
    async fn what_is_no_greeting_is_shown() {
        let broken = async |said: &[u8]| match refused(said).await {
            NotReady::Broken(error) => {
                let source = error.source().map(ToString::to_string);
                format!("{error}: {}", source.unwrap_or_default())
            }
            refused @ NotReady::Refused(_) => panic!("{refused:?}"),
        };
        let ended = broken(b"").await;
        assert!(ended.contains("before it said anything"), "{ended}");
        let ended = broken(b"sh: not found").await;
        assert!(ended.contains("ended after: sh: not found"), "{ended}");
        let other = broken(b"PRI * HTTP/2.0\n").await;
        assert!(other.contains("PRI * HTTP/2.0: "), "{other}");
        let endless = broken(&[b'x'; LONGEST_GREETING + 1]).await;
        assert!(endless.contains("does not end: xxx"), "{endless}");
        assert!(endless.len() < 400, "{}", endless.len());
    }
}
