//! Events in, ledger and totals out: the runs of a log and what each says of its dates.

pub(crate) mod coverage;
mod dates;
mod day;
mod doubts;
mod endings;
pub(crate) mod errors;
pub(crate) mod history;
mod job_name;
pub(crate) mod ledger;
mod outcomes;
pub(crate) mod past;
#[allow(clippy::module_inception)]
pub(crate) mod run;
mod told;

pub(crate) use doubts::Doubts;
