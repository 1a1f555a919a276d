//! Whether a log has ended.

/// Whether more of the log is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEnd {
    /// The job may write on, as far as anybody knows: a run without its end marker is running.
    StillWritten,
    /// The job is gone: a run without its end marker was interrupted.
    WriterGone,
}
