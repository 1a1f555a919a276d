//! All runs of a file: events in, ledger and totals out.

use serde::{Deserialize, Serialize};

use crate::dialect::event::{Details, Event, Mode, Opened, Opening, Promises, Reading, Span};
use crate::line::fields::text;
use crate::run::doubts::Doubts;
use crate::run::job_name::job_name;
use crate::run::ledger::{Ledger, Outcome};
use crate::run::past::Past;
use crate::run::run::{Broken, Pending, Run};
use crate::run::told::{REASON, Told};

/// The runs of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) ledger: Ledger,
    pub(crate) past: Past,
    pub(crate) run: Option<Run>,
    pub(crate) runs: u64,
    /// Whether an event of this file came on a line with a logging prefix: from then on a line without
    /// one is part of a message.
    prefixed: bool,
    /// Whether the program broke before any run.
    pub(crate) broke_before_any_run: bool,
    /// Outcomes without a date that no date was begun for.
    pub(crate) undated: u64,
    #[serde(skip)]
    pub(crate) promises: Promises,
    #[serde(default)]
    pub(crate) doubts: Doubts,
    /// Date lines whose counter, or whose time, is above and below that of the line before.
    #[serde(default)]
    pub(crate) order: Order,
    #[serde(default)]
    pub(crate) times: Order,
    /// The number of the line that is read now.
    #[serde(skip)]
    pub(super) line: u64,
    /// Lines with a figure that is too large, and the number of the first.
    #[serde(default)]
    pub(crate) too_large: Option<(u64, u64)>,
    /// Errors between two runs: the first date of a job that announces nothing may fail of them.
    #[serde(default)]
    pub(super) early: Pending,
}

/// In which order lines come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    last: Option<u64>,
    rises: u64,
    falls: u64,
}

impl Order {
    pub(super) fn add(&mut self, value: u64) {
        if let Some(last) = self.last {
            self.rises += u64::from(value > last);
            self.falls += u64::from(value < last);
        }
        self.last = Some(value);
    }

    /// Whether it falls over the whole log.
    pub(crate) const fn is_falling(&self) -> bool {
        self.falls > 1 && self.rises == 0
    }

    pub(crate) const fn is_rising(&self) -> bool {
        self.rises > self.falls
    }

    pub(crate) const fn falls(&self) -> u64 {
        self.falls
    }
}

impl History {
    /// Takes in a line, the `number`-th of the log, as its dialect reads it.
    pub(crate) fn take(&mut self, reading: &Reading, line: &[u8], number: u64) {
        if reading.needs_prefix && self.prefixed {
            return;
        }
        if reading.too_large {
            let (lines, _) = self.too_large.get_or_insert((0, number));
            *lines += 1;
        }
        // Nothing can be made of the rest of such a line.
        if reading.event == Event::TooLarge {
            return;
        }
        let is_error = matches!(reading.event, Event::Error { .. });
        self.prefixed |= reading.prefixed && !is_error;
        self.line = number;
        if let Event::UnreadError(what) = reading.event {
            let shown = text(what.in_line(line), 120);
            self.doubts.unread_errors.add(number, &shown);
            return;
        }
        if let Some(time) = reading.time {
            self.times.add(time);
        }
        self.apply(reading.event, &reading.details, line, reading.owned);
    }

    pub(super) fn start_run(&mut self) -> &mut Run {
        if let Some(run) = self.run.take() {
            self.past.take(&run, &self.ledger);
        }
        self.runs += 1;
        let mut run = Run::new(self.runs);
        run.pending = std::mem::take(&mut self.early);
        run.daily = self.promises.daily;
        self.run.insert(run)
    }

    /// Whether the last run is a list without an end of its own, behind no range that was broken off.
    pub(crate) fn lacks_only_an_end(&self) -> bool {
        self.run.as_ref().is_some_and(|run| {
            (run.says_no_end() || (self.promises.no_end && run.may_go_on()))
                && !self.past.leaves_unfinished(run)
        })
    }

    /// Whether any date has an outcome, or an outcome any date that cannot be read.
    pub(crate) fn has_outcomes(&self) -> bool {
        self.ledger.finished() > 0
            || self.doubts.undated_failures.count + self.doubts.unreadable_dates.count > 0
    }

    /// bf started another attempt of the job here: what follows is another run, whatever its lines say.
    pub(crate) fn begin_attempt(&mut self) {
        if self.run.as_ref().is_some_and(|run| !run.is_untouched()) {
            self.start_run().by_attempt = true;
        }
    }

    /// Lines of a second job were seen among those of the run at work.
    pub(super) fn suspect_two_jobs(&mut self, why: &str) {
        let run = self.run.as_ref().map_or(1, |run| run.number);
        // The other job's is the run that was cut off, or the one before.
        let before = if self.past.last_run_ended && self.run.as_ref().is_some_and(Run::was_opened) {
            run
        } else {
            run.saturating_sub(1)
        };
        let since = self.past.last_unfinished.unwrap_or(before).min(before);
        self.doubts.two_jobs(self.line, since, why);
    }

    /// How a run goes that only its dates tell of.
    pub(super) fn usual_mode(&self) -> Mode {
        if self.promises.strict {
            Mode::Parallel
        } else {
            Mode::Custom
        }
    }

    /// The run that a line about a date belongs to; begins one where the opening lines are missing.
    pub(super) fn run_at_work(&mut self, mode: Mode) -> &mut Run {
        if self.run.as_ref().is_none_or(|run| run.refused.is_some()) {
            self.start_run();
        }
        let run = self.run.get_or_insert_with(|| Run::new(1));
        if !run.active {
            self.past.meet(run, &mut self.ledger);
        }
        run.active = true;
        // A program that goes on was not broken by what looked like its end.
        run.broken = None;
        run.mode = run.mode.or(Some(mode));
        run
    }

    fn apply(&mut self, event: Event, details: &Details, line: &[u8], owned: bool) {
        if let Some(run) = &mut self.run
            && !matches!(event, Event::Opening(..))
        {
            run.say_else();
        }
        match event {
            Event::Opening(opening, what) => self.open(opening, &what, line),
            Event::Checkpoint { job, range } => {
                let name = text(job.in_line(line), 120);
                let differs = self.run.as_ref().is_some_and(|run| {
                    let own = run.checkpoint.as_ref();
                    !run.ended && own.is_some_and(|(own, of)| *own != name || *of != range)
                });
                // A job names its checkpoint before its first date.
                let is_late = self.run.as_ref().is_some_and(|run| {
                    let own = run.checkpoint.as_ref();
                    run.active && !run.ended && own.is_none_or(|(own, _)| *own != name)
                });
                if differs || is_late {
                    self.suspect_two_jobs("two checkpoints in one run");
                }
                if let Some(run) = self.run.as_mut().filter(|run| !run.active && !run.ended) {
                    run.checkpoint.get_or_insert((name.clone(), range));
                    run.job = Some(name);
                    run.range = run.range.or(range);
                }
            }
            Event::Refused(reason) => self.refuse(text(reason.in_line(line), REASON)),
            Event::Usage(program) => {
                if self.run.as_ref().is_none_or(|run| !run.is_untouched()) {
                    self.start_run();
                }
                if let Some(run) = &mut self.run {
                    run.job = Some(job_name(program.in_line(line)));
                    run.refused = Some("the program printed its usage".to_owned());
                    run.saw_usage_only = true;
                }
            }
            Event::Begin {
                date,
                index,
                total,
                mode,
            } => self.begin(date, index, total, mode, details, line),
            Event::BeganQuietly(date) => self.begin_quietly(date),
            Event::Success { date, records } => {
                let told = Told::of(date, Outcome::Success, records, Span::default(), details);
                self.outcome_or_word(&told, line);
            }
            Event::Failure { date, reason } => {
                let told = self.failure(date, reason, details, line);
                self.outcome_or_word(&told, line);
            }
            Event::Skip { date, reason } => {
                let told = Told::of(date, Outcome::Skipped, None, reason, details);
                self.outcome_or_word(&told, line);
            }
            Event::Looked { date } => {
                let told = Told::of(date, Outcome::Looked, None, Span::default(), details);
                self.outcome_or_word(&told, line);
            }
            Event::DryRunMode => {
                if let Some(run) = &mut self.run {
                    run.saw_dry_run = true;
                }
            }
            Event::Error {
                date,
                text: message,
            } => {
                let message = text(message.in_line(line), REASON);
                match self.run.as_mut().filter(|run| !run.ended) {
                    Some(run) => {
                        let date = date.filter(|_| !run.one_by_one());
                        run.pending.add(date, message);
                    }
                    None => self.early.add(None, message),
                }
            }
            Event::Progress { done, total } => {
                if !self.promises.strict && (self.run.is_some() || !self.promises.has_start) {
                    // A bar may be all that a job shows before its first date.
                    self.run_at_work(Mode::Custom);
                }
                if let Some(run) = &mut self.run {
                    run.said_done = run.said_done.max(done.min(total));
                    if run.mode == Some(Mode::Custom) {
                        run.to_do = run.to_do.max(Some(total));
                    }
                }
            }
            Event::Ended {
                counts: [Some(successful), Some(failed), Some(skipped)],
                mode,
                settles: true,
            } => self.end_with_counts(mode, successful, skipped, failed),
            Event::Ended { counts, mode, .. } => self.ended(counts, mode, line),
            Event::Claimed(counts) => self.claimed(counts),
            Event::OwnValidation(what) => {
                let shown = text(what.in_line(line), REASON);
                self.doubts.own_validation.add(self.line, &shown);
            }
            Event::Fatal(what) => self.fatal(text(what.in_line(line), REASON)),
            Event::About {
                range,
                job,
                expected,
                off_days,
            } => self.about(range, &text(job.in_line(line), 120), expected, off_days),
            Event::Block => {}
            Event::UnreadError(_) => {}
            Event::FailedDates(list) => self.failed_dates(list.in_line(line)),
            Event::UnreadableBegin => {
                let shown = text(details.bad_date.in_line(line), 60);
                self.doubts.unreadable_dates.add(self.line, &shown);
                self.run_at_work(self.usual_mode()).current = None;
            }
            Event::TooLarge => {}
            Event::Crash(crash) => self.crash(crash, owned, line),
            Event::Critical(_) => match &mut self.run {
                // A job over the whole range in one go has finished with it.
                Some(run) if run.mode == Some(Mode::WholeRange) => run.broken = Some(Broken::Fatal),
                _ => self.past.fatal += 1,
            },
        }
    }

    fn about(
        &mut self,
        range: Option<bf_contract::DateRange>,
        job: &str,
        expected: Option<u64>,
        off_days: Option<u64>,
    ) {
        if self
            .run
            .as_ref()
            .is_none_or(|run| run.ended || run.refused.is_some())
        {
            return;
        }
        if let Some(run) = &mut self.run {
            if let Some(range) = range {
                run.tell_range(range);
            }
            run.tell_schedule(expected, off_days);
            if !job.is_empty() {
                run.job.get_or_insert_with(|| job_name(job.as_bytes()));
            }
        }
    }

    /// The lines of a run name their job.
    pub(crate) fn name_job(&mut self, name: &str) {
        if let Some(run) = self.run.as_mut().filter(|run| run.job.is_none()) {
            run.job = Some(name.to_owned());
        }
    }

    /// How much of a log was understood.
    pub(crate) fn score(&self) -> (usize, bool, u64, bool, bool) {
        let run = self.run.as_ref();
        if run.is_none() {
            return Default::default();
        }
        (
            self.ledger.finished(),
            run.is_some_and(|run| run.ended),
            self.doubts.undated_failures.different(),
            run.is_some_and(|run| run.range.is_some()),
            run.is_some(),
        )
    }

    /// Whether a run without an end marker has an outcome of each date that it announced.
    pub(crate) fn all_are_done(&self) -> bool {
        self.promises.ends_when_all_done
            && self.run.as_ref().is_some_and(|run| {
                let done = run.counts.worked() + run.counts.skipped;
                run.may_go_on() && done > 0 && run.to_do.is_some_and(|total| done >= total)
            })
    }

    fn open(&mut self, opening: Opening, what: &Opened, line: &[u8]) {
        let goes_on = what.continues
            && self
                .run
                .as_ref()
                .is_some_and(|run| !run.active && !run.ended);
        if goes_on {
            if let Some(run) = &mut self.run {
                run.resume = what.resume.or(run.resume);
                run.to_do = what.to_do.or(run.to_do);
            }
            return;
        }
        let in_the_middle = self.run.as_ref().is_some_and(|run| run.lacks(opening));
        let of_list = what.mode == Some(Mode::SpecificDates);
        let is_past = |run: &Run| run.is_past(opening, of_list);
        if self.run.as_ref().is_none_or(is_past) {
            self.start_run();
        }
        if in_the_middle {
            self.suspect_two_jobs("a beginning among the dates of another run");
        }
        if let Some(run) = &mut self.run {
            let job = what.job.map(|job| job_name(job.in_line(line)));
            run.open(opening, what, job);
        }
    }
}
