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
    /// Dates one after the other, in the form of the `upcoming_*` jobs.
    Upcoming,
    /// The whole range in one go; no date has a line of its own.
    WholeRange,
    /// As a dialect of the config describes it.
    Custom,
}

/// The lines that a run prints before its first date. Each comes once a run, so that one which comes again
/// tells of another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Configuration,
    DryRunFlag,
    ResumeFlag,
    Starting,
    WillProcess,
    DaysAnnounced,
    ParallelBanner,
    ParallelStarted,
    SpecificDates,
    Preflight,
    RangeTitle,
    Title,
    TotalDays,
    RemainingDays,
    RunMode,
    Resuming,
    ExecutionOrder,
    WholeRange,
    Custom,
}

impl Opening {
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
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
    pub(crate) dry_run: Option<bool>,
    pub(crate) job: Option<Span>,
    /// Whether it never begins a run of its own.
    pub(crate) continues: bool,
    /// Whether one of the figures was left out, as it is too large.
    pub(crate) too_large: bool,
}

/// The figures of a run's closing summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Successful,
    Failed,
    Skipped,
}

/// How a Python program came to its end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// An exception that nobody caught.
    Traceback,
    /// Ctrl-C, or a signal that a shell reported.
    Stopped,
    /// An argument that could not be read, and nobody caught it.
    BadArgument,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line from before the first date of a run.
    Opening(Opening, Opened),
    /// The range, on a line that the closing summary has, too.
    Range(DateRange),
    /// How many days of the range have games, and how many have none.
    Schedule {
        game_dates: Option<u64>,
        off_days: Option<u64>,
    },
    /// The path of the checkpoint, which holds the job's name and the range.
    Checkpoint { job: Span, range: Option<DateRange> },
    /// The job's name.
    Job(Span),
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
    /// The word on a date of a list, by a job that prints nothing else for it.
    Word {
        date: NaiveDate,
        word: Word,
        /// Whether the line says that it is the job's.
        of_job: bool,
    },
    /// An error that may be the reason of a failure to come.
    Error { date: Option<NaiveDate>, text: Span },
    /// How far the run says it is.
    Progress { done: u64, total: u64 },
    /// The end marker.
    End(Option<Mode>),
    /// The end marker that is a summary in one line.
    EndCounts {
        successful: u64,
        skipped: u64,
        failed: u64,
    },
    /// A figure of the closing summary.
    Claim(Claim, u64),
    /// All three of them.
    Claims {
        successful: u64,
        skipped: u64,
        failed: u64,
    },
    /// The checkpoint's own summary begins; its figures mean nothing.
    CheckpointSummary,
    /// The program broke, unless a log message above owns the traceback.
    Crash(Crash),
    /// An error of the job itself, at the highest level.
    Critical(Span),
    /// The program's usage: its arguments were wrong, or its help was asked for.
    Usage(Span),
    /// The job itself broke.
    Fatal(Span),
    /// The run has ended; it may count its successful, failed and skipped dates.
    Ended([Option<u64>; 3]),
    /// What the run's own summary counts, in the same order.
    Claimed([Option<u64>; 3]),
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

impl Event {
    /// Whether the built-in dialects left out a figure of it, as it is too large.
    pub(crate) fn lost_a_figure(&self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::Opening(
                    _,
                    Opened {
                        too_large: true,
                        ..
                    }
                )
        )
    }
}

/// The words of `<date>: <word>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Success,
    Failed,
    Skipped,
    Looked,
}
