//! The run: what happens when, and what it means.

mod context;
pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod gate;
pub(crate) mod outcome;
mod phase;
pub(crate) mod preflight;
mod reopen;
pub(crate) mod report;
mod retry;
pub(crate) mod run;
mod scheduler;
mod slots;
mod unit;
mod windows;
