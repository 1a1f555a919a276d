//! How a run ends: its end marker and its summary, a refusal, a crash.

use super::history::History;
use super::told::REASON;
use crate::dialect::event::{Counts, Crash, Mode};
use crate::line::fields::{date_at, text};
use crate::run::ledger::{Outcome, Said};
use crate::run::run::Broken;

impl History {
    /// The job itself broke, as a rule of its dialect says. One that goes on was not broken.
    pub(super) fn fatal(&mut self, reason: String) {
        match &mut self.run {
            Some(run) => {
                run.broken = Some(Broken::Fatal);
                run.ended = false;
            }
            None => self.broke_before_any_run = true,
        }
        self.early.add(None, reason);
    }

    /// A summary names dates that failed; the lines of its own run cannot call them successful.
    pub(super) fn failed_dates(&mut self, list: &[u8]) {
        let Some(run) = self.run.as_ref().map(|run| run.number) else {
            return;
        };
        let dates = list
            .split(|byte| matches!(byte, b',' | b' '))
            .filter_map(date_at);
        let known = dates
            .filter(|date| self.ledger.is_success_of(*date, run))
            .count();
        // A job names them after its end.
        let too_early = self
            .run
            .as_ref()
            .is_some_and(|run| run.active && !run.ended);
        if known > 0 || too_early {
            self.suspect_two_jobs("a summary that names other failed dates than its lines");
        }
    }

    /// What a run's own summary counts.
    pub(super) fn claimed(&mut self, counts: Counts) {
        let is_strict = self.promises.strict;
        let Some(run) = &mut self.run else { return };
        if !is_strict {
            run.claim_all(counts);
        } else if run.claim(counts) {
            self.suspect_two_jobs("two summaries that differ");
        }
    }

    /// The end marker.
    pub(super) fn ended(&mut self, counts: Counts, mode: Option<Mode>, line: &[u8]) {
        self.end(mode);
        let unmentioned_succeed = self.promises.unmentioned_succeed;
        let Some(run) = &mut self.run else { return };
        run.claim_all(counts);
        // An end marker that counts failures in words where no line shows any.
        if counts == [None; 3] && run.counts.failed == 0 && !self.promises.strict {
            run.claims.failed = run.claims.failed.or(failures_in(line));
        }
        let open = self.ledger.open_in(run.number);
        if unmentioned_succeed {
            for date in &open {
                run.unmentioned += 1;
                let said = Said {
                    run: run.number,
                    unit: None,
                    retries: false,
                    line: None,
                    outcome: Outcome::Success,
                    records: None,
                    reason: None,
                };
                self.ledger.say(*date, said, &mut run.counts);
            }
        }
    }

    pub(super) fn refuse(&mut self, reason: String) {
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

    pub(super) fn end(&mut self, mode: Option<Mode>) {
        if self.run.as_ref().is_none_or(|run| run.refused.is_some()) {
            self.start_run();
        }
        if let Some(run) = &mut self.run {
            run.mode = run.mode.or(mode);
            run.ended = true;
            run.ends += 1;
            run.current = None;
            run.broken = None;
            run.pending.clear();
        }
    }

    pub(super) fn end_with_counts(
        &mut self,
        mode: Option<Mode>,
        successful: u64,
        skipped: u64,
        failed: u64,
    ) {
        self.end(mode);
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
                        unit: None,
                        retries: false,
                        line: None,
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
    }

    pub(super) fn crash(&mut self, crash: Crash, owned: bool, line: &[u8]) {
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

/// The figure before `failed`, `failures` or `errors`, if it is not zero.
fn failures_in(line: &[u8]) -> Option<u64> {
    let words: Vec<&[u8]> = line
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).find_map(|pair| {
        let is_word = [&b"failed"[..], b"failures", b"failure", b"errors"]
            .iter()
            .any(|word| pair[1].eq_ignore_ascii_case(word));
        let figure: u64 = std::str::from_utf8(pair[0]).ok()?.parse().ok()?;
        (is_word && figure > 0).then_some(figure)
    })
}
