//! What the lines of a job mean.

mod captures;
pub(crate) mod event;
pub(crate) mod prefilter;
mod rule;
pub(crate) mod rules;
mod samples;
mod starts;
mod steps;
mod tell;

pub(crate) use captures::Scratch;
pub(crate) use samples::check_samples;
