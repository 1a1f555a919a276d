//! The same suites over the same rows through SQLite and through a BigQuery emulator.
//!
//! `scripts/bigquery-emulator run` starts one. Without one these tests say so and pass, unless
//! `BF_REQUIRE_ALL=1` says that there must be one.

mod duck;
mod load;
mod same;
mod service;
