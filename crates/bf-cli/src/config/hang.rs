//! When a silent process is quiet, stalled or hung.

use serde::{Deserialize, Serialize};

use crate::Seconds;

/// How long nothing may move before that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hang {
    /// No new byte in the log for so long, while CPU or I/O move.
    pub quiet: Seconds,
    /// No date done for so long, while something moves.
    pub stalled: Seconds,
    /// Nothing that can be read moves for so long.
    pub hung: Seconds,
}

impl Default for Hang {
    fn default() -> Self {
        Self {
            quiet: Seconds::new(5 * 60),
            stalled: Seconds::new(30 * 60),
            hung: Seconds::new(60 * 60),
        }
    }
}
