//! What lines say of dates: begun, succeeded, failed, left out.

use chrono::NaiveDate;

use super::history::History;
use super::told::{REASON, Told};
use crate::dialect::event::{Details, Mode, Span};
use crate::line::fields::text;
use crate::run::ledger::{Outcome, Said};
use crate::run::run::WorkerWords;

/// Dates of one line, at most: a span of more is no batch of dates.
const LONGEST_SPAN: i64 = 4_000;
/// Dates at work at one time, at most.
const MOST_BEGUN: usize = 64;

impl History {
    pub(super) fn begin(
        &mut self,
        date: NaiveDate,
        index: u64,
        total: Option<u64>,
        mode: Mode,
        details: &Details,
        line: &[u8],
    ) {
        let is_custom = !self.promises.strict;
        let another = self.run.as_ref().is_some_and(|run| {
            (run.ended && !(is_custom && self.promises.has_start))
                || (!is_custom && index == 1 && run.index > 1 && run.current != Some(date))
        });
        let without_opening = self.run.as_ref().is_some_and(|run| run.ended);
        if another {
            self.start_run();
        }
        if without_opening && self.must_be_opened(mode) {
            self.suspect_two_jobs("dates after the end of a run");
        }
        self.check_counter(date, index, total, mode);
        let run = self.run_at_work(mode);
        let is_unopened = is_custom && !run.was_opened();
        if (is_custom || run.range.is_none()) && (run.to_do.is_none() || is_unopened) {
            run.to_do = run.to_do.max(total);
        }
        let number = run.number;
        let unit = unit(details, line);
        let worker = text(details.worker.in_line(line), 60);
        let was_current = run.current == Some(date);
        let same_index = run.index == index;
        let is_bar = run.mode == Some(Mode::Custom);
        run.index = run.index.max(index);
        run.current = Some(date);
        if !worker.is_empty() && run.workers.len() < 1_000 {
            run.workers.insert(worker, date);
        }
        run.pending.clear();
        match mode {
            Mode::GameDates => self.tell_form(true),
            Mode::DayByDay => self.tell_form(false),
            _ => {}
        }
        let said = self.ledger.was_said_in(date, unit.as_deref(), number);
        if said && was_current && (is_bar || same_index) {
            // A line that came twice, or a bar that is drawn again.
            return;
        }
        // A list may name a date twice; then it has another place in it.
        let known = said || self.ledger.is_open(date, unit.as_deref(), number);
        if let Some(run) = &mut self.run {
            run.touched += u64::from(!known && !self.ledger.is_known_in(date, number));
            run.fresh += u64::from(!self.ledger.knows(date));
            run.repeated += u64::from(known && !same_index);
        }
        for date in span(date, details) {
            self.ledger.begin(date, unit.as_deref(), number);
        }
        if let Some(run) = self.run.as_mut().filter(|_| is_custom) {
            let ledger = &self.ledger;
            run.begun.retain(|(other, _)| {
                *other != date && ledger.is_open(*other, unit.as_deref(), number)
            });
            if run.begun.len() < MOST_BEGUN {
                run.begun.push((date, worker_words(line)));
            }
        }
    }

    /// A date line tells whether the run goes by game dates.
    fn tell_form(&mut self, by_game: bool) {
        if let Some(run) = self.run.as_mut().filter(|run| run.by_game.is_none()) {
            run.by_game = Some(by_game);
            self.past.meet_form(run, &mut self.ledger);
        }
    }

    /// Whether a run of this form has an opening line, so that dates after an end without one are of
    /// another job.
    fn must_be_opened(&self, mode: Mode) -> bool {
        if mode == Mode::Custom {
            return self.promises.has_start;
        }
        // A log that was cut in the middle has no opening at all.
        self.past.range_run_ended == Some(true) || self.past.longest_list > 0
    }

    /// The counter of a date line falls, or counts other dates, or its date is in no range of its run: two
    /// jobs write into one log.
    fn check_counter(&mut self, date: NaiveDate, index: u64, total: Option<u64>, mode: Mode) {
        let is_custom = !self.promises.strict;
        let Some(run) = self.run.as_mut().filter(|run| !run.ended) else {
            return;
        };
        if index > 0 && run.current != Some(date) {
            self.order.add(index);
        }
        if is_custom {
            return;
        }
        let before = run.last_begin.replace((total, mode));
        let other_form = before.is_some_and(|before| before != (total, mode));
        let falls = run.current != Some(date) && index < run.index;
        let outside = !run.is_list() && run.range.is_some_and(|range| !range.contains(date));
        // A run begins with the first of its dates.
        let not_first = run.was_opened()
            && !run.active
            && index > 1
            && run.resume.is_none()
            && matches!(mode, Mode::DayByDay | Mode::SpecificDates);
        if other_form || falls || outside || not_first {
            let why = if falls {
                "a counter that falls"
            } else if outside {
                "dates outside the range of the run"
            } else {
                "two counters in one run"
            };
            self.suspect_two_jobs(why);
        }
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

    pub(super) fn failure<'a>(
        &self,
        date: Option<NaiveDate>,
        reason: Span,
        details: &'a Details,
        line: &[u8],
    ) -> Told<'a> {
        // A job that fails every date of a list because it was only to look at them says just this.
        let only_looked = reason.in_line(line) == b"Failed"
            && self
                .run
                .as_ref()
                .is_some_and(|run| run.saw_dry_run && run.is_list() && run.counts.worked() == 0);
        if only_looked {
            Told::of(date, Outcome::Looked, None, Span::default(), details)
        } else {
            Told::of(date, Outcome::Failed, None, reason, details)
        }
    }

    /// An outcome; a job over a list may print nothing else for its date.
    pub(super) fn outcome_or_word(&mut self, told: &Told<'_>, line: &[u8]) {
        if told.details.of_list && !self.begin_word(told.details.names_job) {
            return;
        }
        self.outcome(told, line);
    }

    /// An outcome of its date, or of the current date.
    pub(super) fn outcome(&mut self, told: &Told<'_>, line: &[u8]) {
        let details = told.details;
        if details.has_bad_figure {
            let figure = text(details.bad_figure.in_line(line), 60);
            self.doubts.unreadable_figures.add(self.line, &figure);
        }
        if details.has_bad_date {
            self.unreadable(told, text(details.bad_date.in_line(line), 60));
            return;
        }
        let unit = unit(details, line);
        let Some(date) = told.date.or_else(|| self.current(told, line)) else {
            self.undated(told, line);
            return;
        };
        self.check_outcome(date, unit.as_deref());
        for date in span(date, details) {
            self.say(date, unit.as_deref(), told, line);
        }
    }

    /// A line of an outcome whose date cannot be read is never dropped.
    fn unreadable(&mut self, told: &Told<'_>, date: String) {
        // The run has begun, whatever its dates are.
        self.run_at_work(self.usual_mode());
        match told.outcome {
            Outcome::Failed => self.doubts.undated_failures.add(self.line, &date),
            _ => self.doubts.unreadable_dates.add(self.line, &date),
        }
    }

    /// An outcome without a date that it could belong to.
    fn undated(&mut self, told: &Told<'_>, line: &[u8]) {
        let reason = told.reason.in_line(line);
        let is_failure = told.outcome == Outcome::Failed;
        if !self.promises.strict {
            // Before anything else of a run it may be anybody's line.
            if self.run.is_some() || !told.details.from_start {
                self.run_at_work(Mode::Custom);
            }
            let shown = text(if reason.is_empty() { line } else { reason }, 60);
            if is_failure {
                self.doubts.undated_failures.add(self.line, &shown);
            } else if !self.repeats_its_date(told) {
                self.doubts.unreadable_dates.add(self.line, &shown);
            }
            return;
        }
        if let Some(run) = self.run.as_mut().filter(|_| is_failure) {
            run.undated_failures += 1;
        }
        match (&mut self.run, told.outcome) {
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
    }

    /// Whether an undated success comes once more after its date is done.
    fn repeats_its_date(&self, told: &Told<'_>) -> bool {
        let current = self.run.as_ref().and_then(|run| run.current);
        told.outcome != Outcome::Failed && current.is_some()
    }

    /// An outcome after the end of its run, or outside the range of its run, is of another job.
    fn check_outcome(&mut self, date: NaiveDate, unit: Option<&str>) {
        let Some(run) = &self.run else { return };
        let number = run.number;
        let known = self.ledger.was_said_in(date, unit, number);
        let mode = run.mode.unwrap_or(Mode::Parallel);
        let late = run.ended && !known && run.was_opened() && run.counts.worked() > 0;
        let outside = mode != Mode::Custom
            && !run.is_list()
            && run.range.is_some_and(|range| !range.contains(date));
        if late && (mode != Mode::Custom || self.promises.has_start) {
            self.suspect_two_jobs("outcomes after the end of a run");
        } else if outside {
            self.suspect_two_jobs("dates outside the range of the run");
        }
    }

    fn say(&mut self, date: NaiveDate, unit: Option<&str>, told: &Told<'_>, line: &[u8]) {
        let reason = told.reason.in_line(line);
        let promises = self.promises;
        // Dates after an end, in a dialect that tells of no beginning, are those of another run.
        let ended = self.run.as_ref().is_some_and(|run| run.ended);
        if ended && !promises.strict && !promises.has_start {
            let known = self
                .run
                .as_ref()
                .is_some_and(|run| self.ledger.was_said_in(date, unit, run.number));
            if !known {
                self.start_run();
            }
        }
        let run = self.run_at_work(self.usual_mode());
        let one_by_one = run.one_by_one();
        let pending = run.pending.take(date, one_by_one);
        let reason = match told.outcome {
            Outcome::Failed if says_nothing(reason) => pending.or_else(|| said(reason)),
            _ => said(reason),
        };
        if let Some(run) = &mut self.run {
            run.touched += u64::from(!self.ledger.is_known_in(date, run.number));
            run.fresh += u64::from(!self.ledger.knows(date));
            if let Some(index) = told.details.index {
                run.index = run.index.max(index);
            }
            if let Some(total) = told.details.total
                && (run.to_do.is_none() || !run.was_opened())
            {
                run.to_do = run.to_do.max(Some(total));
            }
            let said = Said {
                run: run.number,
                unit,
                retries: promises.retries,
                line: (!promises.strict).then(|| fingerprint(line)),
                outcome: told.outcome,
                records: told.records,
                reason: reason.as_deref(),
            };
            self.ledger.say(date, said, &mut run.counts);
        }
    }

    /// The date that an undated line speaks of: its worker's, or the current one. A success needs a date
    /// that is open: any other is a line that came twice, or that another job wrote. A failure may follow
    /// a success of the same date.
    fn current(&self, told: &Told<'_>, line: &[u8]) -> Option<NaiveDate> {
        let run = self.run.as_ref()?;
        let unit = unit(told.details, line);
        let worker = told.details.worker.in_line(line);
        if !worker.is_empty() {
            return run.workers.get(&text(worker, 60)).copied();
        }
        let date = run.current?;
        let open = |date| self.ledger.is_open(date, unit.as_deref(), run.number);
        if !self.promises.strict && !told.details.from_start && !self.promises.unmentioned_succeed {
            let at_work = run.begun.iter();
            let at_work: Vec<_> = at_work
                .filter(|(begun, _)| *begun == date || open(*begun))
                .collect();
            if at_work.len() > 1 {
                return of_worker(&at_work, &worker_words(line)).filter(|date| open(*date));
            }
        }
        (told.outcome == Outcome::Failed || open(date)).then_some(date)
    }

    /// Begins the run that a word on a date is of; false if it may be anybody's.
    fn begin_word(&mut self, of_job: bool) -> bool {
        let amid = self
            .run
            .as_ref()
            .is_some_and(|run| run.active && !run.ended && !run.is_list());
        if amid && !of_job {
            // So short a message in the middle of another run may be anybody's.
            return false;
        }
        if amid || self.run.as_ref().is_some_and(|run| run.ended) {
            self.start_run();
        }
        self.run_at_work(Mode::SpecificDates);
        // Only the jobs over game dates say one word for each date.
        self.tell_form(true);
        true
    }
}

fn unit(details: &Details, line: &[u8]) -> Option<String> {
    let unit = details.unit.in_line(line);
    (!unit.is_empty()).then(|| text(unit, 200))
}

/// The first words of a line that may name its worker, with letters and digits, and no time: a number for
/// each of them, and 0 for any other word.
fn worker_words(line: &[u8]) -> WorkerWords {
    let is_name = |word: &[u8]| {
        word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().any(u8::is_ascii_digit)
    };
    let mut names = WorkerWords::default();
    let words = line.split(u8::is_ascii_whitespace);
    for (name, word) in names.iter_mut().zip(words.filter(|word| !word.is_empty())) {
        let word = word.strip_prefix(b"[").unwrap_or(word);
        if is_name(word) {
            *name = fingerprint(&word[..word.len().min(60)]);
        }
    }
    names
}

/// The date of the worker that wrote a line: a word at one place tells each of the dates at work apart.
fn of_worker(at_work: &[&(NaiveDate, WorkerWords)], words: &WorkerWords) -> Option<NaiveDate> {
    words.iter().enumerate().find_map(|(at, word)| {
        let mut names: Vec<u64> = at_work.iter().map(|(_, words)| words[at]).collect();
        names.sort_unstable();
        names.dedup();
        let tells = names.len() == at_work.len() && names[0] != 0;
        let of = at_work.iter().find(|(_, words)| words[at] == *word);
        of.filter(|_| tells).map(|(date, _)| *date)
    })
}

/// The dates of a line: one, or all of a batch.
fn span(date: NaiveDate, details: &Details) -> impl Iterator<Item = NaiveDate> + use<> {
    let last = details
        .until
        .filter(|until| (0..LONGEST_SPAN).contains(&(*until - date).num_days()))
        .unwrap_or(date);
    date.iter_days().take_while(move |date| *date <= last)
}

/// Tells lines apart.
fn fingerprint(line: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let add = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(MIX);
    let (words, rest) = line.as_chunks::<8>();
    let hash = words.iter().fold(line.len() as u64, |hash, word| {
        add(hash, u64::from_le_bytes(*word))
    });
    rest.iter()
        .fold(hash, |hash, byte| add(hash, u64::from(*byte)))
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
