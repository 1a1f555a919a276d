//! What every bf tool uses: its streams, the flags that all of them share, how a failure is reported, and
//! how figures are written for people.
//!
//! Only [`main`] touches the real standard input, output and exit code; a tool is a function from
//! arguments and [`Streams`] to an [`Exit`](bf_contract::Exit) or a [`Failure`].

#![deny(missing_docs)]

mod args;
mod duration;
mod failure;
mod interrupt;
mod output;
mod program;
mod range;
mod sibling;
mod streams;
pub mod text;
mod zone;

pub use args::{
    ColorChoice, ConfigArgs, Format, OutputArgs, ToolArgs, WarehouseArgs, parse_date_arg,
};
pub use duration::Seconds;
pub use failure::{Context, Failure};
pub use interrupt::{Interrupt, Interrupts};
pub use output::Output;
pub use program::{main, main_with};
pub use range::{RangeArgs, last_days, parse_day, parse_range};
pub use sibling::{exec_sibling, find_sibling};
pub use streams::{Sink, Streams};
pub use zone::Zone;
