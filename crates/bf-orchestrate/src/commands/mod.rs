//! One file per verb.

pub(crate) mod check;
mod dry_run;
pub(crate) mod history;
pub(crate) mod plan;
pub(crate) mod prune;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod stop;
