//! What a run leaves on disk.

pub(crate) mod attempt;
pub(crate) mod evidence;
pub(crate) mod journal;
pub(crate) mod mark;
pub(crate) mod proc;
pub(crate) mod refusal;
pub(crate) mod run_dir;
pub(crate) mod runs;
pub(crate) mod state;
pub(crate) mod table_lock;
