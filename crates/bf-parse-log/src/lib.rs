//! `bf-parse-log`: what a backfill's log claims, in total and date by date.
//!
//! The way of a byte, and the room of each step:
//!
//! ```text
//! source, encoding   a file, a pipe, gzip, UTF-16; a log with the newest line first is read from its end
//! parser             pieces into whole lines; which dialect the log is in
//! scan               most lines report nothing: dialect/prefilter, derived from the rules
//! unknown_prefix     known lines that no rule reads for what precedes them
//! line/              escapes, what stands before a message, lost signs, dates and figures
//! dialect/           rules: a line in, an event out; samples; json. The shipped ones are dialects/*.yaml,
//!                    one file each
//! run/               events into runs, an outcome for each date and unit, and doubts
//! summary            a history into the log_summary and ledger_entry documents; check: what they mean for --check
//! report, explain    for people; shapes and draft: a dialect for lines that no rule reads
//! ```

mod args;
mod check;
mod checkpoint;
mod controls;
mod dialect;
mod dialects;
mod draft;
mod encoding;
mod explain;
mod follow;
mod given;
mod lanes;
mod line;
mod log_end;
mod parser;
mod report;
#[cfg(test)]
#[path = "../../../tests/support/require.rs"]
mod require;
mod run;
mod scan;
mod shapes;
mod source;
mod summary;
mod tool;
mod unknown_prefix;

pub use args::Args;
pub use check::min_success_rate;
pub use dialects::{BUILT_IN, Dialects};
pub use log_end::LogEnd;
pub use parser::{LogParser, Snapshot};
pub use report::report;
pub use tool::run;
