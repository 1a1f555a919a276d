//! The rows that a finding is about: a few of them, and a query with which a person finds more.

use bf_contract::DateRange;
use chrono::NaiveDate;

use crate::{ColumnKind, Condition, DatedTable, Ident, Rows, TableName, Value};

/// How the rows that a finding is about are found.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// Rows that meet a condition.
    Matching(Option<Condition>, Condition),
    /// Rows that do not surely meet a condition.
    Lacking(Option<Condition>, Condition),
    /// Rows whose key is there more than once.
    Duplicates(Option<Condition>, Vec<Ident>),
    /// Groups with too few or too many rows.
    Groups {
        /// The rows that are counted.
        filter: Option<Condition>,
        /// What makes a group.
        columns: Vec<Ident>,
        /// The fewest rows.
        min: u64,
        /// The most rows.
        max: u64,
    },
    /// The rows of each date, counted.
    RowsByDate,
    /// The rows of a schedule on the days concerned.
    OfSchedule {
        /// The schedule.
        table: TableName,
        /// Its column with the day.
        date_column: Ident,
        /// What that column holds.
        date_kind: ColumnKind,
    },
    /// Keys without a partner on their day.
    Unmatched {
        /// The rows of the suite's table that are compared.
        filter: Option<Condition>,
        /// The key.
        columns: Vec<Ident>,
        /// Keys of this table that the partner lacks, else the other way round.
        here: bool,
    },
    /// Keys of both tables over which two sums differ.
    Sums {
        /// The rows of the suite's table that are added up.
        filter: Option<Condition>,
        /// The key.
        columns: Vec<Ident>,
        /// What is added up in the suite's table.
        here: Ident,
        /// What is added up in its partner.
        there: Ident,
    },
    /// Rows whose key the schedule does not have on their day.
    Unscheduled {
        /// The rows that are compared with it.
        filter: Option<Condition>,
        /// The key.
        columns: Vec<Ident>,
        /// The schedule.
        table: TableName,
        /// Its column with the day.
        date_column: Ident,
        /// What that column holds.
        date_kind: ColumnKind,
        /// How it calls the columns of the key.
        schedule_columns: Vec<Ident>,
        /// Whether the last two columns may be the other way round.
        either_side: bool,
    },
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct SampleRequest<'a> {
    /// The table.
    pub table: &'a DatedTable,
    /// The table that is compared with it, if one is.
    pub partner: Option<&'a DatedTable>,
    /// How the rows are found.
    pub probe: &'a Probe,
    /// The range that was checked.
    pub range: DateRange,
    /// The dates concerned; the whole range if none is given.
    pub dates: &'a [NaiveDate],
    /// The columns to show beside those that the probe is about; those that the table lacks are left out.
    pub fields: &'a [Ident],
    /// How many rows are wanted; with 0 only the query is written.
    pub rows: u32,
}

/// Which days and values are listed, each once.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The table.
    pub table: &'a DatedTable,
    /// The days that are looked at.
    pub spans: &'a [DateRange],
    /// The rows that are listed.
    pub filter: Option<&'a Condition>,
    /// What is listed of them, beside the day.
    pub values: &'a [Ident],
    /// The most that are listed.
    pub limit: u32,
}

/// Days with their values, in order.
pub type Listed = Vec<(NaiveDate, Vec<Value>)>;

impl Rows {
    /// The rows of a listing; the first column is the day.
    pub(crate) fn into_listed(self) -> Listed {
        let read = self.rows.into_iter().filter_map(|mut row| {
            let values = row.split_off(1.min(row.len()));
            let day = bf_contract::parse_date(row.first()?.as_text()?).ok()?;
            Some((day, values))
        });
        read.collect()
    }
}

/// A few rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// A query to look further, ready for the engine's console.
    pub query: Option<String>,
    /// Of duplicates: the dates of all of them.
    pub dates: Vec<NaiveDate>,
    /// Why rows could not be read.
    pub trouble: Option<String>,
}
