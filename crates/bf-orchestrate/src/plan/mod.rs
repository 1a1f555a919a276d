//! What is to be done: a file, or the documented flags as such a file, resolved into a plan.

mod file;
mod identity;
mod model;
mod order;
mod placeholder;
mod two_phase;

pub(crate) use file::{config_file, load};
#[cfg(test)]
pub(crate) use model::tests;
pub(crate) use model::{
    AfterReboot, Command, Job, OnFail, PhasePlan, Plan, Preflight, RetryOn, Validator, shell_words,
};
pub(crate) use two_phase::{
    NAME as TWO_PHASES, TwoPhases, file as two_phase_file, resolve as two_phases,
};
