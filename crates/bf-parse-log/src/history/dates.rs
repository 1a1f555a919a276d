//! What lines say of dates: begun, succeeded, failed, left out.

use chrono::NaiveDate;

use super::{History, REASON};
use crate::bytes::text;
use crate::event::{Mode, Span, Word};
use crate::ledger::{Outcome, Said};

impl History {
    pub(super) fn begin(&mut self, date: NaiveDate, index: u64, total: Option<u64>, mode: Mode) {
        let another = self.run.as_ref().is_some_and(|run| {
            run.ended || (index == 1 && run.index > 1 && run.current != Some(date))
        });
        if another {
            self.start_run();
        }
        let run = self.run_at_work(mode);
        if run.range.is_none() && run.to_do.is_none() {
            run.to_do = total;
        }
        let number = run.number;
        let was_current = run.current == Some(date);
        let same_index = run.index == index;
        let is_bar = run.mode == Some(Mode::Custom);
        run.index = run.index.max(index);
        run.current = Some(date);
        run.pending.clear();
        let said = self.ledger.was_said_in(date, number);
        if said && was_current && (is_bar || same_index) {
            // A line that came twice, or a bar that is drawn again.
            return;
        }
        // A list may name a date twice; then it has another place in it.
        let known = said || self.ledger.is_open(date, number);
        if let Some(run) = &mut self.run {
            run.touched += u64::from(!known);
            run.repeated += u64::from(known && !same_index);
        }
        self.ledger.begin(date, number);
    }

    pub(super) fn begin_quietly(&mut self, date: NaiveDate) {
        let ours = self.run.as_ref().is_some_and(|run| {
            run.mode == Some(Mode::Parallel)
                && !run.ended
                && run.refused.is_none()
                && run.range.is_none_or(|range| range.contains(date))
        });
        if ours {
            let number = self.run_at_work(Mode::Parallel).number;
            self.ledger.begin_quietly(date, number);
        }
    }

    pub(super) fn failure(&mut self, date: Option<NaiveDate>, reason: Span, line: &[u8]) {
        // A job that fails every date of a list because it was only to look at them says just this.
        let only_looked = reason.in_line(line) == b"Failed"
            && self
                .run
                .as_ref()
                .is_some_and(|run| run.saw_dry_run && run.is_list() && run.counts.worked() == 0);
        if only_looked {
            self.outcome(date, Outcome::Looked, None, Span::default(), line);
        } else {
            self.outcome(date, Outcome::Failed, None, reason, line);
        }
    }

    /// An outcome of `date`, or of the current date.
    pub(super) fn outcome(
        &mut self,
        date: Option<NaiveDate>,
        outcome: Outcome,
        records: Option<u64>,
        reason: Span,
        line: &[u8],
    ) {
        let reason = reason.in_line(line);
        let Some(date) = date.or_else(|| self.current(outcome)) else {
            match (&mut self.run, outcome) {
                (Some(run), Outcome::Failed) if !reason.is_empty() && !run.ended => {
                    run.pending.add(None, text(reason, REASON));
                }
                (_, Outcome::Failed) if !reason.is_empty() => {
                    self.early.add(None, text(reason, REASON));
                }
                // The same line once more.
                (Some(run), _) if run.current.is_some() => {}
                _ => self.undated += 1,
            }
            return;
        };
        let run = self.run_at_work(self.usual_mode());
        let one_by_one = run.one_by_one();
        let pending = run.pending.take(date, one_by_one);
        let reason = match outcome {
            Outcome::Failed if says_nothing(reason) => pending.or_else(|| said(reason)),
            _ => said(reason),
        };
        if let Some(run) = &mut self.run {
            let known =
                self.ledger.is_open(date, run.number) || self.ledger.was_said_in(date, run.number);
            run.touched += u64::from(!known);
            let said = Said {
                run: run.number,
                outcome,
                records,
                reason: reason.as_deref(),
            };
            self.ledger.say(date, said, &mut run.counts);
        }
    }

    /// The date that an undated line speaks of. A success needs a date that is open: any other is a line
    /// that came twice, or that somebody else wrote. A failure may follow a success of the same date.
    fn current(&self, outcome: Outcome) -> Option<NaiveDate> {
        let run = self.run.as_ref()?;
        let date = run.current?;
        (outcome == Outcome::Failed || self.ledger.is_open(date, run.number)).then_some(date)
    }

    pub(super) fn word(&mut self, date: NaiveDate, word: Word, of_job: bool, line: &[u8]) {
        let amid = self
            .run
            .as_ref()
            .is_some_and(|run| run.active && !run.ended && !run.is_list());
        if amid && !of_job {
            // So short a message in the middle of another run may be anybody's.
            return;
        }
        let another = amid || self.run.as_ref().is_some_and(|run| run.ended);
        if another {
            self.start_run();
        }
        self.run_at_work(Mode::SpecificDates);
        let (outcome, reason) = match word {
            Word::Success => (Outcome::Success, ""),
            Word::Failed => (Outcome::Failed, ""),
            Word::Skipped => (Outcome::Skipped, "bootstrap period"),
            Word::Looked => (Outcome::Looked, ""),
        };
        if reason.is_empty() {
            self.outcome(Some(date), outcome, None, Span::default(), line);
        } else {
            let span = Span::of(reason.as_bytes(), reason.as_bytes());
            self.outcome(Some(date), outcome, None, span, reason.as_bytes());
        }
    }
}

/// Words that a job uses when it has no reason to give.
fn says_nothing(reason: &[u8]) -> bool {
    matches!(
        reason,
        b"" | b"Processing failed"
            | b"Unknown error"
            | b"Unknown"
            | b"unknown"
            | b"Failed"
            | b"None"
    )
}

fn said(reason: &[u8]) -> Option<String> {
    (!reason.is_empty()).then(|| text(reason, REASON))
}
