//! DuckDB files and folders of Parquet, CSV and NDJSON, read by the user's own `duckdb` program: it opens the files that
//! its version wrote, and nothing has to be built. The program runs once, from the first query to the last.

use std::path::PathBuf;
use std::time::Instant;

use bf_contract::parse_date;

use crate::sql::{self, Flavor as _, Params, Prober};
use crate::{
    ColumnKind, Columns, Engine, Estimate, Listed, Listing, Options, Pairs, Plan, Profiling, Query,
    Question, Rows, Sample, SampleRequest, Scan, Side, TableName, Usage, Value, WarehouseError,
    nearest,
};

mod answer;
mod fault;
mod flavor;
mod program;
mod source;

use flavor::DuckDbFlavor;
use program::Program;
use source::Source;

/// A DuckDB file, or a folder of files that DuckDB reads.
#[derive(Debug)]
pub struct DuckDb {
    source: Source,
    options: Options,
    program: Option<Program>,
    deadline: Option<Instant>,
    usage: Usage,
}

/// Opens the file or folder of a URL.
pub(crate) fn open(url: &str, options: Options) -> Result<Box<dyn Engine>, WarehouseError> {
    let path = crate::path(url, "duckdb")?;
    Ok(Box::new(DuckDb::new(path, options)))
}

/// How a probe is answered.
const PROBER: Prober<'static> = Prober {
    flavor: &DuckDbFlavor,
    prelude: String::new(),
    tries: true,
    has_params: false,
};

/// The most days with a time that are named.
const MOST_TIMED_DAYS: u32 = 1000;

impl DuckDb {
    /// Prepares to read a file or a folder; the program starts with the first query.
    #[must_use]
    pub fn new(path: PathBuf, options: Options) -> Self {
        Self {
            source: Source::new(path),
            options,
            program: None,
            deadline: None,
            usage: Usage::default(),
        }
    }

    /// Runs one SELECT and returns all its rows.
    ///
    /// # Errors
    /// The program cannot be started, or refuses the query.
    pub fn query(&mut self, tables: &[&TableName], sql: &str) -> Result<Rows, WarehouseError> {
        for table in tables {
            self.provide(table)?;
        }
        self.run(sql)
    }

    /// Makes a table known: a view of its files, or a database that is attached.
    fn provide(&mut self, table: &TableName) -> Result<(), WarehouseError> {
        if let Some(statements) = self.source.provide(table)? {
            self.usage.notes.push(statements.note);
            self.run(&statements.sql)?;
        }
        Ok(())
    }

    fn run(&mut self, sql: &str) -> Result<Rows, WarehouseError> {
        let began = Instant::now();
        let limit = self.options.deadline.unwrap_or(Options::DEFAULT_DEADLINE);
        let deadline = *self.deadline.get_or_insert(began + limit);
        let program = match &mut self.program {
            Some(program) => program,
            none => {
                let started = Program::start(&self.source, &self.options, deadline)?;
                self.usage.notes.push(started.note());
                none.insert(started)
            }
        };
        let rows = program.run(sql, &self.options, deadline);
        self.usage.queries += 1;
        self.usage.elapsed += began.elapsed();
        rows.map_err(|error| fault::with_source(error, self.source.path()))
    }

    /// The names and types of a query's columns, without its rows.
    fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, WarehouseError> {
        let rows = self.run(&format!("DESCRIBE {sql}"))?;
        let columns = rows.rows.iter().filter_map(|row| match row.as_slice() {
            [Value::Text(name), Value::Text(kind), ..] => Some((name.clone(), kind.clone())),
            _ => None,
        });
        Ok(columns.collect())
    }

    fn table_missing(&mut self, table: &TableName) -> WarehouseError {
        let names = match self.source.tables_of(&table.dataset) {
            Some(names) => names,
            None => self
                .run("SELECT table_name FROM information_schema.tables")
                .map(|rows| rows.rows)
                .unwrap_or_default()
                .iter()
                .filter_map(|row| Some(row.first()?.as_text()?.to_owned()))
                .collect(),
        };
        WarehouseError::TableMissing {
            table: table.clone(),
            nearest: nearest(table.table.as_str(), names.iter().map(String::as_str))
                .map(|name| format!("{}.{name}", table.dataset)),
        }
    }

    /// Rows whose date, a text, has a time after the day.
    fn count_times(&mut self, plan: &Plan, scan: &mut Scan) -> Result<(), WarehouseError> {
        if plan.table.date_kind() != ColumnKind::Text {
            return Ok(());
        }
        let date = sql::quoted(&DuckDbFlavor, &plan.table.date_column);
        let rows = self.run(&format!(
            "SELECT {} AS day, COUNT(*) AS records FROM {} WHERE {} AND length({date}) > 10 \
             GROUP BY 1 HAVING day IS NOT NULL ORDER BY 1 LIMIT {MOST_TIMED_DAYS}",
            sql::day_of(&DuckDbFlavor, &plan.table),
            DuckDbFlavor.table(&plan.table.name),
            sql::within(&DuckDbFlavor, &plan.table, plan.read),
        ))?;
        for row in &rows.rows {
            if let [Value::Text(day), records] = row.as_slice()
                && let Ok(day) = parse_date(day)
            {
                scan.unreadable.with_time += records.as_count().unwrap_or(0);
                scan.unreadable.timed_days.insert(day);
            }
        }
        Ok(())
    }
}

impl Engine for DuckDb {
    fn name(&self) -> &'static str {
        "duckdb"
    }

    fn columns(&mut self, table: &TableName) -> Result<Columns, WarehouseError> {
        self.provide(table)?;
        match self.describe(&DuckDbFlavor.table(table)) {
            Ok(columns) => Ok(answer::columns(columns)),
            Err(error) if fault::is_about_a_missing_table(&error) => Err(self.table_missing(table)),
            Err(error) => Err(error),
        }
    }

    fn measure(&mut self, plan: &Plan) -> Result<Scan, WarehouseError> {
        if sql::counts_nothing(plan) {
            return Ok(Scan::default());
        }
        let query = sql::grouped_query(plan, Params::literals(&DuckDbFlavor));
        let rows = self.query(&[&plan.table.name], &query.sql)?;
        let mut scan = sql::read_grouped(plan, &rows)?;
        let others = sql::without_a_date(plan, &Params::literals(&DuckDbFlavor));
        sql::read_without_a_date(&self.run(&others.sql)?, &mut scan);
        self.count_times(plan, &mut scan)?;
        Ok(scan)
    }

    fn compare(&mut self, here: &Side<'_>, there: &[Side<'_>]) -> Result<Pairs, WarehouseError> {
        let params = Params::literals(&DuckDbFlavor);
        let Some(query) = sql::joined_query(here, there, params) else {
            return Ok(Pairs::default());
        };
        let tables = [
            &here.plan.table.name,
            there
                .first()
                .map_or(&here.plan.table.name, |side| &side.plan.table.name),
        ];
        let rows = self.query(&tables, &query.sql)?;
        // A sum of counts has more digits than a JSON number, and comes as text.
        let types = self.describe(&query.sql)?;
        sql::read_joined(&answer::typed(rows, &types))
    }

    fn sample(&mut self, request: &SampleRequest<'_>) -> Result<Sample, WarehouseError> {
        PROBER.sample(request, &mut |query: Query| {
            let types = self.describe(&query.sql)?;
            let rows = self.run(&query.sql)?;
            Ok(answer::typed(rows, &types))
        })
    }

    fn list(&mut self, listing: &Listing<'_>) -> Result<Listed, WarehouseError> {
        if listing.spans.is_empty() {
            return Ok(Listed::new());
        }
        let query = sql::listing_query(listing, Params::literals(&DuckDbFlavor));
        Ok(self
            .query(&[&listing.table.name], &query.sql)?
            .into_listed())
    }

    fn profile(&mut self, question: &Profiling<'_>) -> Result<Rows, WarehouseError> {
        let query = sql::profile_query(question, Params::literals(&DuckDbFlavor));
        self.query(&[question.table()], &query.sql)
    }

    fn scalar(&mut self, question: &Question<'_>) -> Result<Value, WarehouseError> {
        for table in self.source.mentioned(question.sql) {
            self.provide(&table)?;
        }
        let sql = source::with_range(question.sql, question.range)?;
        let rows = self.query(&[question.table], &sql)?;
        let types = self.describe(&sql)?;
        answer::typed(rows, &types).one_value()
    }

    fn estimate(&mut self, plan: &Plan) -> Result<Estimate, WarehouseError> {
        let query = sql::grouped_query(plan, Params::literals(&DuckDbFlavor));
        self.provide(&plan.table.name)?;
        self.describe(&query.sql)?;
        Ok(Estimate {
            sql: query.sql,
            params: Vec::new(),
            bytes: None,
            sign_in: None,
        })
    }

    fn usage(&self) -> Usage {
        self.usage.clone()
    }
}
