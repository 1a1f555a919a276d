//! `bf-parse-log`: what a backfill's log claims, in total and date by date.

mod args;
mod bytes;
mod checkpoint;
mod controls;
mod dates;
mod dialects;
mod errors;
mod escapes;
mod event;
mod explain;
mod follow;
mod given;
mod glance;
mod grammar;
mod history;
mod job_name;
mod ledger;
mod parallel;
mod parser;
mod past;
mod prefix;
mod report;
mod run;
mod scan;
mod shapes;
mod source;
mod split;
mod summary;
mod tool;
mod totals;
mod window;

pub use args::Args;
pub use dialects::{BUILT_IN, Dialects};
pub use parser::{LogEnd, LogParser, Snapshot};
pub use tool::run;
