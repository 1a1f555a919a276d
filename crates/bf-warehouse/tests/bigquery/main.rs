//! The BigQuery client against an emulator, and against a local server that misbehaves on purpose, as no
//! emulator does.

mod emulator;
mod faults;
mod jobs;
mod requests;
mod support;
mod tables;
mod tokens;
