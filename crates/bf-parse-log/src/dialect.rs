//! What the lines of a job mean.

pub(crate) mod event;
pub(crate) mod json;
mod prefilter;
pub(crate) mod rules;
mod samples;

pub(crate) use samples::check_samples;
