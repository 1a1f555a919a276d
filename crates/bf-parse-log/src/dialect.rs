//! What the lines of a job mean.

pub(crate) mod event;
