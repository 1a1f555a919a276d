//! The BigQuery client against a local server that misbehaves on purpose, as no emulator does.

mod faults;
mod jobs;
mod requests;
mod support;
mod tables;
mod tokens;
