//! The job's log: one line per record, as Python's `logging` writes it.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use chrono::Local;
use clap::ValueEnum;

/// How a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// `INFO:__main__:text`, what the real jobs end up with.
    #[default]
    Basic,
    /// `2026-01-03 13:45:12,345 - INFO - text`, what they ask for.
    Asctime,
}

/// Where all threads of the job write.
pub(crate) struct Log {
    out: Mutex<Box<dyn Write + Send>>,
    format: Format,
}

impl Log {
    /// A log on `out`.
    pub(crate) fn new(out: Box<dyn Write + Send>, format: Format) -> Self {
        let out = Mutex::new(out);
        Self { out, format }
    }

    /// A record. The text may have several lines; only the first gets the prefix.
    pub(crate) fn write(&self, severity: &str, logger: &str, text: &str) {
        match self.format {
            Format::Basic => self.plain(&format!("{severity}:{logger}:{text}")),
            Format::Asctime => {
                let now = Local::now().format("%Y-%m-%d %H:%M:%S,%3f");
                self.plain(&format!("{now} - {severity} - {text}"));
            }
        }
    }

    /// A line without a prefix: what the program prints past its log. One write per record, so
    /// that a reader never sees half of one; like Python's, a log that cannot be written does not
    /// stop the job.
    pub(crate) fn plain(&self, text: &str) {
        let line = format!("{text}\n");
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(line.as_bytes());
    }
}
