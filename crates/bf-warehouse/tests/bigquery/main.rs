//! The BigQuery client against an emulator, and against a local server that misbehaves on purpose, as no
//! emulator does.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod emulator;
mod faults;
mod jobs;
mod requests;
#[path = "../../../../tests/support/require.rs"]
mod require;
mod support;
mod tables;
mod tokens;
