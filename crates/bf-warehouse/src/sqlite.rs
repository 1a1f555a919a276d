//! SQLite: a folder with one database file per dataset, attached read-only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};

use crate::sql::{self, Params, Prober};
use crate::{
    Column, ColumnKind, Columns, Engine, Estimate, Field, Ident, Listed, Listing, Options, Pairs,
    Param, Plan, Probe, Profiling, Query, Question, Rows, Sample, SampleRequest, Scan, Side,
    TableName, Usage, Value, WarehouseError, nearest,
};

mod dataset;
mod flavor;
mod invalid_dates;
mod rows;
mod second_reader;
mod selection;
mod stream;

#[cfg(test)]
mod conditions;

use dataset::Dataset;
pub(crate) use flavor::SqliteFlavor;
pub use selection::{Selection, Sink};

/// How long to wait for a writer that holds the file for itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Instructions of SQLite's virtual machine between two looks at the interrupt: some milliseconds.
const INSTRUCTIONS_PER_LOOK: i32 = 100_000;

/// Opens the folder of a URL.
pub(crate) fn open(url: &str, options: Options) -> Result<Box<dyn Engine>, WarehouseError> {
    Ok(Box::new(Sqlite::open(
        crate::path(url, "sqlite")?,
        options,
    )?))
}

/// A folder of SQLite files.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    folder: PathBuf,
    datasets: Vec<Dataset>,
    /// The columns of the tables that were asked about: within one snapshot they stay the same.
    columns: BTreeMap<TableName, Columns>,
    options: Options,
    deadline: Instant,
    usage: Usage,
}

impl Sqlite {
    /// Prepares to read the datasets of `folder`; nothing is opened yet.
    ///
    /// One read transaction lasts from the first read to the end, so that all queries of a run see the same
    /// rows of a dataset while a job goes on writing.
    ///
    /// # Errors
    /// SQLite itself does not start.
    pub fn open(folder: PathBuf, options: Options) -> Result<Self, WarehouseError> {
        let deadline = Instant::now() + options.deadline.unwrap_or(Options::DEFAULT_DEADLINE);
        let connection = connect(&options, deadline)
            .and_then(|connection| connection.execute_batch("BEGIN").map(|()| connection))
            .map_err(|error| WarehouseError::Query(error.to_string()))?;
        Ok(Self {
            connection,
            folder,
            datasets: Vec::new(),
            columns: BTreeMap::new(),
            options,
            deadline,
            usage: Usage::default(),
        })
    }

    /// Attaches the datasets of `tables` that are not attached yet.
    fn attach(&mut self, tables: &[&TableName]) -> Result<(), WarehouseError> {
        tables
            .iter()
            .try_for_each(|table| self.attach_dataset(&table.dataset))
    }

    fn attach_dataset(&mut self, name: &Ident) -> Result<(), WarehouseError> {
        if self.position(name).is_none() {
            let connect = || connect(&self.options, self.deadline);
            let dataset = Dataset::attach(&self.connection, &self.folder, name, &connect)?;
            self.usage.notes.extend(dataset.note());
            self.datasets.push(dataset);
        }
        Ok(())
    }

    /// Where a dataset is among those that are attached. SQLite knows a name whatever its case.
    fn position(&self, name: &Ident) -> Option<usize> {
        let is_it = |dataset: &Dataset| dataset.name.as_str().eq_ignore_ascii_case(name.as_str());
        self.datasets.iter().position(is_it)
    }

    /// Attaches the datasets of the folder whose names are words of `sql`. Not simply all: SQLite takes ten,
    /// and a file that no query asks for may be unreadable.
    fn attach_mentioned(&mut self, sql: &str) -> Result<(), WarehouseError> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let is_mentioned = |name: &str| {
            sql.split(|character| !is_part(character))
                .any(|word| word.eq_ignore_ascii_case(name))
        };
        let files = std::fs::read_dir(&self.folder).into_iter().flatten();
        let mut names: Vec<Ident> = files
            .flatten()
            .filter_map(|file| {
                let path = file.path();
                let name = Ident::new(path.file_stem()?.to_str()?).ok()?;
                let is_dataset = path.extension().is_some_and(|ending| ending == "db");
                (is_dataset && is_mentioned(name.as_str())).then_some(name)
            })
            .collect();
        names.sort();
        names.iter().try_for_each(|name| self.attach_dataset(name))
    }

    fn columns_of(&mut self, table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        self.attach(&[table])?;
        let columns = self.timed(|engine| {
            let mut statement = engine
                .connection
                // Generated columns are hidden columns of the kinds 2 and 3.
                .prepare("SELECT name, type FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1")?;
            let found =
                statement.query_map([table.table.as_str(), table.dataset.as_str()], |row| {
                    let data_type: String = row.get(1)?;
                    Ok(Column {
                        name: row.get(0)?,
                        kind: kind_of(&data_type),
                        data_type,
                    })
                })?;
            found.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        if columns.is_empty() {
            return Err(self.table_missing(table));
        }
        Ok(columns)
    }

    fn table_missing(&mut self, table: &TableName) -> WarehouseError {
        let sql = format!(
            "SELECT name FROM \"{}\".sqlite_master WHERE type IN ('table', 'view')",
            table.dataset
        );
        let names = self.timed(|engine| {
            let mut statement = engine.connection.prepare(&sql)?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            names.collect::<rusqlite::Result<Vec<_>>>()
        });
        match names {
            Ok(names) => WarehouseError::TableMissing {
                table: table.clone(),
                nearest: nearest(table.table.as_str(), names.iter().map(String::as_str))
                    .map(|name| format!("{}.{name}", table.dataset)),
            },
            Err(error) => error,
        }
    }

    /// Runs one SELECT and returns all its rows. `tables` are those whose files are opened first.
    ///
    /// # Errors
    /// A file cannot be read, or SQLite refuses the query.
    pub fn query(&mut self, tables: &[&TableName], query: &Query) -> Result<Rows, WarehouseError> {
        self.attach(tables)?;
        self.timed(|engine| {
            let mut statement = engine.connection.prepare(&query.sql)?;
            bind(&mut statement, query)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let mut rows = Vec::new();
            let mut cursor = statement.raw_query();
            while let Some(row) = cursor.next()? {
                let field = |at| row.get_ref(at).map(|value| Field::from(value).to_value());
                rows.push(
                    (0..columns.len())
                        .map(field)
                        .collect::<rusqlite::Result<_>>()?,
                );
            }
            Ok(Rows { columns, rows })
        })
    }

    /// Hands the rows of `selection` out while they are read, in order, to one sink that `new` makes or to two, the
    /// second of which goes on where the first ends. No row is kept, so that a table of any size can be read.
    ///
    /// # Errors
    /// A file cannot be read, or SQLite broke off in the middle.
    pub fn scan<S: Sink>(
        &mut self,
        selection: &Selection,
        new: &dyn Fn() -> S,
    ) -> Result<Vec<S>, WarehouseError> {
        self.attach(&[&selection.table])?;
        let dataset = self.position(&selection.table.dataset);
        let mut second = dataset.and_then(|at| self.datasets[at].second_reader.take());
        let read =
            self.timed(|engine| rows::read(&engine.connection, second.as_mut(), selection, new));
        if let Some(at) = dataset {
            self.datasets[at].second_reader = second;
        }
        read
    }

    /// One ATTACH per dataset, for the `sqlite3` shell.
    pub(crate) fn console_prelude(&self, tables: &[&TableName]) -> String {
        let mut datasets: Vec<&Ident> = tables.iter().map(|table| &table.dataset).collect();
        datasets.dedup();
        datasets
            .into_iter()
            .map(|dataset| {
                let path = self.folder.join(format!("{dataset}.db"));
                let path = path.display().to_string().replace('\'', "''");
                format!("ATTACH '{path}' AS {dataset}; ")
            })
            .collect()
    }

    /// Runs one query under the clock and turns SQLite's error into ours.
    fn timed<T>(
        &mut self,
        query: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> Result<T, WarehouseError> {
        let began = Instant::now();
        let outcome = query(self);
        self.usage.queries += 1;
        self.usage.elapsed += began.elapsed();
        outcome.map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &rusqlite::Error) -> WarehouseError {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) if self.options.is_interrupted() => {
                WarehouseError::Interrupted
            }
            Some(ErrorCode::OperationInterrupted) => WarehouseError::TimedOut(format!(
                "the query did not end within {} s",
                self.options
                    .deadline
                    .unwrap_or(Options::DEFAULT_DEADLINE)
                    .as_secs()
            )),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                WarehouseError::Unreachable(format!(
                    "{}: a writer holds the database for itself",
                    self.folder.display()
                ))
            }
            _ => WarehouseError::Query(format!("SQLite: {}", dataset::message(error))),
        }
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn columns(&mut self, table: &TableName) -> Result<Columns, WarehouseError> {
        if let Some(columns) = self.columns.get(table) {
            return Ok(columns.clone());
        }
        let columns = Columns::new(self.columns_of(table)?);
        self.columns.insert(table.clone(), columns.clone());
        Ok(columns)
    }

    /// Rows are handed out one by one and counted here, which needs no sorting and is some nine times faster than SQL
    /// that groups.
    fn measure(&mut self, plan: &Plan) -> Result<Scan, WarehouseError> {
        let how = invalid_dates::Reading::of(plan, self)?;
        let plan = Arc::new(plan.clone());
        let new = || stream::Accumulator::new(Arc::clone(&plan));
        let parts = self.scan(&stream::selection(&plan, how), &new)?;
        let whole = parts.into_iter().reduce(|mut whole, part| {
            whole.merge(part);
            whole
        });
        let mut scan = whole.unwrap_or_else(new).finish();
        invalid_dates::add(&plan, how, &mut scan, self)?;
        Ok(scan)
    }

    fn compare(&mut self, here: &Side<'_>, there: &[Side<'_>]) -> Result<Pairs, WarehouseError> {
        Ok(Pairs::of(here.kept(), &Side::union(there)))
    }

    fn sample(&mut self, request: &SampleRequest<'_>) -> Result<Sample, WarehouseError> {
        let partner = request.partner.map(|partner| &partner.name);
        let tables: Vec<&TableName> = match request.probe {
            Probe::Unmatched { .. } | Probe::Sums { .. } => {
                partner.into_iter().chain([&request.table.name]).collect()
            }
            Probe::Unscheduled { table, .. } | Probe::OfSchedule { table, .. } => {
                vec![&request.table.name, table]
            }
            _ => vec![&request.table.name],
        };
        let prober = Prober {
            flavor: &SqliteFlavor,
            prelude: self.console_prelude(&tables),
            tries: true,
            has_params: true,
        };
        prober.sample(request, &mut |query| self.query(&tables, &query))
    }

    fn list(&mut self, listing: &Listing<'_>) -> Result<Listed, WarehouseError> {
        if listing.spans.is_empty() {
            return Ok(Listed::new());
        }
        let query = sql::listing_query(listing, Params::named(&SqliteFlavor));
        Ok(self.query(&[&listing.table.name], &query)?.into_listed())
    }

    fn profile(&mut self, question: &Profiling<'_>) -> Result<Rows, WarehouseError> {
        let query = sql::profile_query(question, Params::named(&SqliteFlavor));
        self.query(&[question.table()], &query)
    }

    fn scalar(&mut self, question: &Question<'_>) -> Result<Value, WarehouseError> {
        self.attach_mentioned(question.sql)?;
        let query = Query::new(question.sql)
            .with("start", question.range.start)
            .with("end", question.range.end);
        self.query(&[question.table], &query)?.one_value()
    }

    /// The query is prepared, which finds what is wrong with it.
    fn estimate(&mut self, plan: &Plan) -> Result<Estimate, WarehouseError> {
        let how = invalid_dates::Reading::of(plan, self)?;
        let query = stream::selection(plan, how).query();
        self.attach(&[&plan.table.name])?;
        self.timed(|engine| engine.connection.prepare(&query.sql).map(drop))?;
        Ok(Estimate {
            sql: query.sql,
            params: query.params,
            bytes: None,
            sign_in: None,
        })
    }

    fn verify_unchanged(&self) -> Result<(), WarehouseError> {
        self.datasets.iter().try_for_each(Dataset::verify_unchanged)
    }

    fn usage(&self) -> Usage {
        self.usage.clone()
    }
}

/// A connection that nothing is attached to yet, and that looks for an interrupt while it works.
fn connect(options: &Options, deadline: Instant) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA query_only = 1")?;
    let looked = options.clone();
    connection.progress_handler(
        INSTRUCTIONS_PER_LOOK,
        Some(move || looked.is_interrupted() || Instant::now() > deadline),
    )?;
    Ok(connection)
}

/// Binds the parameters that the statement has; one that only the other engine's SQL needs is left out.
fn bind(statement: &mut Statement<'_>, query: &Query) -> rusqlite::Result<()> {
    for (name, param) in &query.params {
        if let Some(at) = statement.parameter_index(&format!("@{name}"))? {
            statement.raw_bind_parameter(at, Bound(param))?;
        }
    }
    Ok(())
}

struct Bound<'a>(&'a Param);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Param::Date(date) => date.to_string().into(),
            Param::Int(number) => (*number).into(),
            Param::Float(number) => (*number).into(),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Param::TextArray(texts) => serde_json::json!(texts).to_string().into(),
            Param::DateArray(dates) => {
                let texts: Vec<String> = dates.iter().map(ToString::to_string).collect();
                serde_json::json!(texts).to_string().into()
            }
        })
    }
}

/// What a declared type says. Source: "Datatypes In SQLite", determination of column affinity; DATE and
/// BOOL are names that the warehouse's tables use.
fn kind_of(declared: &str) -> ColumnKind {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("BOOL") {
        ColumnKind::Bool
    } else if has("TIMESTAMP") {
        ColumnKind::Timestamp
    } else if has("DATETIME") {
        ColumnKind::DateTime
    } else if has("DATE") {
        ColumnKind::Date
    } else if has("ARRAY") || has("JSON") {
        ColumnKind::Array
    } else if ["INT", "REAL", "FLOA", "DOUB", "NUM", "DEC"]
        .iter()
        .any(|word| has(word))
    {
        ColumnKind::Number
    } else if ["CHAR", "CLOB", "TEXT", "STRING"]
        .iter()
        .any(|word| has(word))
    {
        ColumnKind::Text
    } else {
        ColumnKind::Other
    }
}
