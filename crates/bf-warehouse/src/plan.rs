//! What a scan measures.

use bf_contract::DateRange;

use crate::condition::Condition;
use crate::measure::Measure;
use crate::scan::{Groups, Keys, Numbers, Surplus, WriteTimes};
use crate::{ColumnKind, DatedTable, Ident};

/// What a scan measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The table.
    pub table: DatedTable,
    /// The days that are read.
    pub read: DateRange,
    /// The days that totals are about; within `read`.
    pub range: DateRange,
    /// Conditions on a row, each asked once.
    pub conditions: Vec<Condition>,
    /// What is measured.
    pub metrics: Vec<Metric>,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The condition that its rows meet, as a position in the plan's conditions.
    pub filter: Option<usize>,
    /// What is measured.
    pub what: What,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The rows.
    Rows,
    /// The rows that meet a condition, a position in the plan's conditions.
    Meets(usize),
    /// The finite numbers of a column.
    Numbers(Ident),
    /// The distinct values of some columns, day by day and over the range, and those of a day that have
    /// fewer rows than `min` or more than `max`.
    Groups {
        /// The columns.
        columns: Vec<Ident>,
        /// The fewest rows.
        min: u64,
        /// The most rows.
        max: u64,
    },
    /// The groups of each day, and those of them that lack values there and belong to a group whose rows of
    /// that month, or of that day, meet the condition too seldom.
    Lacking {
        /// Whether a group is judged by its rows of the day.
        by_day: bool,
        /// What makes a group.
        columns: Vec<Ident>,
        /// The condition, a position in the plan's conditions.
        condition: usize,
        /// The share of a group's rows of a month that must meet it, in percent.
        floor: f64,
        /// A group with fewer rows in a month is left alone.
        min_rows: u64,
    },
    /// The rows beyond the first of each key, over the range.
    Surplus(Vec<Ident>),
    /// When the oldest row of each day was written.
    Oldest {
        /// The column.
        column: Ident,
        /// What it holds.
        kind: ColumnKind,
    },
    /// Rows and a sum for each key of each day of the range. Only a streamed scan keeps them.
    Keys {
        /// What makes a key.
        columns: Vec<Ident>,
        /// What is added up.
        sum: Option<Ident>,
    },
}

impl Plan {
    /// Every column that is read beside the date, once.
    #[must_use]
    pub fn columns(&self) -> Vec<Ident> {
        let mut all: Vec<&Ident> = self
            .conditions
            .iter()
            .flat_map(Condition::columns)
            .collect();
        for metric in &self.metrics {
            match &metric.what {
                What::Rows | What::Meets(_) => {}
                What::Numbers(column) | What::Oldest { column, .. } => all.push(column),
                What::Groups { columns, .. }
                | What::Lacking { columns, .. }
                | What::Surplus(columns) => all.extend(columns),
                What::Keys { columns, sum } => all.extend(columns.iter().chain(sum)),
            }
        }
        let mut columns: Vec<Ident> = Vec::new();
        for column in all {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        columns
    }
}

/// Collects measures, each once.
#[derive(Debug)]
pub struct Planner {
    plan: Plan,
}

impl Planner {
    /// Begins a plan.
    #[must_use]
    pub fn new(table: DatedTable, range: DateRange) -> Self {
        Self {
            plan: Plan {
                table,
                read: range,
                range,
                conditions: Vec::new(),
                metrics: Vec::new(),
            },
        }
    }

    /// Reads back to `days` days before the range.
    pub fn look_back(&mut self, days: u64) {
        let start = self
            .plan
            .range
            .start
            .checked_sub_days(chrono::Days::new(days));
        if let Some(start) = start {
            self.plan.read.start = self.plan.read.start.min(start);
        }
    }

    /// The rows.
    pub fn rows(&mut self, filter: Option<&Condition>) -> Measure<u64> {
        Measure::new(self.metric(filter, What::Rows))
    }

    /// The rows that meet `condition`.
    pub fn meets(&mut self, filter: Option<&Condition>, condition: &Condition) -> Measure<u64> {
        let condition = self.condition(condition);
        Measure::new(self.metric(filter, What::Meets(condition)))
    }

    /// The finite numbers of a column.
    pub fn numbers(&mut self, filter: Option<&Condition>, column: &Ident) -> Measure<Numbers> {
        Measure::new(self.metric(filter, What::Numbers(column.clone())))
    }

    /// Distinct values; see [`What::Groups`]. One measure serves checks with and without limits.
    pub fn groups(
        &mut self,
        filter: Option<&Condition>,
        columns: &[Ident],
        limits: (u64, u64),
    ) -> Measure<Groups> {
        let filter_at = filter.map(|filter| self.condition(filter));
        let none = (0, u64::MAX);
        for (at, metric) in self.plan.metrics.iter_mut().enumerate() {
            if let What::Groups {
                columns: known,
                min,
                max,
            } = &mut metric.what
                && metric.filter == filter_at
                && known == columns
                && (limits == none || (*min, *max) == none || (*min, *max) == limits)
            {
                if limits != none {
                    (*min, *max) = limits;
                }
                return Measure::new(at);
            }
        }
        let (min, max) = limits;
        let columns = columns.to_vec();
        Measure::new(self.metric(filter, What::Groups { columns, min, max }))
    }

    /// See [`What::Lacking`].
    pub fn lacking(
        &mut self,
        filter: Option<&Condition>,
        (columns, floor, min_rows): (&[Ident], f64, u64),
        condition: &Condition,
    ) -> Measure<Groups> {
        let condition = self.condition(condition);
        let what = What::Lacking {
            by_day: false,
            columns: columns.to_vec(),
            condition,
            floor,
            min_rows,
        };
        Measure::new(self.metric(filter, what))
    }

    /// Groups of a day, of at least five rows, in which no row meets the condition.
    pub fn zeros(
        &mut self,
        filter: Option<&Condition>,
        columns: Vec<Ident>,
        condition: &Condition,
    ) -> Measure<Groups> {
        let condition = self.condition(condition);
        let what = What::Lacking {
            by_day: true,
            columns,
            condition,
            floor: 1e-6,
            min_rows: 5,
        };
        Measure::new(self.metric(filter, what))
    }

    /// Rows and a sum for each key of each day. One measure serves checks with and without a sum.
    pub fn keys(
        &mut self,
        filter: Option<&Condition>,
        columns: &[Ident],
        sum: Option<&Ident>,
    ) -> Measure<Keys> {
        let filter_at = filter.map(|filter| self.condition(filter));
        for (at, metric) in self.plan.metrics.iter_mut().enumerate() {
            if let What::Keys {
                columns: known,
                sum: summed,
            } = &mut metric.what
                && metric.filter == filter_at
                && known == columns
                && (sum.is_none() || summed.is_none() || summed.as_ref() == sum)
            {
                if sum.is_some() {
                    *summed = sum.cloned();
                }
                return Measure::new(at);
            }
        }
        let what = What::Keys {
            columns: columns.to_vec(),
            sum: sum.cloned(),
        };
        Measure::new(self.metric(filter, what))
    }

    /// The rows beyond the first of each key.
    pub fn surplus(&mut self, filter: Option<&Condition>, columns: &[Ident]) -> Measure<Surplus> {
        Measure::new(self.metric(filter, What::Surplus(columns.to_vec())))
    }

    /// When the rows of each day were written.
    pub fn written(&mut self, filter: Option<&Condition>, column: &Ident) -> Measure<WriteTimes> {
        let what = What::Oldest {
            column: column.clone(),
            kind: self.plan.table.columns.kind(column),
        };
        Measure::new(self.metric(filter, what))
    }

    fn metric(&mut self, filter: Option<&Condition>, what: What) -> usize {
        let filter = filter.map(|filter| self.condition(filter));
        let metric = Metric { filter, what };
        let known = self.plan.metrics.iter().position(|other| *other == metric);
        known.unwrap_or_else(|| {
            self.plan.metrics.push(metric);
            self.plan.metrics.len() - 1
        })
    }

    fn condition(&mut self, condition: &Condition) -> usize {
        let known = self
            .plan
            .conditions
            .iter()
            .position(|other| other == condition);
        known.unwrap_or_else(|| {
            self.plan.conditions.push(condition.clone());
            self.plan.conditions.len() - 1
        })
    }

    /// The plan.
    #[must_use]
    pub fn finish(self) -> Plan {
        self.plan
    }
}
