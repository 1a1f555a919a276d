//! An outcome, as a line reports it.

use chrono::NaiveDate;

use crate::dialect::event::{Details, Span};
use crate::run::ledger::Outcome;

/// Longest reason kept, in bytes.
pub(super) const REASON: usize = 300;

/// An outcome, as a line tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) date: Option<NaiveDate>,
    pub(super) outcome: Outcome,
    pub(super) records: Option<u64>,
    pub(super) reason: Span,
    pub(super) details: &'a Details,
}

impl<'a> Told<'a> {
    pub(super) const fn of(
        date: Option<NaiveDate>,
        outcome: Outcome,
        records: Option<u64>,
        reason: Span,
        details: &'a Details,
    ) -> Self {
        Self {
            date,
            outcome,
            records,
            reason,
            details,
        }
    }
}
