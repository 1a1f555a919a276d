//! What a warehouse answers.

use bf_contract::DateRange;

use crate::{
    ColumnKind, Columns, Ident, Listed, Listing, Pairs, Param, Plan, Rows, Sample, SampleRequest,
    Scan, Side, TableName, Usage, Value, WarehouseError,
};

/// A warehouse, opened for reading. How it is asked, and in which SQL, is its own business.
pub trait Engine {
    /// Its name in documents, and in suites that have SQL of their own.
    fn name(&self) -> &'static str;

    /// The columns of a table, in order.
    ///
    /// # Errors
    /// [`WarehouseError::TableMissing`], [`WarehouseError::FileMissing`], or no answer.
    fn columns(&mut self, table: &TableName) -> Result<Columns, WarehouseError>;

    /// Reads a table once for everything that a plan measures.
    ///
    /// # Errors
    /// No answer.
    fn measure(&mut self, plan: &Plan) -> Result<Scan, WarehouseError>;

    /// Compares the keys of two tables, day by day; both were measured. A key of the other one may be written in several
    /// ways, one a side.
    ///
    /// # Errors
    /// No answer.
    fn compare(&mut self, here: &Side<'_>, there: &[Side<'_>]) -> Result<Pairs, WarehouseError>;

    /// Reads a few of the rows that a finding is about.
    ///
    /// # Errors
    /// An interrupt, or the deadline. Any other trouble is part of the sample: rows that cannot be shown change no
    /// verdict.
    fn sample(&mut self, request: &SampleRequest<'_>) -> Result<Sample, WarehouseError>;

    /// Lists what a table has on some days; asked only if something is wrong there, to name it.
    ///
    /// # Errors
    /// No answer.
    fn list(&mut self, listing: &Listing<'_>) -> Result<Listed, WarehouseError>;

    /// Counts a whole table, for a suite to start from.
    ///
    /// # Errors
    /// No answer.
    fn profile(&mut self, question: &Profiling<'_>) -> Result<Rows, WarehouseError>;

    /// Runs one SELECT that a person wrote for this engine, and returns the one value that it must return. It may name
    /// any table of the warehouse, and `@start` and `@end` are the range.
    ///
    /// # Errors
    /// No answer, or another answer than one value.
    fn scalar(&mut self, question: &Question<'_>) -> Result<Value, WarehouseError>;

    /// The query of a plan, and what it would read, without running it.
    ///
    /// # Errors
    /// No answer, or the engine refuses the query.
    fn estimate(&mut self, plan: &Plan) -> Result<Estimate, WarehouseError>;

    /// What is going to be asked next. An engine that waits on a network asks all of it at once and keeps the answers; no
    /// other has to do anything.
    fn prepare(&mut self, _: &[Request<'_>]) {}

    /// Checks that what was read still is as it was: a file without locks may have changed.
    ///
    /// # Errors
    /// [`WarehouseError::Changed`].
    fn verify_unchanged(&self) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// What all queries so far have cost.
    fn usage(&self) -> Usage;
}

/// A SELECT that a person wrote.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The table that is checked.
    pub table: &'a TableName,
    /// The SQL, in the flavor of the engine.
    pub sql: &'a str,
    /// What `@start` and `@end` are.
    pub range: DateRange,
}

/// What is going to be asked: see [`Engine::prepare`].
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// [`Engine::columns`].
    Columns(&'a TableName),
    /// [`Engine::columns`] of a table that need not be there: no name like it is looked for.
    Candidate(&'a TableName),
    /// [`Engine::measure`].
    Measure(&'a Plan),
    /// [`Engine::compare`].
    Compare(Side<'a>, &'a [Side<'a>]),
    /// [`Engine::sample`].
    Sample(SampleRequest<'a>),
    /// [`Engine::scalar`].
    Scalar(Question<'a>),
}

/// A question about a whole table.
#[derive(Debug, Clone, Copy)]
pub enum Profiling<'a> {
    /// One row: how many rows there are, and for each column those with a value, with a number, with a day, with a day
    /// and a time, the distinct values, the least and the largest number.
    Figures {
        /// The table.
        table: &'a TableName,
        /// The columns, with what they hold.
        columns: &'a [(Ident, ColumnKind)],
        /// The rows that count: those whose column has a day of a range.
        within: Option<(&'a Ident, ColumnKind, DateRange)>,
    },
    /// The days of a column, each once.
    Days {
        /// The table.
        table: &'a TableName,
        /// The column.
        column: &'a Ident,
        /// What it holds.
        kind: ColumnKind,
    },
    /// The values of a column, each once.
    Values {
        /// The table.
        table: &'a TableName,
        /// The column.
        column: &'a Ident,
    },
    /// One row: how many distinct combinations each set of columns has.
    DistinctSets {
        /// The table.
        table: &'a TableName,
        /// The sets.
        sets: &'a [Vec<Ident>],
    },
}

impl Profiling<'_> {
    /// The table that it is about.
    #[must_use]
    pub const fn table(&self) -> &TableName {
        match self {
            Self::Figures { table, .. }
            | Self::Days { table, .. }
            | Self::Values { table, .. }
            | Self::DistinctSets { table, .. } => table,
        }
    }
}

/// A query that was not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The query.
    pub sql: String,
    /// Its parameters by name, without the `@`.
    pub params: Vec<(String, Param)>,
    /// What it would read, in bytes; `None` if the engine does not say.
    pub bytes: Option<u64>,
    /// How the engine was signed in to, if it has to be.
    pub sign_in: Option<String>,
}
