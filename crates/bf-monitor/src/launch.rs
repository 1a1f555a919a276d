//! Starting a job exactly once: the record, the shim that waits for the job, and the stub that becomes it.

pub(crate) mod exec_stub;
pub(crate) mod record;
pub(crate) mod shim;
pub(crate) mod start;

pub(crate) use record::await_exit;
pub(crate) use start::Shim;
