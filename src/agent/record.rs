//! What is known of commands, also after they have ended.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use osb_conformance::execd::protocol::CommandStatus;

use crate::execution::Outcome;
use crate::id::new_id;
use crate::process::Group;

/// How many commands are remembered.
const REMEMBERED: usize = 1000;

/// Most bytes of a log; what a command in the background prints beyond is dropped.
const LOG: usize = 16 << 20;

/// One command.
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) is_background: bool,
    content: String,
    started_at: Timestamp,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    group: Option<Group>,
    ended: Option<End>,
    log: Vec<u8>,
}

struct End {
    at: Timestamp,
    code: i32,
    why: Option<String>,
}

/// Not [`Timestamp::now`]: it panics with jiff's errors, and their texts are a large part of jiff.
fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Record {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn started(&self, group: Group) {
        self.now().group = Some(group);
    }

    pub(crate) fn ended(&self, outcome: &Outcome) {
        self.now().ended = Some(End {
            at: now(),
            code: outcome.code,
            why: outcome.why.clone(),
        });
    }

    pub(crate) fn log(&self, bytes: &[u8]) {
        let mut now = self.now();
        let room = LOG.saturating_sub(now.log.len());
        now.log.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The processes, while the command runs.
    pub(crate) fn group(&self) -> Option<Group> {
        let now = self.now();
        now.group.filter(|_| now.ended.is_none())
    }

    pub(crate) fn status(&self) -> CommandStatus {
        let now = self.now();
        CommandStatus {
            id: self.id.clone(),
            content: self.content.clone(),
            running: now.ended.is_none(),
            exit_code: now.ended.as_ref().map(|end| end.code),
            error: now.ended.as_ref().and_then(|end| end.why.clone()),
            started_at: self.started_at,
            finished_at: now.ended.as_ref().map(|end| end.at),
        }
    }

    /// The log from `cursor`, a number of bytes, on; and the cursor of its end. A line that is
    /// not complete is kept back while the command runs, so that no character is cut in two.
    pub(crate) fn tail(&self, cursor: usize) -> (Vec<u8>, usize) {
        let now = self.now();
        let all = now.log.as_slice();
        let from = cursor.min(all.len());
        let end = match all.iter().rposition(|byte| *byte == b'\n') {
            _ if now.ended.is_some() || all.len() == LOG => all.len(),
            Some(at) => at + 1,
            None => 0,
        };
        (all[from..end.max(from)].to_vec(), end.max(from))
    }
}

/// The commands that are remembered, by their ids.
#[derive(Default)]
pub(crate) struct Records(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    by_id: HashMap<String, Arc<Record>>,
    /// The oldest first.
    order: VecDeque<String>,
}

impl Records {
    /// Remembers a new command, and forgets the oldest that has ended where there are too many.
    pub(crate) fn begin(&self, content: &str, is_background: bool) -> Arc<Record> {
        let record = Arc::new(Record {
            id: new_id(),
            is_background,
            content: content.into(),
            started_at: now(),
            now: Mutex::default(),
        });
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { by_id, order } = &mut *inner;
        by_id.insert(record.id.clone(), Arc::clone(&record));
        order.push_back(record.id.clone());
        if order.len() > REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            match by_id.get(&oldest) {
                Some(running) if running.now().ended.is_none() => order.push_back(oldest),
                _ => drop(by_id.remove(&oldest)),
            }
        }
        record
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Record>> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_id.get(id).cloned()
    }
}
