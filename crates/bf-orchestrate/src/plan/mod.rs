//! What is to be done: a file, or the documented flags as such a file, resolved into a plan.

mod file;
mod identity;
mod model;
mod order;
mod placeholder;
mod resolve;
mod start_from;
mod two_phase;
mod window_size;
mod windows;
mod words;
#[cfg(test)]
#[path = "../../../../tests/support/yaml_schema.rs"]
mod yaml_schema;

#[cfg(test)]
pub(crate) use model::tests;
pub(crate) use model::{
    AfterReboot, Command, Job, OnFail, OnHang, OnTimeout, PhasePlan, Plan, Preflight, RetryOn,
    ToolText, Validator, Windows, shell_words,
};
pub(crate) use resolve::{config_file, load, table_of, zone_of};
pub(crate) use start_from::start_from;
pub(crate) use two_phase::{
    NAME as TWO_PHASES, TwoPhases, file as two_phase_file, resolve as two_phases,
};
#[cfg(test)]
pub(crate) use window_size::WindowSize;
