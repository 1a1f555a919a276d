//! Where a check plans what it needs: what the one scan must count, and what is compared and asked beside it.

use bf_contract::DateRange;
use bf_warehouse::{
    Columns, Condition, Engine, Groups, Ident, Measure, Numbers, Planner, Surplus, WriteTimes,
};
use serde::Deserialize;

use crate::pairs::PairRequest;
use crate::scheduled::{KeysToFind, ScheduleRequest};
use crate::suite::TableSpec;

/// Which of the comparisons with the partner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PairsOf(pub(super) usize);

/// Which of the comparisons with the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScheduleOf(pub(super) usize);

/// Which of the suite's own queries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FigureOf(pub(super) usize);

/// A query of the suite's own, for each engine that has one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    sqlite: Option<String>,
    bigquery: Option<String>,
    duckdb: Option<String>,
}

impl Query {
    /// The query for an engine.
    pub(crate) fn for_engine(&self, engine: &dyn Engine) -> Option<&str> {
        let all = [
            ("sqlite", &self.sqlite),
            ("bigquery", &self.bigquery),
            ("duckdb", &self.duckdb),
        ];
        let of_engine = all.iter().find(|(name, _)| *name == engine.name());
        of_engine.and_then(|(_, sql)| sql.as_deref())
    }

    /// Whether it has no query at all.
    pub(super) fn is_empty(&self) -> bool {
        let all = [&self.sqlite, &self.bigquery, &self.duckdb];
        all.iter().all(|sql| sql.is_none())
    }
}

/// Refuses a list without columns.
pub(super) fn not_empty(columns: &[Ident]) -> Result<(), String> {
    match columns {
        [] => Err("no columns".to_owned()),
        _ => Ok(()),
    }
}

/// Where a check plans what it needs.
pub(crate) struct Planning<'a> {
    pub suite: &'a TableSpec,
    /// The table's columns.
    pub columns: &'a Columns,
    pub range: DateRange,
    /// The rows that the check is about.
    pub filter: Option<&'a Condition>,
    pub(super) planner: &'a mut Planner,
    pub(super) pairs: &'a mut Vec<PairRequest>,
    pub(super) scheduled: &'a mut Vec<ScheduleRequest>,
    pub(super) queries: &'a mut Vec<Query>,
}

/// The limits of a number of rows that may be any.
const ANY: (u64, u64) = (0, u64::MAX);

impl Planning<'_> {
    /// The rows that the check is about.
    pub(super) fn rows(&mut self) -> Measure<u64> {
        self.planner.rows(self.filter)
    }

    /// All rows, whatever the filter.
    pub(super) fn all_rows(&mut self) -> Measure<u64> {
        self.planner.rows(None)
    }

    /// Those of the check's rows that meet a condition.
    pub(super) fn meets(&mut self, condition: &Condition) -> Measure<u64> {
        self.planner.meets(self.filter, condition)
    }

    /// The numbers of a column.
    pub(super) fn numbers(&mut self, column: &Ident) -> Measure<Numbers> {
        self.planner.numbers(self.filter, column)
    }

    /// Distinct values in the check's rows.
    pub(super) fn groups(&mut self, columns: &[Ident]) -> Measure<Groups> {
        self.planner.groups(self.filter, columns, ANY)
    }

    /// Distinct values in the check's rows, and those with fewer or more rows than these.
    pub(super) fn groups_within(
        &mut self,
        columns: &[Ident],
        limits: (u64, u64),
    ) -> Measure<Groups> {
        self.planner.groups(self.filter, columns, limits)
    }

    /// Distinct values in those of the check's rows that meet a condition.
    pub(super) fn groups_that_meet(
        &mut self,
        columns: &[Ident],
        condition: &Condition,
    ) -> Measure<Groups> {
        let both = Condition::and(self.filter, Some(condition));
        self.planner.groups(both.as_ref(), columns, ANY)
    }

    /// The suite's groups in all rows; `None` if it has none, or the table lacks their column.
    pub(super) fn groups_of_suite(&mut self) -> Option<Measure<Groups>> {
        let column = &self.suite.group.as_ref()?.column;
        self.columns.get(column)?;
        let columns = std::slice::from_ref(column);
        Some(self.planner.groups(None, columns, ANY))
    }

    /// Groups that meet a condition too seldom in a month.
    pub(super) fn lacking(
        &mut self,
        (columns, floor, min_rows): (&[Ident], f64, u64),
        condition: &Condition,
    ) -> Measure<Groups> {
        let of = (columns, floor, min_rows);
        self.planner.lacking(self.filter, of, condition)
    }

    /// Groups of a day in which no row meets a condition, of the rows that meet `among`.
    pub(super) fn empty_groups(
        &mut self,
        columns: Vec<Ident>,
        among: Option<&Condition>,
        condition: &Condition,
    ) -> Measure<Groups> {
        let rows = Condition::and(self.filter, among);
        self.planner.zeros(rows.as_ref(), columns, condition)
    }

    /// The rows beyond the first of each key.
    pub(super) fn surplus(&mut self, key: &[Ident]) -> Measure<Surplus> {
        self.planner.surplus(self.filter, key)
    }

    /// When the rows of each day were written.
    pub(super) fn written(&mut self, column: &Ident) -> Measure<WriteTimes> {
        self.planner.written(None, column)
    }

    /// Reads back to so many days before the range, too.
    pub(super) fn look_back(&mut self, days: u64) {
        self.planner.look_back(days);
    }

    /// Compares keys with the partner's, and sums if two columns are given.
    pub(super) fn pairs(&mut self, columns: &[Ident], sums: Option<(&Ident, &Ident)>) -> PairsOf {
        let here = self
            .planner
            .keys(self.filter, columns, sums.map(|(here, _)| here));
        self.pairs.push(PairRequest {
            columns: columns.to_vec(),
            sums: sums.map(|(here, there)| (here.clone(), there.clone())),
            here,
        });
        PairsOf(self.pairs.len() - 1)
    }

    /// Compares keys with the schedule's.
    pub(super) fn schedule(&mut self, keys: &KeysToFind) -> ScheduleOf {
        let rows = Condition::and(self.filter, keys.of.as_ref());
        self.scheduled.push(ScheduleRequest {
            whole: self.planner.keys(rows.as_ref(), &keys.columns, None),
            first: self.planner.keys(None, &keys.columns[..1], None),
            keys: keys.clone(),
            rows,
        });
        ScheduleOf(self.scheduled.len() - 1)
    }

    /// Asks a query of the suite's own.
    pub(super) fn query(&mut self, query: &Query) -> FigureOf {
        self.queries.push(query.clone());
        FigureOf(self.queries.len() - 1)
    }
}
