//! What a line of a log can say.

use bf_contract::DateRange;
use chrono::NaiveDate;

/// A piece of a line, by offset and length: events are plain values that outlive the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The part of `line` that `piece` is; `piece` must be a slice of `line`.
    pub(crate) fn of(line: &[u8], piece: &[u8]) -> Self {
        let start = (piece.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        let start = start.min(line.len());
        let end = (start + piece.len()).min(line.len());
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    /// The bytes it stands for.
    pub(crate) fn in_line(self, line: &[u8]) -> &[u8] {
        line.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// How a run goes through its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Mode {
    /// Calendar days, one after the other.
    DayByDay,
    /// Game dates, one after the other.
    GameDates,
    /// Several dates at once.
    Parallel,
    /// A list of dates, asked for by name.
    SpecificDates,
    /// Calendar days, announced with their total and what remains.
    Upcoming,
    /// The whole range in one go; no date has a line of its own.
    WholeRange,
    /// As the dialect describes it.
    Custom,
}

/// A line that a run prints before its first date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Its place among the beginnings of its dialect.
    pub(crate) place: u8,
    /// Whether it comes once a run, so that one which comes again tells of another run.
    pub(crate) once: bool,
    /// Whether no run begins with it.
    pub(crate) never_first: bool,
}

impl Opening {
    pub(crate) const fn bit(self) -> u32 {
        1 << (self.place & 31)
    }
}

/// What an opening line says beside that a run begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) mode: Option<Mode>,
    pub(crate) range: Option<DateRange>,
    /// Dates of the whole range.
    pub(crate) range_total: Option<u64>,
    /// Dates that this run means to process.
    pub(crate) to_do: Option<u64>,
    pub(crate) resume: Option<NaiveDate>,
    pub(crate) dry_run: bool,
    pub(crate) job: Option<Span>,
    /// Whether it never begins a run of its own.
    pub(crate) continues: bool,
}

/// How a Python program came to its end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// An exception that was not caught.
    Traceback,
    /// Ctrl-C, or a signal that a shell reported.
    Stopped,
    /// An argument that could not be read, and was not caught.
    BadArgument,
}

/// Figures of successful, failed and skipped dates.
pub(crate) type Counts = [Option<u64>; 3];

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line from before the first date of a run.
    Opening(Opening, Opened),
    /// The path of the checkpoint, which holds the job's name and the range.
    Checkpoint { job: Span, range: Option<DateRange> },
    /// The job declined to start.
    Refused(Span),
    /// A date begins.
    Begin {
        date: NaiveDate,
        index: u64,
        total: Option<u64>,
        mode: Mode,
    },
    /// Another logger says that a date begins.
    BeganQuietly(NaiveDate),
    /// A date begins that cannot be read: what is said without a date is not of the one before.
    UnreadableBegin,
    /// A date succeeded; without a date it is the current one.
    Success {
        date: Option<NaiveDate>,
        records: Option<u64>,
    },
    /// A date failed.
    Failure {
        date: Option<NaiveDate>,
        reason: Span,
    },
    /// A date was left out.
    Skip {
        date: Option<NaiveDate>,
        reason: Span,
    },
    /// A date was only looked at.
    Looked { date: Option<NaiveDate> },
    /// The job says that it only looks.
    DryRunMode,
    /// An error that may be the reason of a failure to come.
    Error { date: Option<NaiveDate>, text: Span },
    /// How far the run says it is.
    Progress { done: u64, total: u64 },
    /// The run has ended; it may count its dates.
    Ended {
        counts: Counts,
        mode: Option<Mode>,
        /// Whether the counts settle the dates that have no line of their own.
        settles: bool,
    },
    /// What the run's own summary counts.
    Claimed(Counts),
    /// The program broke, unless a log message above owns the traceback.
    Crash(Crash),
    /// An error of the job itself, at the highest level.
    Critical(Span),
    /// The program's usage: its arguments were wrong, or its help was asked for.
    Usage(Span),
    /// The job itself broke.
    Fatal(Span),
    /// The job checked what it wrote, and this is not as it should be.
    OwnValidation(Span),
    /// What is known of a run before its first date.
    About {
        range: Option<DateRange>,
        job: Span,
        expected: Option<u64>,
        off_days: Option<u64>,
    },
    /// A line that looks like an error and that no rule reads.
    UnreadError(Span),
    /// A summary names the dates that failed.
    FailedDates(Span),
    /// A part of the log begins that rules may ask for.
    Block,
    /// A line that would say something, but for a figure that is too large to be one.
    TooLarge,
}

/// What a line says besides its event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The last date of a batch.
    pub(crate) until: Option<NaiveDate>,
    /// The model, table or file of the date.
    pub(crate) unit: Span,
    /// Who wrote the line, in a job with several workers.
    pub(crate) worker: Span,
    /// The job that the line is of.
    pub(crate) job: Span,
    /// Whether the date is the one that began last.
    pub(crate) from_start: bool,
    /// Whether the outcome is all that a job over a list of dates prints for its date.
    pub(crate) of_list: bool,
    /// Whether the line names the job's logger.
    pub(crate) names_job: bool,
    /// The counter `i/N` of an outcome.
    pub(crate) index: Option<u64>,
    pub(crate) total: Option<u64>,
    /// A date that is there and cannot be read.
    pub(crate) has_bad_date: bool,
    pub(crate) bad_date: Span,
    /// A figure that is there and cannot be read.
    pub(crate) has_bad_figure: bool,
    pub(crate) bad_figure: Span,
}

/// What a dialect promises of its jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Promises {
    /// Whether all lines of the job are known, so that what does not fit is of another job.
    pub(crate) strict: bool,
    /// Whether a job tries a date again in one run.
    pub(crate) retries: bool,
    /// Whether a date that begins and has no outcome succeeded, once its run has ended.
    pub(crate) unmentioned_succeed: bool,
    /// Whether a run has no end marker: it ends with the last of its dates.
    pub(crate) no_end: bool,
    /// Whether it then has ended, without anybody else knowing its dates.
    pub(crate) ends_when_all_done: bool,
    /// Whether its outcomes name their job.
    pub(crate) by_job: bool,
    /// Whether a line tells that a run begins.
    pub(crate) has_start: bool,
    /// Whether a range means each of its days.
    pub(crate) daily: bool,
}

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) event: Event,
    /// The rule that found it; `None` for an error that none reads.
    pub(crate) rule: Option<u16>,
    /// The place of the dialect that it is said in.
    pub(crate) dialect: usize,
    /// Whether the line had a logging prefix.
    pub(crate) prefixed: bool,
    /// Whether it counts only in a log without prefixes: elsewhere it is part of some message.
    pub(crate) needs_prefix: bool,
    /// Whether a message above the line owns a traceback that begins here.
    pub(crate) owned: bool,
    /// Whether a figure of it was left out, as it is too large.
    pub(crate) too_large: bool,
    pub(crate) details: Details,
    /// When it was written, as a number that grows.
    pub(crate) time: Option<u64>,
}
