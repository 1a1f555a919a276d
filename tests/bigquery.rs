//! The same suites over the same rows through SQLite and through a BigQuery emulator.
//!
//! `scripts/bigquery-emulator run` starts one.

mod duck;
mod load;
mod proof;
mod recorder;
mod same;
mod service;
