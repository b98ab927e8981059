//! Records what a scenario prints.

/// The transcript of one scenario in the making.
#[derive(Debug, Default)]
pub struct Recorder {}
