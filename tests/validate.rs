//! The validators over real SQLite files: every planted defect is found with its dates, and what is clean
//! passes without a false alarm.

mod clean;
mod config;
mod dates;
mod evidence;
mod files;
mod golden;
mod greens;
mod log;
mod metrics;
mod partners;
mod rig;
mod rows;
mod scheduled;
mod schedules;
mod suites;
mod trust;
mod unanswered;
