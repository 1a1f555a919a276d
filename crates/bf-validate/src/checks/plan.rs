//! From checks to measures: what the one scan must count, and what is compared and asked beside it.

use bf_contract::{DateRange, Level};
use bf_warehouse::{
    Columns, Condition, DatedTable, Groups, Ident, Keys, Measure, Numbers, Plan, Planner, Surplus,
    WriteTimes,
};

use super::Judge;
use super::scheduled::Scheduled;
use super::sql::Sql;
use crate::suite::{Check, Suite};

/// What a check is judged by, or why it is not.
pub(crate) enum Needs {
    /// The kind, with what is measured for it.
    Measured(Box<dyn Judge>),
    /// The table lacks a column.
    Missing {
        column: Ident,
        nearest: Option<String>,
    },
    /// The check is switched off.
    Off,
}

/// Keys that are compared with those of the partner.
#[derive(Debug, Clone)]
pub(crate) struct PairRequest {
    pub columns: Vec<Ident>,
    /// What is added up here and there.
    pub sums: Option<(Ident, Ident)>,
    pub here: Measure<Keys>,
}

/// Keys that are compared with those of the schedule.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleRequest {
    pub keys: Scheduled,
    /// The rows that are compared.
    pub rows: Option<Condition>,
    pub whole: Measure<Keys>,
    /// The ids alone, of all rows.
    pub first: Measure<Keys>,
}

/// Which of the comparisons with the partner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PairsOf(pub(super) usize);

/// Which of the comparisons with the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScheduleOf(pub(super) usize);

/// Which of the suite's own queries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FigureOf(pub(super) usize);

/// The plan of a suite.
pub(crate) struct Planned {
    /// What is measured.
    pub plan: Plan,
    /// All rows, whatever any filter.
    pub rows: Measure<u64>,
    /// What each check is judged by, in the suite's order.
    pub needs: Vec<Needs>,
    pub pairs: Vec<PairRequest>,
    pub scheduled: Vec<ScheduleRequest>,
    pub queries: Vec<Sql>,
}

impl Planned {
    /// What a check is judged by, if it is.
    pub(crate) fn judge(&self, at: usize) -> Option<&dyn Judge> {
        match &self.needs[at] {
            Needs::Measured(judge) => Some(judge.as_ref()),
            _ => None,
        }
    }
}

/// Plans a suite.
pub(crate) fn plan(suite: &Suite, columns: &Columns, range: DateRange) -> Planned {
    let table = DatedTable {
        name: suite.table.clone(),
        date_column: suite.date_column.clone(),
        columns: columns.clone(),
    };
    let mut planner = Planner::new(table, range);
    let rows = planner.rows(None);
    let (mut pairs, mut scheduled, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    let mut needs = Vec::new();
    for check in &suite.checks {
        if check.level == Level::Off {
            needs.push(Needs::Off);
            continue;
        }
        if let Some(column) = missing(suite, check, columns) {
            needs.push(Needs::Missing {
                nearest: columns.nearest(&column).map(str::to_owned),
                column,
            });
            continue;
        }
        let judge = check.kind.plan(&mut Planning {
            suite,
            columns,
            range,
            filter: suite.filter_of(check),
            planner: &mut planner,
            pairs: &mut pairs,
            scheduled: &mut scheduled,
            queries: &mut queries,
        });
        needs.push(Needs::Measured(judge));
    }
    Planned {
        plan: planner.finish(),
        rows,
        needs,
        pairs,
        scheduled,
        queries,
    }
}

/// The first column that a check needs and the table lacks.
fn missing(suite: &Suite, check: &Check, columns: &Columns) -> Option<Ident> {
    let filter = suite.filter_of(check);
    let filtered = filter.map(Condition::columns).unwrap_or_default();
    let mut kind = check.kind.clone();
    let of_suite = kind.columns_of_suite(suite);
    let own = kind.columns();
    let mut all = filtered
        .into_iter()
        .chain(own.into_iter().map(|column| &*column))
        .chain(&of_suite);
    all.find(|column| columns.get(column).is_none()).cloned()
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
    pub suite: &'a Suite,
    /// The table's columns.
    pub columns: &'a Columns,
    pub range: DateRange,
    /// The rows that the check is about.
    pub filter: Option<&'a Condition>,
    planner: &'a mut Planner,
    pairs: &'a mut Vec<PairRequest>,
    scheduled: &'a mut Vec<ScheduleRequest>,
    queries: &'a mut Vec<Sql>,
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
    pub(super) fn schedule(&mut self, keys: &Scheduled) -> ScheduleOf {
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
    pub(super) fn query(&mut self, sql: &Sql) -> FigureOf {
        self.queries.push(sql.clone());
        FigureOf(self.queries.len() - 1)
    }
}
