//! bf-parse-log from outside: real files, pipes and signals, and the logs of real jobs.

mod dialects;
mod following;
mod held_against;
#[cfg(feature = "sample-job")]
mod jobs;
mod rig;
mod sources;
mod text;
mod verdicts;
