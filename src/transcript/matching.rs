//! Matches lines.
