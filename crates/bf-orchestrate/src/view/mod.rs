//! Everyone who hears of a run, and how it looks to them.

pub(crate) mod console;
mod delivery;
pub(crate) mod documents;
pub(crate) mod metrics;
pub(crate) mod notify;
pub(crate) mod page;
pub(crate) mod status;
mod table;
pub(crate) mod terminal;
pub(crate) mod text;
mod words;
pub(crate) mod wrap;
