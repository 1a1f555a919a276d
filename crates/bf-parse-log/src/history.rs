//! All runs of a file: events in, ledger and totals out.

use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::bytes::text;
use crate::event::{Crash, Event, Mode, Opened, Opening, Span, Word};
use crate::ledger::{Ledger, Outcome, Said};
use crate::run::{Broken, Run};
use crate::scan::Reading;
use crate::totals::{Stretch, Stretches};

/// Longest reason kept, in bytes.
const REASON: usize = 300;
const MOST_NOTES: usize = 20;

/// What is left of the runs before the last one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) stretches: Stretches,
    /// Ranges of dry runs, used where nothing else ran.
    pub(crate) looked_at: Stretches,
    /// Whether the last run over a range came to its end.
    pub(crate) range_run_ended: Option<bool>,
    pub(crate) mode: Option<Mode>,
    pub(crate) job: Option<String>,
    pub(crate) fatal: u64,
    /// The longest list of dates that a run was given.
    pub(crate) longest_list: u64,
    pub(crate) unnamed_skipped: u64,
    /// The range of a run that declined to start.
    pub(crate) refused_range: Option<DateRange>,
    pub(crate) notes: Vec<String>,
}

impl Past {
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }

    /// A run begins its dates. What another job failed at stays failed, whatever this one makes of the
    /// same dates.
    fn meet(&mut self, run: &Run, ledger: &mut Ledger) {
        let (Some(before), Some(now)) = (&self.job, &run.job) else {
            return;
        };
        if before != now {
            let note = format!(
                "the log holds runs of two jobs, {before} and {now}; a date that one of them failed counts as failed"
            );
            ledger.pin_failures();
            self.note(note);
        }
    }

    /// Takes in a run that is over, or as far as it has come.
    pub(crate) fn take(&mut self, run: &Run) {
        self.fatal += u64::from(run.broken == Some(Broken::Fatal));
        if run.job.is_some() {
            self.job.clone_from(&run.job);
        }
        if run.refused.is_some() {
            self.refused_range = run.range;
            return;
        }
        for note in run.disagreements() {
            self.note(note);
        }
        if run.is_dry() {
            if let Some(stretch) = Stretch::of(run) {
                self.looked_at.add(stretch);
            }
            self.mode = self.mode.or(run.mode);
            return;
        }
        if run.is_list() {
            let listed = run.to_do.unwrap_or(0).saturating_sub(run.repeated);
            self.longest_list = self.longest_list.max(listed);
            self.unnamed_skipped += run.unnamed_skipped;
            self.mode = self.mode.or(run.mode);
            return;
        }
        self.mode = run.mode.or(self.mode);
        self.range_run_ended = Some(run.ended);
        match Stretch::of(run) {
            Some(stretch) => self.stretches.add(stretch),
            // The opening lines stand in an earlier file; the count behind `i/N` is what is left of them.
            None => self.longest_list = self.longest_list.max(run.to_do.unwrap_or(0)),
        }
    }
}

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
}

impl History {
    /// Takes in a line as the grammar read it.
    pub(crate) fn take(&mut self, reading: &Reading, line: &[u8]) {
        if reading.needs_prefix && self.prefixed {
            return;
        }
        let is_error = matches!(reading.event, Event::Error { .. });
        self.prefixed |= reading.prefixed && !is_error;
        self.apply(reading.event, line, reading.owned == Some(true));
    }

    fn start_run(&mut self) -> &mut Run {
        if let Some(run) = self.run.take() {
            self.past.take(&run);
        }
        self.runs += 1;
        self.run.insert(Run::new(self.runs))
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
                if let Some(run) = self.run.as_mut().filter(|run| !run.ended) {
                    let date = date.filter(|_| !run.one_by_one());
                    run.pending.add(date, text(message.in_line(line), REASON));
                }
            }
            Event::Progress { done, total } => {
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

    fn begin(&mut self, date: NaiveDate, index: u64, total: Option<u64>, mode: Mode) {
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

    fn begin_quietly(&mut self, date: NaiveDate) {
        let Some(run) = &mut self.run else { return };
        let ours = run.mode == Some(Mode::Parallel)
            && !run.ended
            && run.refused.is_none()
            && run.range.is_none_or(|range| range.contains(date));
        if ours {
            run.active = true;
            run.broken = None;
            self.ledger.begin_quietly(date, run.number);
        }
    }

    fn failure(&mut self, date: Option<NaiveDate>, reason: Span, line: &[u8]) {
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
    fn outcome(
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
                (Some(run), Outcome::Failed) if !reason.is_empty() => {
                    run.pending.add(None, text(reason, REASON));
                }
                // The same line once more.
                (Some(run), _) if run.current.is_some() => {}
                _ => self.undated += 1,
            }
            return;
        };
        let run = self.run_at_work(Mode::Parallel);
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

    fn word(&mut self, date: NaiveDate, word: Word, of_job: bool, line: &[u8]) {
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

/// `TeamDefenseZoneAnalysisProcessor`, `Upcoming Player Game Context`,
/// `/app/x_analytics_backfill.py`: one way to name a job.
fn job_name(name: &[u8]) -> String {
    let name = text(name, 120);
    let name = name.rsplit('/').next().unwrap_or_default();
    let mut name = name.trim_end_matches(".py").trim_end_matches("Processor");
    for suffix in ["_backfill_job", "_backfill", "_analytics", "_precompute"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    let mut snake = String::with_capacity(name.len() + 8);
    let mut last = ' ';
    for character in name.chars() {
        if character == ' ' || character == '_' {
            if !snake.ends_with('_') {
                snake.push('_');
            }
        } else {
            if character.is_ascii_uppercase() && last.is_ascii_lowercase() {
                snake.push('_');
            }
            snake.push(character.to_ascii_lowercase());
        }
        last = character;
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::job_name;

    #[test]
    fn a_job_has_one_name_whoever_tells_it() {
        for (told, name) in [
            (
                "TeamDefenseZoneAnalysisProcessor",
                "team_defense_zone_analysis",
            ),
            (
                "Upcoming Player Game Context",
                "upcoming_player_game_context",
            ),
            (
                "jobs/team_offense_game_summary_analytics_backfill.py",
                "team_offense_game_summary",
            ),
            ("player_game_summary_backfill_job.py", "player_game_summary"),
        ] {
            assert_eq!(job_name(told.as_bytes()), name);
        }
    }
}
