//! All runs of a file: events in, ledger and totals out.

mod dates;

use serde::{Deserialize, Serialize};

use crate::bytes::text;
use crate::event::{Crash, Event, Mode, Opened, Opening, Span};
use crate::job_name::job_name;
use crate::ledger::{Ledger, Outcome, Said};
use crate::past::Past;
use crate::run::{Broken, Pending, Run};
use crate::scan::Reading;

/// Longest reason kept, in bytes.
const REASON: usize = 300;

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
    /// Whether it is told in a dialect of the config.
    #[serde(default)]
    is_custom: bool,
    /// Lines with a figure that is too large, and the number of the first.
    #[serde(default)]
    pub(crate) too_large: Option<(u64, u64)>,
    /// Errors between two runs: the first date of a job that announces nothing may fail of them.
    #[serde(default)]
    early: Pending,
}

impl History {
    /// Takes in a line, the `number`-th of the log, as the grammar read it.
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
        self.is_custom = reading.dialect != 0;
        self.apply(reading.event, line, reading.owned == Some(true));
    }

    fn start_run(&mut self) -> &mut Run {
        if let Some(run) = self.run.take() {
            self.past.take(&run, &self.ledger);
        }
        self.runs += 1;
        let mut run = Run::new(self.runs);
        run.pending = std::mem::take(&mut self.early);
        self.run.insert(run)
    }

    /// Whether the last run is a list without an end of its own, behind no range that was broken off.
    pub(crate) fn lacks_only_an_end(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.says_no_end() && !self.past.leaves_unfinished(run))
    }

    /// How a run goes that only its dates tell of.
    fn usual_mode(&self) -> Mode {
        if self.is_custom {
            Mode::Custom
        } else {
            Mode::Parallel
        }
    }

    /// The run that a line about a date belongs to; begins one where the opening lines are missing.
    fn run_at_work(&mut self, mode: Mode) -> &mut Run {
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

    pub(crate) fn apply(&mut self, event: Event, line: &[u8], owned: bool) {
        if let Some(run) = &mut self.run
            && !matches!(event, Event::Opening(..))
        {
            run.say_else();
        }
        match event {
            Event::Opening(opening, what) => self.open(opening, &what, line),
            Event::Range(range) => {
                if let Some(run) = &mut self.run {
                    run.tell_range(range);
                }
            }
            Event::Schedule {
                game_dates,
                off_days,
            } => {
                if let Some(run) = &mut self.run {
                    run.tell_schedule(game_dates, off_days);
                }
            }
            Event::Checkpoint { job, range } => {
                if let Some(run) = self.run.as_mut().filter(|run| !run.active && !run.ended) {
                    run.job = Some(text(job.in_line(line), 120));
                    run.range = run.range.or(range);
                }
            }
            Event::Job(name) => {
                if let Some(run) = self.run.as_mut().filter(|run| run.job.is_none()) {
                    run.job = Some(job_name(name.in_line(line)));
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
            } => self.begin(date, index, total, mode),
            Event::BeganQuietly(date) => self.begin_quietly(date),
            Event::Success { date, records } => {
                self.outcome(date, Outcome::Success, records, Span::default(), line)
            }
            Event::Failure { date, reason } => self.failure(date, reason, line),
            Event::Skip { date, reason } => {
                self.outcome(date, Outcome::Skipped, None, reason, line)
            }
            Event::Looked { date } => {
                self.outcome(date, Outcome::Looked, None, Span::default(), line)
            }
            Event::DryRunMode => {
                if let Some(run) = &mut self.run {
                    run.saw_dry_run = true;
                }
            }
            Event::Word { date, word, of_job } => self.word(date, word, of_job, line),
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
                if self.is_custom {
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
            Event::End(mode) => self.end(mode),
            Event::EndCounts {
                successful,
                skipped,
                failed,
            } => self.end_with_counts(successful, skipped, failed),
            Event::Claim(claim, figure) => {
                if let Some(run) = &mut self.run {
                    run.claim(claim, figure);
                }
            }
            Event::Claims {
                successful,
                skipped,
                failed,
            } => {
                if let Some(run) = &mut self.run {
                    run.claim(crate::event::Claim::Successful, successful);
                    run.claim(crate::event::Claim::Skipped, skipped);
                    run.claim(crate::event::Claim::Failed, failed);
                }
            }
            Event::CheckpointSummary => {
                if let Some(run) = &mut self.run {
                    run.claims_are_open = false;
                }
            }
            Event::TooLarge => {}
            Event::Crash(crash) => self.crash(crash, owned, line),
            Event::Critical(_) => match &mut self.run {
                // What goes over the whole range in one go is over with it.
                Some(run) if run.mode == Some(Mode::WholeRange) => run.broken = Some(Broken::Fatal),
                _ => self.past.fatal += 1,
            },
        }
    }

    fn open(&mut self, opening: Opening, what: &Opened, line: &[u8]) {
        if self.run.as_ref().is_none_or(|run| run.is_past(opening)) {
            self.start_run();
        }
        if let Some(run) = &mut self.run {
            let job = what.job.map(|job| job_name(job.in_line(line)));
            run.open(opening, what, job);
        }
    }

    fn refuse(&mut self, reason: String) {
        match &mut self.run {
            Some(run) if run.active && !run.ended => {
                // Not a refusal any more: the job gave up in the middle.
                run.broken = Some(Broken::Fatal);
                return;
            }
            Some(run) if !run.ended && (run.refused.is_none() || run.saw_usage_only) => {}
            _ => {
                self.start_run();
            }
        }
        if let Some(run) = &mut self.run {
            run.refused = Some(reason);
            run.saw_usage_only = false;
        }
    }

    fn end(&mut self, mode: Option<Mode>) {
        if self.run.as_ref().is_none_or(|run| run.refused.is_some()) {
            self.start_run();
        }
        if let Some(run) = &mut self.run {
            run.mode = run.mode.or(mode);
            run.claims_are_open = !run.ended;
            run.ended = true;
            run.current = None;
            run.broken = None;
            run.pending.clear();
        }
    }

    fn end_with_counts(&mut self, successful: u64, skipped: u64, failed: u64) {
        self.end(Some(Mode::SpecificDates));
        let Some(run) = &mut self.run else { return };
        // Dates that were begun and have no line of their own: the counts tell what became of them where
        // all of them came to the same.
        let left = [
            (
                Outcome::Success,
                successful.saturating_sub(run.counts.successful),
            ),
            (Outcome::Skipped, skipped.saturating_sub(run.counts.skipped)),
            (Outcome::Failed, failed.saturating_sub(run.counts.failed)),
        ];
        let open = self.ledger.open_in(run.number);
        let all = open.len() as u64;
        for (outcome, count) in left {
            let others = left.iter().map(|(_, count)| count).sum::<u64>() - count;
            if all > 0 && count == all && others == 0 {
                for date in &open {
                    let said = Said {
                        run: run.number,
                        outcome,
                        records: None,
                        reason: None,
                    };
                    self.ledger.say(*date, said, &mut run.counts);
                }
            }
        }
        if open.is_empty() && run.to_do == Some(successful + skipped + failed) {
            run.unnamed_skipped = skipped.saturating_sub(run.counts.skipped);
        }
        run.uncounted = self.ledger.open_in(run.number).len() as u64;
        run.claims.successful = Some(successful);
        run.claims.skipped = Some(skipped);
        run.claims.failed = Some(failed);
        run.claims_are_open = false;
    }

    fn crash(&mut self, crash: Crash, owned: bool, line: &[u8]) {
        if owned && crash != Crash::Stopped {
            return;
        }
        match (crash, &mut self.run) {
            (Crash::BadArgument, run) => {
                if run.as_ref().is_none_or(|run| run.ended || !run.active) {
                    let broke = std::mem::take(&mut self.broke_before_any_run);
                    if let Some(run) = run.as_mut().filter(|_| !broke) {
                        run.broken = None;
                    }
                    self.refuse(text(line, REASON));
                }
            }
            (Crash::Traceback, None) => self.broke_before_any_run = true,
            (Crash::Traceback, Some(run)) => run.broken = Some(Broken::Fatal),
            (Crash::Stopped, None) => {}
            (Crash::Stopped, Some(run)) => run.broken = Some(Broken::Stopped),
        }
    }
}
