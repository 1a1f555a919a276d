//! Logs as the backfill jobs write them, in the forms that they come in.

#![allow(dead_code)] // every test file uses a part of it

use std::fmt::Write as _;

use bf_contract::{LedgerEntry, LogSummary};
use bf_parse_log::{Dialects, LogEnd, LogParser};
use chrono::{Days, NaiveDate};

/// How lines begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `INFO:__main__:`
    Named,
    /// `2026-01-03 13:45:12,345 - INFO - `
    Timed,
    /// `2026-01-03 13:45:12,345 - __main__ - INFO - `
    TimedAndNamed,
    /// No prefix at all.
    Bare,
    /// As `Named`, behind what a container's runtime puts there.
    Collected,
    /// As `Named`, with Windows line ends.
    Windows,
    /// As `Named`, in colours.
    Coloured,
}

pub const FORMS: [Form; 6] = [
    Form::Named,
    Form::Timed,
    Form::TimedAndNamed,
    Form::Collected,
    Form::Windows,
    Form::Coloured,
];

/// A log that is being written.
#[derive(Debug, Clone)]
pub struct Log {
    pub form: Form,
    pub text: String,
    second: u32,
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// The `n`-th day of a January, and on.
pub fn day(n: u64) -> NaiveDate {
    date("2024-01-01") + Days::new(n - 1)
}

pub fn days(numbers: impl IntoIterator<Item = u64>) -> Vec<NaiveDate> {
    numbers.into_iter().map(day).collect()
}

/// What becomes of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Good(u64),
    /// The processor said no.
    Bad,
    /// An exception, with a traceback.
    Thrown,
    Bootstrap,
}

impl Log {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            text: String::new(),
            second: 0,
        }
    }

    pub fn line(&mut self, level: &str, logger: &str, message: &str) -> &mut Self {
        self.second += 1;
        let time = format!(
            "2026-01-03 13:{:02}:{:02},345",
            self.second / 60 % 60,
            self.second % 60
        );
        let end = if self.form == Form::Windows {
            "\r\n"
        } else {
            "\n"
        };
        let message = message.replace('\n', end);
        let written = match self.form {
            Form::Named | Form::Windows => write!(self.text, "{level}:{logger}:{message}{end}"),
            Form::Timed => write!(self.text, "{time} - {level} - {message}{end}"),
            Form::TimedAndNamed => {
                write!(self.text, "{time} - {logger} - {level} - {message}{end}")
            }
            Form::Bare => write!(self.text, "{message}{end}"),
            Form::Collected => write!(
                self.text,
                "2026-01-03T13:45:12.345678901Z stderr F {level}:{logger}:{message}{end}"
            ),
            Form::Coloured => write!(
                self.text,
                "\x1b[32m{level}\x1b[0m:{logger}:\x1b[1m{message}\x1b[0m{end}"
            ),
        };
        written.expect("a string takes all");
        self
    }

    pub fn info(&mut self, message: &str) -> &mut Self {
        self.line("INFO", "__main__", message)
    }

    pub fn error(&mut self, message: &str) -> &mut Self {
        self.line("ERROR", "__main__", message)
    }

    /// Text without a prefix, as Python and the shell write it.
    pub fn raw(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// The block that the analytics jobs begin with.
    pub fn configuration(&mut self, start: NaiveDate, end: NaiveDate, dry: bool) -> &mut Self {
        self.info("Day-by-day analytics backfill configuration:")
            .info(&format!("  Date range: {start} to {end}"))
            .info(&format!(
                "  Dry run: {}",
                if dry { "True" } else { "False" }
            ))
            .info("  No resume: False")
    }

    pub fn checkpoint(&mut self, start: NaiveDate, end: NaiveDate) -> &mut Self {
        self.info(&format!(
            "Checkpoint: /tmp/backfill_checkpoints/team_offense_game_summary_{start}_{end}.json"
        ))
    }

    /// The beginning of a sequential run, up to its first date.
    pub fn begin(
        &mut self,
        start: NaiveDate,
        end: NaiveDate,
        resume: Option<NaiveDate>,
    ) -> &mut Self {
        let all = (end - start).num_days() + 1;
        let left = resume.map_or(all, |from| (end - from).num_days() + 1);
        self.configuration(start, end, false)
            .info(&format!(
                "Starting day-by-day analytics backfill from {start} to {end}"
            ))
            .info(&format!("Will process {all} days from {start} to {end}"));
        if let Some(from) = resume {
            self.info(&format!("📂 Found checkpoint - resuming from {from}"))
                .info(&format!(
                    "   Skipping {} already-processed dates",
                    all - left
                ));
        }
        self.info(&format!(
            "Processing {left} days individually (day-by-day approach)"
        ))
        .checkpoint(start, end)
    }

    pub fn chatter(&mut self, date: NaiveDate) -> &mut Self {
        self.line(
            "INFO",
            "analytics_base",
            &format!("ANALYTICS_STEP Starting analytics processor for {date}"),
        )
        .line(
            "INFO",
            "shared.utils.client",
            "Query finished: ✓ 31337 rows, 0 failed",
        )
    }

    /// One date of a sequential run.
    pub fn date(
        &mut self,
        kind: &str,
        index: usize,
        total: usize,
        date: NaiveDate,
        fate: Fate,
    ) -> &mut Self {
        self.info(&format!("Processing {kind} {index}/{total}: {date}"))
            .chatter(date);
        match fate {
            Fate::Good(records) => self.info(&format!("  ✓ Success: {records} records")),
            Fate::Bad => self
                .line("ERROR", "analytics_base", &format!("Base Error: No data extracted for {date}"))
                .error(&format!("  ✗ Failed: {date}")),
            Fate::Thrown => self
                .error("Exception during processing: 429 Exceeded rate limits")
                .raw("Traceback (most recent call last):\n  File \"job.py\", line 7, in run\n    log('  ✓ Success: 9 records')\nRuntimeError: 429 Exceeded rate limits\n")
                .error("  ✗ Exception: 429 Exceeded rate limits"),
            Fate::Bootstrap => self.info("  ⏭ Skipped: bootstrap period"),
        }
    }

    /// Some dates of a sequential run, numbered from 1.
    pub fn dates(&mut self, kind: &str, fates: &[(NaiveDate, Fate)]) -> &mut Self {
        for (at, (date, fate)) in fates.iter().enumerate() {
            self.date(kind, at + 1, fates.len(), *date, *fate);
        }
        self
    }

    /// One date of a parallel run; its exceptions name it.
    pub fn parallel_date(&mut self, date: NaiveDate, fate: Fate) -> &mut Self {
        self.chatter(date);
        self.parallel_result(date, fate)
    }

    pub fn parallel_result(&mut self, date: NaiveDate, fate: Fate) -> &mut Self {
        match fate {
            Fate::Good(records) => self.info(&format!("  ✓ {date}: {records} records")),
            Fate::Bad => self
                .line("ERROR", "analytics_base", &format!("Base Error: No data extracted for {date}"))
                .error(&format!("  ✗ {date}: Processing failed")),
            Fate::Thrown => self
                .error(&format!("Exception processing {date}: 429 Exceeded rate limits"))
                .raw("Traceback (most recent call last):\n  File \"job.py\", line 7, in run\nRuntimeError: 429 Exceeded rate limits\n"),
            Fate::Bootstrap => self.info(&format!("  ⏭ {date}: bootstrap period")),
        }
    }

    pub fn begin_parallel(
        &mut self,
        start: NaiveDate,
        end: NaiveDate,
        resume: Option<NaiveDate>,
    ) -> &mut Self {
        let all = (end - start).num_days() + 1;
        let left = resume.map_or(all, |from| (end - from).num_days() + 1);
        self.configuration(start, end, false)
            .info("🚀 PARALLEL BACKFILL MODE - 4 CONCURRENT WORKERS")
            .info(&format!("   Date range: {start} to {end}"))
            .info(&format!("Will process {all} days from {start} to {end}"));
        if let Some(from) = resume {
            self.info(&format!("📂 Resuming from {from}"))
                .info(&format!("   Skipping {left} already-processed dates"));
        }
        self.info(&format!("Processing {left} days with 4 parallel workers"))
            .info("Estimated completion time: 0.7 hours")
            .checkpoint(start, end)
            .info("PARALLEL PROCESSING STARTED")
    }

    /// The closing summary of a sequential run, with figures of its own.
    pub fn end(&mut self, start: NaiveDate, end: NaiveDate, good: u64, bad: u64) -> &mut Self {
        self.info(&"=".repeat(80))
            .info("DAY-BY-DAY BACKFILL SUMMARY:")
            .info(&format!("  Date range: {start} to {end}"))
            .info("  Total days: 4711")
            .info(&format!("  Successful days: {good}"))
            .info(&format!("  Failed days: {bad}"))
            .info("\n📊 Checkpoint Summary:")
            .info("   Total successful: 0")
            .info("   Total failed: 0");
        if bad > 0 {
            self.info(&format!("\n  Failed dates ({bad} total):"))
                .info("    2031-12-31, 2032-01-01")
                .info("\n  To retry failed days, use --dates parameter:")
                .info("    python job.py --dates 2031-12-31,2032-01-01");
        }
        self.info(&"=".repeat(80))
    }

    pub fn end_parallel(&mut self, good: u64, bad: u64) -> &mut Self {
        self.info("\n================")
            .info("PARALLEL BACKFILL COMPLETE")
            .info("  Total days: 4711")
            .info(&format!("  Successful: {good}"))
            .info(&format!("  Failed: {bad}"))
            .info("  Total records: 1,234")
            .info("\n📊 Checkpoint Summary:")
            .info("   Successful: 0")
            .info("   Failed: 0")
            .info(&format!(
                "\n  Failed dates ({bad} total): [datetime.date(2031, 12, 31)]"
            ))
    }

    /// The beginning of a run over named dates; the count is announced twice.
    pub fn begin_list(&mut self, count: usize) -> &mut Self {
        self.info(&format!("Processing {count} specific dates"))
            .info(&format!("Processing {count} specific dates"))
    }

    pub fn end_list(&mut self, good: u64, bad: u64) -> &mut Self {
        self.info("SPECIFIC DATES PROCESSING SUMMARY:")
            .info(&format!("  Total dates: {}", good + bad))
            .info(&format!("  Successful: {good}"))
            .info(&format!("  Failed: {bad}"))
            .info("  Failed dates: 2031-12-31")
    }

    pub fn parse(&self) -> Parsed {
        parse(self.text.as_bytes())
    }
}

/// A log, parsed both ways.
#[derive(Debug)]
pub struct Parsed {
    /// While the job may still write.
    pub summary: LogSummary,
    /// Once the job is gone.
    pub gone: LogSummary,
    pub ledger: Vec<LedgerEntry>,
}

pub fn parse(bytes: &[u8]) -> Parsed {
    let mut parser = LogParser::new(Dialects::built_in());
    parser.feed(bytes);
    let parsed = Parsed {
        summary: parser.summary(LogEnd::StillWritten),
        gone: parser.summary(LogEnd::WriterGone),
        ledger: parser.ledger(LogEnd::StillWritten),
    };
    for summary in [&parsed.summary, &parsed.gone] {
        adds_up(summary);
    }
    parsed
}

/// What must hold for every summary.
pub fn adds_up(summary: &LogSummary) {
    let known =
        summary.successful_days + summary.failed_days + summary.skipped_days + summary.earlier_days;
    if let (Some(total), Some(left)) = (summary.total_days, summary.unaccounted_days) {
        assert_eq!(known + left, total, "{summary:?}");
    }
    // A failure whose date cannot be read counts and has no name.
    assert!(summary.failed_dates.len() as u64 <= summary.failed_days);
    assert!(
        summary.failed_dates.len() as u64 == summary.failed_days || summary.has_failure_in_doubt()
    );
    assert_eq!(summary.current_day, known);
    assert_eq!(
        summary.completed,
        summary.state == bf_contract::LogState::Completed
    );
    if let (Some(days), Some(dates)) = (summary.unaccounted_days, &summary.unaccounted_dates) {
        assert_eq!(dates.len() as u64, days);
    }
}

impl Parsed {
    /// successful, failed, skipped, earlier, unaccounted, total
    pub fn figures(&self) -> [u64; 6] {
        let summary = &self.summary;
        [
            summary.successful_days,
            summary.failed_days,
            summary.skipped_days,
            summary.earlier_days,
            summary.unaccounted_days.unwrap_or(u64::MAX),
            summary.total_days.unwrap_or(u64::MAX),
        ]
    }

    pub fn entry(&self, date: NaiveDate) -> &LedgerEntry {
        self.ledger
            .iter()
            .find(|entry| entry.date == date)
            .expect("the ledger has the date")
    }
}
