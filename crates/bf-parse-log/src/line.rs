//! One line: its escapes, its prefix, and the dates and figures in it.

pub(crate) mod escapes;
pub(crate) mod fields;
pub(crate) mod prefix;
pub(crate) mod signs;
pub(crate) mod split;
pub(crate) mod unwrap;
