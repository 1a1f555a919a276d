//! From checks to measures: what the one scan must count so that every check can be judged.

use bf_contract::{DateRange, Level};
use bf_warehouse::{DatedTable, Ident};

use crate::columns::Columns;
use crate::condition::{Condition, Literal, Operator, Test};
use crate::scan::{Plan, Planner};
use crate::suite::{Average, Check, Column, Kind, Matching, Share, Suite};

/// What a check needs, or why it gets nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Needs {
    /// Measures of the plan, in an order that the kind knows.
    Measures(Vec<usize>),
    /// The table lacks a column.
    Missing {
        /// The column.
        column: Ident,
        /// The column that is most like it.
        nearest: Option<String>,
    },
    /// The check is switched off.
    Off,
}

/// The plan of a suite's scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What is measured.
    pub plan: Plan,
    /// The measure of all rows, whatever any filter.
    pub rows: usize,
    /// What each check needs, in the suite's order.
    pub needs: Vec<Needs>,
}

/// Plans the scan.
#[must_use]
pub fn plan(suite: &Suite, columns: &Columns, range: DateRange) -> Planned {
    let table = DatedTable {
        name: suite.table.clone(),
        date_column: suite.date_column.clone(),
        columns: columns.clone(),
    };
    let mut planner = Planner::new(table, range);
    let rows = planner.rows(None).position();
    let needs = suite
        .checks
        .iter()
        .map(|check| {
            if check.level == Level::Off {
                return Needs::Off;
            }
            match missing(suite, check, columns) {
                Some(column) => Needs::Missing {
                    nearest: columns.nearest(&column).map(str::to_owned),
                    column,
                },
                None => Needs::Measures(measures(suite, check, columns, &mut planner)),
            }
        })
        .collect();
    Planned {
        plan: planner.finish(),
        rows,
        needs,
    }
}

/// The first column that a check needs and the table lacks.
fn missing(suite: &Suite, check: &Check, columns: &Columns) -> Option<Ident> {
    let filter = suite.filter_of(check);
    let mut wanted: Vec<&Ident> = filter.map(Condition::columns).unwrap_or_default();
    match &check.kind {
        Kind::RowCount | Kind::MissingDates(_) | Kind::Sql(_) => {}
        Kind::DistinctCount(list) => wanted.extend(&list.columns),
        Kind::MatchingRows(matching) => wanted.extend(matching.of.columns()),
        Kind::Share(share) => wanted.extend(share.of.columns()),
        Kind::Completeness(completeness) => {
            wanted.push(&completeness.column);
            wanted.extend(
                completeness
                    .worst_group
                    .iter()
                    .flat_map(|group| &group.columns),
            );
            let group = suite.group.as_ref().map(|group| &group.column);
            wanted.extend(group.filter(|_| completeness.by.is_some()));
        }
        Kind::Average(Average { column, .. })
        | Kind::Minimum(Column { column })
        | Kind::Maximum(Column { column })
        | Kind::Varies(Column { column }) => wanted.push(column),
        Kind::AcceptedValues(accepted) => wanted.push(&accepted.column),
        Kind::ValueRange(range) => wanted.push(&range.column),
        Kind::UniqueKey => wanted.extend(&suite.primary_key),
        Kind::RowsPerGroup(groups) => wanted.extend(&groups.columns),
        Kind::MissingGroups | Kind::UnscheduledGroups => {
            wanted.extend(suite.group.as_ref().map(|group| &group.column))
        }
        Kind::Scheduled(keys) => {
            wanted.extend(keys.of.as_ref().map(Condition::columns).unwrap_or_default());
            wanted.extend(&keys.columns);
        }
        Kind::Freshness => wanted.extend(suite.written_at.as_ref().map(|written| &written.column)),
        Kind::Change(change) => wanted.extend(&change.completeness),
        Kind::Reference(keys) => wanted.extend(&keys.columns),
        Kind::UnmatchedKeys(keys) => wanted.extend(&keys.columns),
        Kind::Sums(sums) => wanted.extend(sums.columns.iter().chain([&sums.column])),
    }
    wanted
        .into_iter()
        .find(|column| columns.get(column).is_none())
        .cloned()
}

fn measures(suite: &Suite, check: &Check, columns: &Columns, planner: &mut Planner) -> Vec<usize> {
    let filter = suite.filter_of(check);
    match &check.kind {
        Kind::RowCount => vec![planner.rows(filter).position()],
        Kind::DistinctCount(list) => vec![
            planner
                .groups(filter, &list.columns, (0, u64::MAX))
                .position(),
        ],
        Kind::MatchingRows(Matching { of }) | Kind::Share(Share { of, .. }) => {
            vec![
                planner.rows(filter).position(),
                planner.meets(filter, of).position(),
            ]
        }
        Kind::Completeness(completeness) => {
            let present = present(&completeness.column, completeness.numbers);
            let mut measures = vec![
                planner.rows(filter).position(),
                planner.meets(filter, &present).position(),
            ];
            if let Some(group) = suite.group.as_ref().filter(|_| completeness.by.is_some()) {
                let columns = std::slice::from_ref(&group.column);
                let good = Condition::and(filter, Some(&present));
                measures.push(planner.groups(filter, columns, (0, u64::MAX)).position());
                measures.push(
                    planner
                        .groups(good.as_ref(), columns, (0, u64::MAX))
                        .position(),
                );
            }
            if let Some(group) = &completeness.worst_group {
                measures.push(
                    planner
                        .lacking(
                            filter,
                            (&group.columns, group.floor, group.min_rows),
                            &present,
                        )
                        .position(),
                );
            }
            if completeness.zero.is_some() {
                let number = Condition::test(&completeness.column, Test::IsNumber);
                let numbers = Condition::and(filter, Some(&number));
                let not_zero = Test::Compare(Operator::Differs, Literal::Number(0.0));
                let not_zero = Condition::test(&completeness.column, not_zero);
                let columns = completeness.zero_groups(suite);
                measures.push(
                    planner
                        .zeros(numbers.as_ref(), columns, &not_zero)
                        .position(),
                );
            }
            measures
        }
        Kind::Average(Average { column, .. })
        | Kind::Minimum(Column { column })
        | Kind::Maximum(Column { column })
        | Kind::Varies(Column { column }) => {
            vec![
                planner.rows(filter).position(),
                planner.numbers(filter, column).position(),
            ]
        }
        Kind::AcceptedValues(_) | Kind::ValueRange(_) => {
            let (asked, good) = asked_and_good(&check.kind);
            vec![
                planner.meets(filter, &asked).position(),
                planner.meets(filter, &good).position(),
            ]
        }
        Kind::UniqueKey => vec![
            planner.rows(filter).position(),
            planner.surplus(filter, &suite.primary_key).position(),
        ],
        Kind::RowsPerGroup(groups) => vec![
            planner.rows(filter).position(),
            planner
                .groups(filter, &groups.columns, groups.limits())
                .position(),
        ],
        Kind::MissingDates(_) | Kind::Sql(_) => Vec::new(),
        Kind::MissingGroups | Kind::UnscheduledGroups => suite
            .group
            .iter()
            .map(|group| {
                planner
                    .groups(None, std::slice::from_ref(&group.column), (0, u64::MAX))
                    .position()
            })
            .collect(),
        Kind::Scheduled(keys) => {
            let rows = Condition::and(filter, keys.of.as_ref());
            vec![
                planner.keys(rows.as_ref(), &keys.columns, None).position(),
                planner.keys(None, &keys.columns[..1], None).position(),
            ]
        }
        Kind::Freshness => suite
            .written_at
            .iter()
            .map(|written| planner.written(None, &written.column).position())
            .collect(),
        Kind::Change(change) => {
            planner.look_back(change.days);
            match (&change.completeness, &suite.group) {
                (Some(column), _) => {
                    vec![
                        planner.rows(filter).position(),
                        planner.meets(filter, &present(column, true)).position(),
                    ]
                }
                (None, Some(group)) if columns.get(&group.column).is_some() => vec![
                    planner.rows(None).position(),
                    planner
                        .groups(None, std::slice::from_ref(&group.column), (0, u64::MAX))
                        .position(),
                ],
                (None, _) => vec![planner.rows(None).position()],
            }
        }
        Kind::Reference(keys) => vec![planner.keys(filter, &keys.columns, None).position()],
        Kind::UnmatchedKeys(keys) => vec![planner.keys(filter, &keys.columns, None).position()],
        Kind::Sums(sums) => vec![
            planner
                .keys(filter, &sums.columns, Some(&sums.column))
                .position(),
        ],
    }
}

/// Whether a column holds a value.
#[must_use]
pub fn present(column: &Ident, numbers: bool) -> Condition {
    Condition::test(
        column,
        if numbers {
            Test::IsNumber
        } else {
            Test::IsPresent
        },
    )
}

/// The rows that an accepted-values or value-range check asks, and those among them that are as they should.
#[must_use]
pub fn asked_and_good(kind: &Kind) -> (Condition, Condition) {
    let (column, good) = match kind {
        Kind::AcceptedValues(accepted) => (
            &accepted.column,
            Condition::test(&accepted.column, Test::In(accepted.values.clone())),
        ),
        Kind::ValueRange(range) => {
            let bound = |operator, value: Option<f64>| {
                value.map(|value| {
                    let literal = Literal::Number(value);
                    Condition::test(&range.column, Test::Compare(operator, literal))
                })
            };
            let parts = [
                bound(Operator::AtLeast, range.min),
                bound(Operator::AtMost, range.max),
            ];
            (
                &range.column,
                Condition::All(parts.into_iter().flatten().collect()),
            )
        }
        _ => unreachable!("asked only about these two kinds"),
    };
    let asked = Condition::Not(Box::new(Condition::test(column, Test::IsNull)));
    (asked, good)
}
