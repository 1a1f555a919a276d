//! The rows behind a finding: a second query, sent only where something is wrong, and the same query for a
//! person to look further with.

use std::collections::{BTreeMap, BTreeSet};

use bf_cli::text::printable;
use bf_contract::{DateRange, date_spans};
use bf_warehouse::{
    Condition, DatedTable, Engine, Ident, Listing, Probe, SampleRequest, Test, Value,
    WarehouseError,
};
use chrono::NaiveDate;

use crate::outcome::Finding;
use crate::scheduled::ScheduleTable;
use crate::suite::TableSpec;

/// What to show of a finding.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    /// A few of the rows concerned.
    pub rows: Vec<BTreeMap<String, Option<String>>>,
    /// A query to look further, ready for the engine's console.
    pub query: Option<String>,
    /// Dates that only this query knows.
    pub dates: Vec<NaiveDate>,
    /// Why rows could not be shown.
    pub trouble: Option<String>,
}

/// The limits of what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits<'a> {
    /// The only columns that are shown, beside the date; all if none are given.
    pub columns: Option<&'a [String]>,
    /// Rows.
    pub rows: u32,
    /// Characters of a value.
    pub characters: usize,
}

impl Limits<'_> {
    /// Whether the values of a column may be shown.
    #[must_use]
    pub(crate) fn shows(&self, column: &str) -> bool {
        self.rows > 0
            && self.columns.is_none_or(|columns| {
                columns
                    .iter()
                    .any(|shown| shown.eq_ignore_ascii_case(column))
            })
    }
}

/// The most days and values that are listed to name what is wrong.
const MOST_NAMES: u32 = 20_000;
/// On so many dates what is missing is named.
const NAMED_DATES: usize = 10;

/// Where a finding is looked into further.
pub(crate) struct Sampling<'a> {
    /// The suite.
    pub suite: &'a TableSpec,
    /// Its table.
    pub table: &'a DatedTable,
    /// The range.
    pub range: DateRange,
    /// What may be shown.
    pub limits: Limits<'a>,
    /// The warehouse.
    pub warehouse: &'a mut dyn Engine,
}

impl Sampling<'_> {
    /// The dates of the rows that a finding is about, if only its probe knows them.
    ///
    /// # Errors
    /// An interrupt, or the deadline.
    pub(crate) fn dates_of(&mut self, finding: &Finding) -> Result<Vec<NaiveDate>, WarehouseError> {
        let limits = std::mem::replace(
            &mut self.limits,
            Limits {
                columns: None,
                rows: 0,
                characters: 0,
            },
        );
        let shown = self.look(finding);
        self.limits = limits;
        Ok(shown?.dates)
    }

    /// The group that lacks values on most of these dates, and on how many; of rows that do not surely meet a condition.
    ///
    /// # Errors
    /// An interrupt, or the deadline.
    pub(crate) fn most_lacking(
        &mut self,
        columns: &[Ident],
        (filter, condition): (Option<&Condition>, &Condition),
        dates: &[NaiveDate],
    ) -> Result<Option<(String, u64)>, WarehouseError> {
        let is_shown = columns
            .iter()
            .all(|column| self.limits.shows(column.as_str()));
        if !is_shown || dates.is_empty() {
            return Ok(None);
        }
        let null = condition.columns().into_iter();
        let null = null.map(|column| Condition::test(column, Test::IsNull));
        let not = Condition::Not(Box::new(condition.clone()));
        let lacking = Condition::Any(null.chain([not]).collect());
        let lacking = Condition::and(filter, Some(&lacking));
        let listed = self.list(self.table, &date_spans(dates), lacking.as_ref(), columns)?;
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for (_, values) in listed {
            let names: Vec<String> = values.iter().map(ToString::to_string).collect();
            *groups.entry(names.join(", ")).or_default() += 1;
        }
        let most = groups.into_iter().rev().max_by_key(|(_, dates)| *dates);
        Ok(most.map(|(name, dates)| (printable(&name, self.limits.characters.max(40)), dates)))
    }

    /// The groups of these dates that the schedule has and the table lacks, if both call them alike.
    ///
    /// # Errors
    /// An interrupt, or the deadline.
    pub(crate) fn missing_names(
        &mut self,
        group: &Ident,
        schedule: &ScheduleTable,
        dates: &[NaiveDate],
    ) -> Result<Vec<(NaiveDate, String)>, WarehouseError> {
        let is_in_both = schedule.columns.get(group).is_some()
            && self.table.columns.get(group).is_some()
            && self.limits.shows(group.as_str());
        if !is_in_both {
            return Ok(Vec::new());
        }
        let spans = date_spans(&dates[..dates.len().min(NAMED_DATES)]);
        let table = self.table;
        let mut named = |table, filter| -> Result<_, WarehouseError> {
            let listed = self.list(table, &spans, filter, std::slice::from_ref(group))?;
            let named = listed.into_iter().filter_map(|(date, values)| {
                let value = values.into_iter().next().filter(|value| !value.is_null())?;
                Some((date, value.to_string()))
            });
            Ok(named.collect::<BTreeSet<(NaiveDate, String)>>())
        };
        let here = named(table, None)?;
        let there = named(&schedule.plan.table, schedule.filter.as_ref())?;
        if !here.is_empty() && here.is_disjoint(&there) {
            return Ok(Vec::new());
        }
        Ok(there.difference(&here).cloned().collect())
    }

    /// The values of a column, with each date that they are on.
    ///
    /// # Errors
    /// An interrupt, or the deadline.
    pub(crate) fn values(
        &mut self,
        filter: Option<&Condition>,
        column: &Ident,
    ) -> Result<Vec<(NaiveDate, String)>, WarehouseError> {
        let (range, column) = ([self.range], std::slice::from_ref(column));
        let listed = self.list(self.table, &range, filter, column)?;
        let named = listed.into_iter().filter_map(|(date, values)| {
            let value = values.into_iter().next().filter(|value| !value.is_null())?;
            Some((date, value.to_string()))
        });
        Ok(named.collect())
    }

    /// Lists what a table has on some days; without an answer nothing is named, which changes no verdict.
    fn list(
        &mut self,
        table: &DatedTable,
        spans: &[DateRange],
        filter: Option<&Condition>,
        values: &[Ident],
    ) -> Result<Vec<(NaiveDate, Vec<Value>)>, WarehouseError> {
        let listing = Listing {
            table,
            spans,
            filter,
            values,
            limit: MOST_NAMES,
        };
        match self.warehouse.list(&listing) {
            Ok(listed) => Ok(listed),
            Err(error) if error.ends_the_run() => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The rows behind a finding.
    ///
    /// # Errors
    /// An interrupt, or the deadline. Any other trouble is part of what is shown: evidence that is missing changes no
    /// verdict.
    pub(crate) fn look(&mut self, finding: &Finding) -> Result<Shown, WarehouseError> {
        let known = finding.rows.iter().take(self.limits.rows as usize).cloned();
        let Some(probe) = &finding.probe else {
            return Ok(Shown {
                rows: known.collect(),
                ..Shown::default()
            });
        };
        let partner = match (probe, &self.suite.partner) {
            (Probe::Unmatched { .. } | Probe::Sums { .. }, Some(partner)) => {
                let columns = self.warehouse.columns(&partner.table)?;
                Some(DatedTable::new(
                    &partner.table,
                    &partner.date_column,
                    columns,
                )?)
            }
            _ => None,
        };
        let fields: Vec<_> = self
            .suite
            .primary_key
            .iter()
            .chain(&self.suite.sample_columns)
            .cloned()
            .collect();
        let is_of_rows = finding.rows.is_empty()
            && !matches!(probe, Probe::RowsByDate | Probe::OfSchedule { .. });
        let sample = self.warehouse.sample(&SampleRequest {
            table: self.table,
            partner: partner.as_ref(),
            probe,
            range: self.range,
            dates: &finding.dates,
            fields: &fields,
            rows: if is_of_rows { self.limits.rows } else { 0 },
        })?;
        if !finding.rows.is_empty() {
            return Ok(Shown {
                rows: known.collect(),
                query: sample.query,
                dates: sample.dates,
                trouble: None,
            });
        }
        let is_shown = |name: &str| {
            let mut dates = ["day", self.suite.date_column.as_str()].into_iter();
            dates.any(|date| name.eq_ignore_ascii_case(date)) || self.limits.shows(name)
        };
        let rows = sample.rows.into_iter().map(|row| {
            let fields = sample.columns.iter().zip(row);
            fields
                .filter(|(name, _)| is_shown(name))
                .map(|(name, value)| (name.clone(), text(&value, self.limits.characters)))
                .collect()
        });
        Ok(Shown {
            rows: rows.collect(),
            query: sample.query,
            dates: sample.dates,
            trouble: sample.trouble,
        })
    }
}

fn text(value: &Value, limit: usize) -> Option<String> {
    (!value.is_null()).then(|| printable(&value.to_string(), limit))
}
