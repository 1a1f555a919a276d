//! One line: its escapes, its prefix, and the dates and figures in it.

pub(crate) mod escapes;
pub(crate) mod fields;
pub(crate) mod json;
mod level;
pub(crate) mod prefix;
pub(crate) mod quick;
pub(crate) mod signs;
pub(crate) mod split;
pub(crate) mod tokens;
pub(crate) mod unwrap;
