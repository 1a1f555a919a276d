//! bf-monitor: a process and its log, watched until both are finished.

#![deny(missing_docs)]

mod args;
mod doctor;
mod gate;
mod keeper;
mod log;
mod rate;
mod record;
mod report;
mod run;
mod settings;
mod silence;
mod start;
mod state;
mod subject;
mod sys;
mod verdict;
mod watch;
mod words;

pub use args::{Args, OnHang, Progress, Role};
pub use run::run;
