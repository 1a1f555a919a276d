//! `bf-parse-log`: what a backfill's log claims, in total and date by date.

mod args;
mod check;
mod checkpoint;
mod controls;
mod dialect;
mod dialects;
mod encoding;
mod explain;
mod follow;
mod given;
mod glance;
mod grammar;
mod lanes;
mod line;
mod parser;
mod report;
mod run;
mod scan;
mod shapes;
mod source;
mod summary;
mod tool;

pub use args::Args;
pub use check::min_success_rate;
pub use dialects::{BUILT_IN, Dialects};
pub use parser::{LogEnd, LogParser, Snapshot};
pub use report::report;
pub use run::stops_check;
pub use tool::run;
