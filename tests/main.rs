//! The tools from outside: real processes, real files, real signals.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[cfg(feature = "bigquery")]
mod bigquery;
mod conventions;
mod docs;
mod layout;
mod monitor;
#[cfg(feature = "bigquery")]
mod notify;
mod orchestrate;
mod parse_log;
mod pipeline;
mod report;
#[cfg(feature = "sample-job")]
mod sample_job;
mod support;
mod validate;
