//! The job's log: one line per record, as Python's `logging` writes it.

use std::io::{BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use chrono::Local;
use clap::ValueEnum;

/// Bytes a writer without `python -u` collects before it lets go of any.
const BLOCK: usize = 8 * 1024;

/// How a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// `INFO:__main__:text`, what the real jobs end up with.
    #[default]
    Basic,
    /// `2026-01-03 13:45:12,345 - INFO - text`, what they ask for.
    Asctime,
}

/// Severity of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `INFO`
    Info,
    /// `WARNING`
    Warning,
    /// `ERROR`
    Error,
}

/// Which part of the real program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logger {
    /// The backfill script.
    Main,
    /// The processor's base class.
    AnalyticsBase,
    /// The base class of the processors of phase 4.
    PrecomputeBase,
    /// The schedule.
    Schedule,
    /// The checkpoint file.
    Checkpoint,
    /// The check after the run.
    Validator,
}

impl Logger {
    fn name(self) -> &'static str {
        match self {
            Self::Main => "__main__",
            Self::AnalyticsBase => "analytics_base",
            Self::PrecomputeBase => "precompute_base",
            Self::Schedule => "shared.backfill.schedule_utils",
            Self::Checkpoint => "shared.backfill.checkpoint",
            Self::Validator => "shared.validation.backfill_validator",
        }
    }
}

/// Where all threads of the job write.
pub struct Log {
    out: Mutex<Box<dyn Write + Send>>,
    format: Format,
    only_main: bool,
}

impl Log {
    /// A log on `out`. With `buffered` nothing appears before a block is full; with
    /// `only_main` other loggers and all warnings are left out.
    pub fn new(
        out: Box<dyn Write + Send>,
        format: Format,
        buffered: bool,
        only_main: bool,
    ) -> Self {
        let out = if buffered {
            Box::new(BufWriter::with_capacity(BLOCK, out))
        } else {
            out
        };
        Self {
            out: Mutex::new(out),
            format,
            only_main,
        }
    }

    /// An `INFO` record of the script.
    pub fn info(&self, text: impl AsRef<str>) {
        self.write(Level::Info, Logger::Main, text.as_ref());
    }

    /// A `WARNING` record of the script.
    pub fn warning(&self, text: impl AsRef<str>) {
        self.write(Level::Warning, Logger::Main, text.as_ref());
    }

    /// An `ERROR` record of the script.
    pub fn error(&self, text: impl AsRef<str>) {
        self.write(Level::Error, Logger::Main, text.as_ref());
    }

    /// The script's line of 80 equals signs.
    pub fn rule(&self) {
        self.info("=".repeat(80));
    }

    /// The same after an empty line, which takes the record's first line.
    pub fn rule_after_gap(&self) {
        self.info(format!("\n{}", "=".repeat(80)));
    }

    /// Any record. The text may have several lines; only the first gets the prefix. Like
    /// Python's, a log that cannot be written does not stop the job.
    pub fn write(&self, level: Level, logger: Logger, text: &str) {
        if self.only_main && (logger != Logger::Main || level == Level::Warning) {
            return;
        }
        let severity = match level {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        };
        // One write per record, so that a reader never sees half of one.
        let record = match self.format {
            Format::Basic => format!("{severity}:{}:{text}\n", logger.name()),
            Format::Asctime => {
                let now = Local::now();
                format!(
                    "{} - {severity} - {text}\n",
                    now.format("%Y-%m-%d %H:%M:%S,%3f")
                )
            }
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(record.as_bytes());
    }

    /// What the program prints past its log, or Python prints about it: no prefix.
    pub fn plain(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(format!("{text}\n").as_bytes());
    }

    /// Lets go of what is still held back.
    pub fn flush(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.flush();
    }
}
