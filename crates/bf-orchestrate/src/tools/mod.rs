//! The sibling programs.

pub(crate) mod calls;
pub(crate) mod locate;
pub(crate) mod process;
pub(crate) mod program;
