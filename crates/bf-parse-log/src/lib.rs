//! `bf-parse-log`: what a backfill's log claims, in total and date by date.

mod args;
mod bytes;
mod errors;
mod event;
mod grammar;
mod history;
mod ledger;
mod parser;
mod prefix;
mod report;
mod run;
mod source;
mod split;
mod summary;
mod tool;
mod totals;

pub use args::Args;
pub use parser::{Dialects, LogEnd, LogParser, Snapshot};
pub use tool::run;
