//! What a table holds: counted by a few plain queries that read it from end to end.

use std::collections::BTreeSet;

use bf_contract::{DateRange, parse_date};
use bf_warehouse::{ColumnKind, Engine, Ident, Profiling, Rows, TableName, Value, WarehouseError};
use chrono::{Datelike, NaiveDate, Weekday};

use crate::suite::Calendar;

/// The most columns of a key that are tried.
const KEY_COLUMNS: usize = 3;
/// The most keys that are tried.
const KEYS: usize = 60;
/// The most values of a column that are listed.
const VALUES: usize = 8;

/// A column, as far as it was counted.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub name: Ident,
    pub kind: ColumnKind,
    /// Rows with a value.
    pub present: u64,
    /// Rows with a number.
    pub numbers: u64,
    /// Rows with a day, and those whose day has a time after it.
    pub days: u64,
    pub times: u64,
    pub distinct: u64,
    pub least: Option<f64>,
    pub most: Option<f64>,
    /// Its values, if they are few texts.
    pub values: Vec<String>,
}

/// What a table holds.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub table: TableName,
    pub rows: u64,
    pub range: DateRange,
    pub dates: BTreeSet<NaiveDate>,
    pub date_column: Ident,
    /// Whether the date column has times.
    pub has_times: bool,
    /// Columns that are no row's twice, and whether that was found out.
    pub key: Vec<Ident>,
    pub key_holds: bool,
    pub written_at: Option<Ident>,
    pub calendar: Option<Calendar>,
    pub columns: Vec<Seen>,
}

impl Profile {
    /// Counts a table; `None` if it has no rows, or no column with a day in every row.
    ///
    /// # Errors
    /// The warehouse did not answer.
    pub(super) fn of(
        table: &TableName,
        range: Option<DateRange>,
        warehouse: &mut dyn Engine,
    ) -> Result<Option<Self>, WarehouseError> {
        let columns = warehouse.columns(table)?;
        let named = columns.iter().filter_map(|column| {
            let is_plain =
                !matches!(column.kind, ColumnKind::Array) && !is_nested(&column.data_type);
            let name = Ident::new(column.name.as_str()).ok()?;
            is_plain.then_some((name, column.kind))
        });
        let named: Vec<(Ident, ColumnKind)> = named.collect();
        let place = Place {
            table,
            named: &named,
        };
        let all = place.count(None, warehouse)?;
        let Some(date) = date_column(&all.1, all.0) else {
            return Ok(None);
        };
        let (date_column, kind) = (date.name.clone(), date.kind);
        let has_times = date.times > 0;
        let place_of_days = Days {
            column: &date_column,
            kind,
        };
        let dates = place.dates(place_of_days, warehouse)?;
        let dates: BTreeSet<NaiveDate> = dates
            .into_iter()
            .filter(|date| range.is_none_or(|range| range.contains(*date)))
            .collect();
        let (Some(first), Some(last)) = (dates.first().copied(), dates.last().copied()) else {
            return Ok(None);
        };
        let range = range.unwrap_or(DateRange {
            start: first,
            end: last,
        });
        let (rows, mut columns) = match range
            == (DateRange {
                start: first,
                end: last,
            }) {
            true => all,
            false => place.count(Some((place_of_days, range)), warehouse)?,
        };
        for column in &mut columns {
            column.values = place.values(column, warehouse)?;
        }
        let written_at = written_at(&columns, rows, &date_column);
        let (key, key_holds) =
            place.key(&columns, rows, &date_column, written_at.as_ref(), warehouse)?;
        Ok(Some(Self {
            table: table.clone(),
            rows,
            calendar: calendar(&dates, range),
            range,
            dates,
            date_column,
            has_times,
            key,
            key_holds,
            written_at,
            columns,
        }))
    }
}

/// Whether a type holds more than one value.
fn is_nested(data_type: &str) -> bool {
    let data_type = data_type.to_ascii_uppercase();
    ["ARRAY", "STRUCT", "RECORD", "JSON", "GEOGRAPHY"]
        .iter()
        .any(|nested| data_type.contains(nested))
}

#[derive(Clone, Copy)]
struct Days<'a> {
    column: &'a Ident,
    kind: ColumnKind,
}

struct Place<'a> {
    table: &'a TableName,
    named: &'a [(Ident, ColumnKind)],
}

impl Place<'_> {
    /// The rows, and what each column has.
    fn count(
        &self,
        within: Option<(Days<'_>, DateRange)>,
        warehouse: &mut dyn Engine,
    ) -> Result<(u64, Vec<Seen>), WarehouseError> {
        let rows = warehouse.profile(&Profiling::Figures {
            table: self.table,
            columns: self.named,
            within: within.map(|(days, range)| (days.column, days.kind, range)),
        })?;
        let row = rows.rows.into_iter().next().unwrap_or_default();
        let mut row = row.into_iter();
        let count = |row: &mut dyn Iterator<Item = Value>| {
            row.next().and_then(|value| value.as_count()).unwrap_or(0)
        };
        let all = count(&mut row);
        let mut columns = Vec::new();
        for (name, kind) in self.named {
            columns.push(Seen {
                name: name.clone(),
                kind: *kind,
                present: count(&mut row),
                numbers: count(&mut row),
                days: count(&mut row),
                times: count(&mut row),
                distinct: count(&mut row),
                least: row.next().and_then(|value| value.as_number()),
                most: row.next().and_then(|value| value.as_number()),
                values: Vec::new(),
            });
        }
        Ok((all, columns))
    }

    fn dates(
        &self,
        days: Days<'_>,
        warehouse: &mut dyn Engine,
    ) -> Result<Vec<NaiveDate>, WarehouseError> {
        let rows = warehouse.profile(&Profiling::Days {
            table: self.table,
            column: days.column,
            kind: days.kind,
        })?;
        Ok(first_column(&rows)
            .filter_map(|value| parse_date(value.as_text()?).ok())
            .collect())
    }

    fn values(
        &self,
        column: &Seen,
        warehouse: &mut dyn Engine,
    ) -> Result<Vec<String>, WarehouseError> {
        let is_listed = column.distinct > 0
            && column.distinct <= VALUES as u64
            && column.present >= 10 * column.distinct
            && column.numbers == 0
            && column.days == 0
            && !matches!(column.kind, ColumnKind::Bool | ColumnKind::Number);
        if !is_listed {
            return Ok(Vec::new());
        }
        let rows = warehouse.profile(&Profiling::Values {
            table: self.table,
            column: &column.name,
        })?;
        let values: Vec<String> = first_column(&rows)
            .filter_map(|value| value.as_text().map(str::to_owned))
            .collect();
        Ok(if values.iter().any(|value| value.is_empty()) {
            Vec::new()
        } else {
            values
        })
    }

    /// The smallest set of columns that no two rows share, and whether there is one.
    fn key(
        &self,
        columns: &[Seen],
        rows: u64,
        date_column: &Ident,
        written_at: Option<&Ident>,
        warehouse: &mut dyn Engine,
    ) -> Result<(Vec<Ident>, bool), WarehouseError> {
        let mut candidates: Vec<&Seen> = columns
            .iter()
            .filter(|column| column.present == rows && Some(&column.name) != written_at)
            .filter(|column| !is_measure(column))
            .collect();
        candidates.sort_by_key(|column| {
            let name = column.name.as_str().to_ascii_lowercase();
            let is_id = [
                "id", "key", "code", "no", "number", "nr", "lookup", "name", "abbr",
            ]
            .iter()
            .any(|word| name == *word || name.ends_with(&format!("_{word}")));
            // A number that is not called so rather measures something.
            (
                column.name != *date_column,
                !is_id,
                column.numbers > 0,
                std::cmp::Reverse(column.distinct),
            )
        });
        candidates.truncate(9);
        if let Some(one) = candidates
            .iter()
            .find(|column| column.distinct == rows && column.name != *date_column)
        {
            return Ok((vec![one.name.clone()], true));
        }
        if let Some(one) = candidates.iter().find(|column| column.distinct == rows) {
            return Ok((vec![one.name.clone()], true));
        }
        let names: Vec<&Ident> = candidates.iter().map(|column| &column.name).collect();
        let mut sets: Vec<Vec<Ident>> = Vec::new();
        for size in 2..=KEY_COLUMNS {
            sets.extend(subsets(&names, size));
        }
        // Too few combinations of values make no key.
        let distinct = |name: &Ident| {
            let column = columns.iter().find(|column| column.name == *name);
            column.map_or(1, |column| column.distinct.max(1))
        };
        sets.retain(|set| {
            let most = set.iter().map(distinct).fold(1_u64, u64::saturating_mul);
            most >= rows
        });
        sets.truncate(KEYS);
        if sets.is_empty() {
            return Ok((fallback(date_column, &names), false));
        }
        let found = warehouse.profile(&Profiling::DistinctSets {
            table: self.table,
            sets: &sets,
        })?;
        let row = found.rows.into_iter().next().unwrap_or_default();
        let holds = row.iter().position(|value| value.as_count() == Some(rows));
        Ok(match holds {
            Some(at) => (sets.swap_remove(at), true),
            None => (fallback(date_column, &names), false),
        })
    }
}

fn fallback(date_column: &Ident, names: &[&Ident]) -> Vec<Ident> {
    let mut key = vec![date_column.clone()];
    key.extend(
        names
            .iter()
            .filter(|name| ***name != *date_column)
            .take(2)
            .map(|name| (*name).clone()),
    );
    key
}

/// Whether a column rather measures something than names it.
fn is_measure(column: &Seen) -> bool {
    let has_fraction = [column.least, column.most]
        .into_iter()
        .flatten()
        .any(|number| number.fract() != 0.0);
    let is_declared_float = matches!(column.kind, ColumnKind::Number) && has_fraction;
    is_declared_float
        || (column.numbers > 0 && has_fraction)
        || matches!(column.kind, ColumnKind::Bool)
}

fn subsets(names: &[&Ident], size: usize) -> Vec<Vec<Ident>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, name) in names.iter().enumerate() {
        for mut rest in subsets(&names[at + 1..], size - 1) {
            rest.insert(0, (*name).clone());
            all.push(rest);
        }
    }
    all
}

fn first_column(rows: &Rows) -> impl Iterator<Item = &Value> {
    rows.rows.iter().filter_map(|row| row.first())
}

/// Words of columns that say when a row was written, rather than which day it belongs to.
const WRITTEN: [&str; 12] = [
    "created",
    "updated",
    "processed",
    "written",
    "loaded",
    "ingested",
    "inserted",
    "modified",
    "synced",
    "changed",
    "received",
    "recorded",
];

fn says_written(name: &Ident) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    WRITTEN.iter().any(|word| name.contains(word))
}

/// The column with the day that a row belongs to.
fn date_column(columns: &[Seen], rows: u64) -> Option<&Seen> {
    let dated = columns
        .iter()
        .filter(|column| rows > 0 && column.days == rows);
    dated.max_by_key(|column| {
        let name = column.name.as_str().to_ascii_lowercase();
        let is_called_so = ["date", "day", "month", "period", "week"]
            .iter()
            .any(|word| name.contains(word));
        // The first of equals.
        let place = columns.iter().position(|other| other.name == column.name);
        (
            !says_written(&column.name),
            column.times == 0,
            is_called_so,
            std::cmp::Reverse(place),
        )
    })
}

/// The column that says when a row was written.
fn written_at(columns: &[Seen], rows: u64, date_column: &Ident) -> Option<Ident> {
    let mut written = columns.iter().filter(|column| {
        column.name != *date_column && says_written(&column.name) && column.days == rows
    });
    written.next().map(|column| column.name.clone())
}

/// The calendar that the days follow without a gap.
fn calendar(dates: &BTreeSet<NaiveDate>, range: DateRange) -> Option<Calendar> {
    let all = || {
        range
            .start
            .iter_days()
            .take_while(|date| *date <= range.end)
    };
    let is_weekend = |date: NaiveDate| matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    if dates.len() >= 3 && all().all(|date| dates.contains(&date)) {
        return Some(Calendar::Daily);
    }
    let on_weekdays = dates.len() >= 5
        && dates.iter().all(|date| !is_weekend(*date))
        && all().all(|date| is_weekend(date) || dates.contains(&date));
    if on_weekdays {
        return Some(Calendar::Weekdays);
    }
    let month = |date: NaiveDate| date.year() * 12 + i32::try_from(date.month0()).unwrap_or(0);
    let months: BTreeSet<i32> = dates.iter().map(|date| month(*date)).collect();
    let span = month(range.end) - month(range.start) + 1;
    let is_monthly = months.len() >= 3
        && usize::try_from(span).is_ok_and(|span| span == months.len())
        && dates.len() <= months.len() * 2;
    is_monthly.then_some(Calendar::Monthly)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(texts: &[&str]) -> BTreeSet<NaiveDate> {
        texts
            .iter()
            .map(|text| text.parse().expect("a date"))
            .collect()
    }

    fn of(texts: &[&str]) -> Option<Calendar> {
        let dates = dates(texts);
        let (start, end) = (*dates.first().expect("one"), *dates.last().expect("one"));
        calendar(&dates, DateRange { start, end })
    }

    #[test]
    fn a_calendar_is_found_only_if_no_day_of_it_is_missing() {
        assert_eq!(
            of(&["2024-01-01", "2024-01-02", "2024-01-03"]),
            Some(Calendar::Daily)
        );
        assert_eq!(of(&["2024-01-01", "2024-01-02", "2024-01-04"]), None);
        let week = [
            "2024-01-04",
            "2024-01-05",
            "2024-01-08",
            "2024-01-09",
            "2024-01-10",
        ];
        assert_eq!(of(&week), Some(Calendar::Weekdays));
        assert_eq!(
            of(&["2024-01-31", "2024-02-29", "2024-03-31"]),
            Some(Calendar::Monthly)
        );
        assert_eq!(of(&["2024-01-31", "2024-03-31", "2024-04-30"]), None);
    }

    #[test]
    fn every_set_of_columns_is_tried_once() {
        let names = ["a", "b", "c"].map(|name| Ident::new(name).expect("a name"));
        let names: Vec<&Ident> = names.iter().collect();
        assert_eq!(subsets(&names, 2).len(), 3);
        assert_eq!(subsets(&names, 3).len(), 1);
    }
}
