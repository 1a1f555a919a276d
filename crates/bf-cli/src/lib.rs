//! What every bf tool uses: its streams, the flags that all of them share, how a failure is reported, and
//! how figures are written for people.
//!
//! Only [`main`] touches the real standard input, output and exit code; a tool is a function from
//! arguments and [`Streams`] to an [`Exit`](bf_contract::Exit) or a [`Failure`].

mod args;
mod duration;
mod failure;
mod file;
mod interrupt;
pub mod metrics;
mod output;
mod program;
mod range;
mod sibling;
mod streams;
pub mod text;
mod zone;

/// The version of bf, with commit and date if they were known when it was built: `0.1.0 (abc1234 2026-01-02)`.
pub const VERSION: &str = env!("BF_VERSION");

/// The commit that this was built from; empty if it was not known.
pub const COMMIT: &str = env!("BF_COMMIT_ID");

pub use args::{
    ColorChoice, ConfigArgs, Format, OutputArgs, ToolArgs, WarehouseArgs, parse_date_arg,
};
pub use duration::Seconds;
pub use failure::{Context, Failure};
pub use file::write_atomically;
pub use interrupt::{Interrupt, Interrupts};
pub use output::Output;
pub use program::{main, main_with};
pub use range::{RangeArgs, last_days, parse_day, parse_range};
pub use sibling::{exec_sibling, find_sibling};
pub use streams::{Sink, Streams};
pub use zone::Zone;
