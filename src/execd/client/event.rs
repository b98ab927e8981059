//! A stream of events, as they come.

use serde::de::DeserializeOwned;

use super::answer::Answer;
use crate::execd::api::ExecdError;
use crate::execd::protocol::Event;
use crate::execd::stream::EventParser;

/// Events of type `T` that come one by one, such as a command's. Dropped before its end, it tells
/// execd that nobody listens: a command in the foreground is killed then.
#[derive(Debug)]
pub struct EventStream<T = Event> {
    answer: Answer,
    parser: EventParser<T>,
}

impl<T: DeserializeOwned> EventStream<T> {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            answer,
            parser: EventParser::default(),
        }
    }

    /// Whether the answer that carries the events has this header.
    pub(super) fn has_header(&self, name: &str) -> bool {
        self.answer.headers.contains_key(name)
    }

    /// Waits for the next event; `None` once the stream has ended.
    ///
    /// # Errors
    /// When the stream breaks off, or what comes is no event.
    pub async fn next(&mut self) -> Result<Option<T>, ExecdError> {
        loop {
            if let Some(event) = self.parser.next()? {
                return Ok(Some(event));
            }
            match self.answer.body.chunk().await {
                Some(Ok(bytes)) => self.parser.push(&bytes),
                Some(Err(error)) => {
                    let context = format!("the events of {} broke off", self.answer.context);
                    return Err(ExecdError::transport(context, error));
                }
                None => return Ok(self.parser.end()),
            }
        }
    }
}
