//! Terminal.

/// Terminal.
#[derive(Debug)]
pub struct Terminal;

/// Style.
#[derive(Debug, Clone, Copy)]
pub struct Style;
