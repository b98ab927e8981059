//! Verdicts, events and their consumers.
//!
//! The runner prints nothing: it emits [`Event`]s, in an order that does not depend on how many
//! scenarios ran at once. [`Terminal`], [`Junit`] and [`Json`] consume them.

mod event;
mod explain;
mod json;
mod junit;
mod score;
mod terminal;
mod verdict;

pub use event::{Event, Finding, Plan, ScenarioReport, Summary};
pub use explain::{explain, interrupted};
pub use json::Json;
pub use junit::Junit;
pub use score::{LevelScore, Score};
pub use terminal::{Style, Terminal, TerminalMode};
pub use verdict::{Verdict, VerdictCounts};

/// Something that consumes the events of a run.
pub trait Reporter: Send {
    /// Takes one event.
    ///
    /// # Errors
    /// When it cannot be written where it belongs; the run goes on and fails at its end.
    fn event(&mut self, event: &Event<'_>) -> std::io::Result<()>;
}
