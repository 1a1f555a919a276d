//! BigQuery over REST.
//!
//! The engine waits on the network, so it has a runtime of its own: one thread, made with the first query.
//! What each part does: `settings` says where and how patiently, `http` sends one request and repeats it,
//! `retry` decides on repeating, `job` runs one query to its last row, `wire` and `cell` read and write the
//! bodies, `auth` finds credentials, `fault` says what went wrong.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::sql::{self, Params, Prober};
use crate::{
    Column, Columns, Engine, Estimate, Listed, Listing, Options, Pairs, Plan, Profiling, Query,
    Question, Request, Rows, Sample, SampleRequest, Scan, Side, TableName, Usage, Value,
    WarehouseError, nearest,
};

mod auth;
mod batch;
mod cell;
mod fault;
mod flavor;
mod http;
mod job;
mod retry;
mod settings;
mod tls;
mod url;
mod usage;
mod wire;

pub use settings::{Endpoint, Identity, Pace, Settings};

use fault::Fault;
use flavor::BigQueryFlavor;
use http::Http;
use job::{Failure, Outcome, Watch};
use url::ProjectUrl;
use usage::Tally;
use wire::{DatasetReference, FormatOptions, QueryAnswer, QueryParameter, QueryRequest};

/// Opens the project of a URL.
pub(crate) fn open(url: &str, options: Options) -> Result<Box<dyn Engine>, WarehouseError> {
    let project = ProjectUrl::parse(url.strip_prefix("//").unwrap_or_default())?;
    let settings = Settings::new(
        project.project,
        project.location,
        project.maximum_bytes_billed,
    )?;
    Ok(Box::new(BigQuery::with_settings(settings, options)))
}

/// A BigQuery project.
pub struct BigQuery {
    settings: Settings,
    options: Options,
    connection: Option<Connection>,
    /// When all queries must be done; runs from the first one.
    deadline: Option<Instant>,
    tally: Tally,
    /// The columns of tables, which do not change while bf reads.
    schemas: BTreeMap<TableName, Result<Vec<Column>, WarehouseError>>,
    /// Answers to queries that were asked ahead.
    answers: Vec<(Query, Result<Outcome, WarehouseError>)>,
    /// The rows without a date of tables that were asked for together.
    undated: BTreeMap<TableName, Rows>,
}

/// What is made with the first query.
struct Connection {
    runtime: tokio::runtime::Runtime,
    http: Http,
}

impl std::fmt::Debug for BigQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BigQuery")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Engine for BigQuery {
    fn name(&self) -> &'static str {
        "bigquery"
    }

    fn columns(&mut self, table: &TableName) -> Result<Columns, WarehouseError> {
        self.table_columns(table).map(Columns::new)
    }

    fn measure(&mut self, plan: &Plan) -> Result<Scan, WarehouseError> {
        let table = &plan.table.name;
        if sql::counts_nothing(plan) {
            return Ok(Scan::default());
        }
        let rows = self.query(&[table], &measures(plan))?;
        let mut scan = sql::read_grouped(plan, &rows)?;
        let undated = match self.undated.remove(table) {
            Some(known) => Ok(known),
            None => self.query(&[table], &undated(plan)),
        };
        match undated {
            Ok(found) => sql::read_without_a_date(&found, &mut scan),
            Err(error) if error.ends_the_run() => return Err(error),
            Err(error) => scan.unreadable.unknown = Some(error.to_string()),
        }
        Ok(scan)
    }

    fn compare(&mut self, here: &Side<'_>, there: &[Side<'_>]) -> Result<Pairs, WarehouseError> {
        let Some(query) = comparison(here, there) else {
            return Ok(Pairs::default());
        };
        let tables = [
            &here.plan.table.name,
            there
                .first()
                .map_or(&here.plan.table.name, |side| &side.plan.table.name),
        ];
        sql::read_joined(&self.query(&tables, &query)?)
    }

    fn sample(&mut self, request: &SampleRequest<'_>) -> Result<Sample, WarehouseError> {
        let table = &request.table.name;
        PROBER.sample(request, &mut |query| self.query(&[table], &query))
    }

    fn list(&mut self, listing: &Listing<'_>) -> Result<Listed, WarehouseError> {
        if listing.spans.is_empty() {
            return Ok(Listed::new());
        }
        let query = sql::listing_query(listing, Params::named(&BigQueryFlavor));
        Ok(self.query(&[&listing.table.name], &query)?.into_listed())
    }

    fn profile(&mut self, question: &Profiling<'_>) -> Result<Rows, WarehouseError> {
        let query = sql::profile_query(question, Params::named(&BigQueryFlavor));
        self.query(&[question.table()], &query)
    }

    fn scalar(&mut self, question: &Question<'_>) -> Result<Value, WarehouseError> {
        self.query(&[question.table], &of_question(question))?
            .one_value()
    }

    fn estimate(&mut self, plan: &Plan) -> Result<Estimate, WarehouseError> {
        let query = measures(plan);
        let bytes = self.bytes_of(&[&plan.table.name], &query)?;
        let sign_in = self.work(async |http, _| Ok(http.sign_in().await))?;
        Ok(Estimate {
            sql: query.sql,
            params: query.params,
            bytes: Some(bytes),
            sign_in,
        })
    }

    fn prepare(&mut self, requests: &[Request<'_>]) {
        let (mut tables, mut queries, mut without_dates) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            match request {
                Request::Columns(table) | Request::Candidate(table) => {
                    let is_asked = tables.iter().any(|(asked, _)| asked == *table);
                    if !self.schemas.contains_key(*table) && !is_asked {
                        let is_needed = matches!(request, Request::Columns(_));
                        tables.push(((*table).clone(), is_needed));
                    }
                }
                Request::Measure(plan) if !sql::counts_nothing(plan) => {
                    let table = &plan.table.name;
                    queries.push((table.clone(), measures(plan)));
                    if !self.undated.contains_key(table) {
                        without_dates.push((table.clone(), undated(plan)));
                    }
                }
                Request::Measure(_) => {}
                Request::Compare(here, there) => {
                    let query = comparison(here, there);
                    queries.extend(query.map(|query| (here.plan.table.name.clone(), query)));
                }
                Request::Sample(request) => {
                    let asked = PROBER.queries(request).into_iter().flatten();
                    queries.extend(asked.map(|query| (request.table.name.clone(), query)));
                }
                Request::Scalar(question) => {
                    queries.push((question.table.clone(), of_question(question)));
                }
            }
        }
        // Each reads the one partition of such rows: one query for all tables is one trip less.
        without_dates.dedup();
        let together = (without_dates.len() > 1).then(|| union(&without_dates));
        match &together {
            Some(query) => queries.push((without_dates[0].0.clone(), query.clone())),
            None => queries.append(&mut without_dates),
        }
        let mut asked: Vec<(TableName, Query)> = Vec::new();
        for query in queries {
            let is_known = |known: &Query| *known == query.1;
            if !asked.iter().any(|(_, known)| is_known(known))
                && !self.answers.iter().any(|(known, _)| is_known(known))
            {
                asked.push(query);
            }
        }
        if tables.len() + asked.len() > 1 {
            self.ask_ahead(tables, asked);
        }
        if let Some(together) = together {
            self.keep_undated(&together, &without_dates);
        }
    }

    fn usage(&self) -> Usage {
        self.tally.usage()
    }
}

/// How a probe is answered. A query costs money, so none is tried.
const PROBER: Prober<'static> = Prober {
    flavor: &BigQueryFlavor,
    prelude: String::new(),
    tries: false,
    has_params: true,
};

/// The rows of several tables without a date, in one query; the first column is the table's number.
fn union(queries: &[(TableName, Query)]) -> Query {
    let parts = queries.iter().enumerate().map(|(at, (_, query))| {
        format!(
            "SELECT {at} AS bf_table, records, least, most FROM ({})",
            query.sql
        )
    });
    Query::new(parts.collect::<Vec<_>>().join(" UNION ALL "))
}

fn undated(plan: &Plan) -> Query {
    sql::without_a_date(plan, &Params::named(&BigQueryFlavor))
}

fn measures(plan: &Plan) -> Query {
    sql::grouped_query(plan, Params::named(&BigQueryFlavor))
}

fn comparison(here: &Side<'_>, there: &[Side<'_>]) -> Option<Query> {
    sql::joined_query(here, there, Params::named(&BigQueryFlavor))
}

fn of_question(question: &Question<'_>) -> Query {
    Query::new(question.sql)
        .with("start", question.range.start)
        .with("end", question.range.end)
}

impl Drop for BigQuery {
    fn drop(&mut self) {
        // A search for credentials that took too long still blocks its thread; nothing waits for it.
        if let Some(connection) = self.connection.take() {
            connection.runtime.shutdown_background();
        }
    }
}

impl BigQuery {
    /// A project with settings beyond those of a URL: another server, another pace.
    #[must_use]
    pub fn with_settings(settings: Settings, options: Options) -> Self {
        let mut tally = Tally::default();
        if settings.endpoint.is_emulator() {
            tally.note(format!(
                "an emulator answered, not BigQuery: {}",
                settings.endpoint.base
            ));
        }
        Self {
            settings,
            options,
            connection: None,
            deadline: None,
            tally,
            schemas: BTreeMap::new(),
            answers: Vec::new(),
            undated: BTreeMap::new(),
        }
    }

    /// The columns of a table, in order. Reads the table's description, which costs nothing.
    ///
    /// # Errors
    /// [`WarehouseError::TableMissing`], [`WarehouseError::Denied`], or BigQuery did not answer.
    pub fn table_columns(&mut self, table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        if let Some(known) = self.schemas.get(table) {
            return known.clone();
        }
        let described = self.work(async |http, watch| describe(http, watch, table, true).await);
        self.tally.queries += 1;
        let columns = described.and_then(|description| columns_of(table, description));
        let columns = columns.map_err(|error| about(table, error));
        self.schemas.insert(table.clone(), columns.clone());
        columns
    }

    /// Asks several things at once, and keeps the answers for whoever asks for them one by one.
    fn ask_ahead(&mut self, tables: Vec<(TableName, bool)>, queries: Vec<(TableName, Query)>) {
        let requests: Vec<QueryRequest> = queries
            .iter()
            .map(|(table, query)| self.request(&[table], query))
            .collect();
        let pace = self.settings.pace;
        let asked = self.work(async |http, watch| {
            let mut work: Vec<batch::Work<'_, Ahead>> = Vec::new();
            for (table, is_needed) in &tables {
                let described = describe(http, watch, table, *is_needed);
                work.push(Box::pin(async { Ahead::Table(described.await) }));
            }
            for mut request in requests {
                work.push(Box::pin(async move {
                    Ahead::Query(job::run(http, &mut request, &pace, watch).await)
                }));
            }
            Ok(batch::all(work).await)
        });
        // Whoever asks again is told what is wrong.
        let limit = self.settings.maximum_bytes_billed;
        let (mut tables, mut queries) = (tables.into_iter(), queries.into_iter());
        for answer in asked.unwrap_or_default() {
            match answer {
                Ahead::Table(described) => {
                    let Some((table, _)) = tables.next() else {
                        continue;
                    };
                    self.tally.queries += 1;
                    let described = described.map_err(|failure| failure.into_error(limit));
                    let columns = described.and_then(|found| columns_of(&table, found));
                    let columns = columns.map_err(|error| about(&table, error));
                    self.schemas.insert(table, columns);
                }
                Ahead::Query(outcome) => {
                    let Some((_, query)) = queries.next() else {
                        continue;
                    };
                    let outcome = outcome.map_err(|failure| failure.into_error(limit));
                    self.answers.push((query, outcome));
                }
            }
        }
    }

    /// Keeps the answer to [`union`], if there is one. Without, each table is asked for by itself.
    fn keep_undated(&mut self, together: &Query, tables: &[(TableName, Query)]) {
        let known = self.answers.iter().position(|(asked, _)| asked == together);
        let Some((_, Ok(outcome))) = known.map(|at| self.answers.swap_remove(at)) else {
            return;
        };
        let found = self.tally.add(outcome);
        for (at, (table, _)) in tables.iter().enumerate() {
            let is_its_own =
                |row: &&Vec<Value>| row.first().and_then(Value::as_count) == Some(at as u64);
            let Some(row) = found.rows.iter().find(is_its_own) else {
                continue;
            };
            let rows = Rows {
                columns: found.columns.iter().skip(1).cloned().collect(),
                rows: vec![row[1..].to_vec()],
            };
            self.undated.insert(table.clone(), rows);
        }
    }

    /// Runs one query and returns all its rows.
    ///
    /// # Errors
    /// BigQuery refuses the query or did not answer; the caller asked to stop; the deadline passed.
    pub fn query(&mut self, tables: &[&TableName], query: &Query) -> Result<Rows, WarehouseError> {
        let known = self.answers.iter().position(|(asked, _)| asked == query);
        let outcome = match known {
            Some(at) => self.answers.swap_remove(at).1,
            None => {
                let mut request = self.request(tables, query);
                let pace = self.settings.pace;
                self.work(async |http, watch| job::run(http, &mut request, &pace, watch).await)
            }
        };
        match outcome {
            Ok(outcome) => Ok(self.tally.add(outcome)),
            Err(error) => {
                self.tally.queries += 1;
                Err(error)
            }
        }
    }

    /// What the query would read, in bytes, without running it.
    ///
    /// # Errors
    /// BigQuery refuses the query or did not answer.
    pub fn bytes_of(
        &mut self,
        tables: &[&TableName],
        query: &Query,
    ) -> Result<u64, WarehouseError> {
        let request = QueryRequest {
            dry_run: true,
            // The estimate is wanted above all when the limit is too low for the query.
            maximum_bytes_billed: None,
            job_timeout_ms: None,
            ..self.request(tables, query)
        };
        self.work(async |http, watch| {
            let call = http.post(&["queries"], &[], Some(&request), Duration::ZERO)?;
            let answer = watch.over(http.repeat::<QueryAnswer>(&call)).await??;
            if let Some(error) = answer.errors.into_iter().next() {
                return Err(Fault::of_job(error).into());
            }
            job::number(answer.total_bytes_processed.as_deref())
                .ok_or_else(|| Fault::Form("BigQuery gave no estimate".to_owned()).into())
        })
    }

    /// What all queries so far have cost.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.tally.usage()
    }

    /// The request for a query.
    fn request(&mut self, tables: &[&TableName], query: &Query) -> QueryRequest {
        let remaining = self.deadline().saturating_duration_since(Instant::now());
        QueryRequest {
            query: query.sql.clone(),
            use_legacy_sql: false,
            parameter_mode: "NAMED",
            query_parameters: query
                .params
                .iter()
                .map(|(name, param)| QueryParameter::new(name, param))
                .collect(),
            default_dataset: tables.first().map(|table| DatasetReference {
                project_id: self.settings.project.clone(),
                dataset_id: table.dataset.to_string(),
            }),
            location: self.settings.location.clone(),
            timeout_ms: milliseconds(self.settings.pace.first_wait),
            // A job that outlives this process is not paid for longer than it was waited for.
            job_timeout_ms: Some(milliseconds(remaining).max(1).to_string()),
            maximum_bytes_billed: Some(self.settings.maximum_bytes_billed.to_string()),
            labels: labels(&self.options.labels),
            request_id: String::new(),
            dry_run: false,
            format_options: FormatOptions {
                use_int64_timestamp: true,
            },
        }
    }

    fn deadline(&mut self) -> Instant {
        let limit = self.options.deadline.unwrap_or(Options::DEFAULT_DEADLINE);
        *self.deadline.get_or_insert_with(|| Instant::now() + limit)
    }

    /// Does something on the network, within the deadline and until the caller asks to stop.
    fn work<T>(
        &mut self,
        job: impl AsyncFnOnce(&Http, &Watch<'_>) -> Result<T, Failure>,
    ) -> Result<T, WarehouseError> {
        if self.options.is_interrupted() {
            return Err(WarehouseError::Interrupted);
        }
        let started = Instant::now();
        let deadline = self.deadline();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            unconnected => unconnected.insert(connect(&self.settings)?),
        };
        let watch = Watch {
            deadline,
            limit: self.options.deadline.unwrap_or(Options::DEFAULT_DEADLINE),
            options: &self.options,
        };
        let done = connection.runtime.block_on(job(&connection.http, &watch));
        self.tally.elapsed += started.elapsed();
        done.map_err(|failure| failure.into_error(self.settings.maximum_bytes_billed))
    }
}

/// An answer to something that was asked ahead.
enum Ahead {
    Table(Result<Description, Failure>),
    Query(Result<Outcome, Failure>),
}

/// What a table is, or the tables that there are in its place.
type Description = Result<wire::Table, wire::TableList>;

/// Reads a table's description; if it `is_needed` and not there, the names that are.
async fn describe(
    http: &Http,
    watch: &Watch<'_>,
    table: &TableName,
    is_needed: bool,
) -> Result<Description, Failure> {
    let path = [
        "datasets",
        table.dataset.as_str(),
        "tables",
        table.table.as_str(),
    ];
    let fields = [("fields", "schema,timePartitioning")];
    let call = http.get(&path, &fields, Duration::ZERO)?;
    match watch.over(http.repeat::<wire::Table>(&call)).await? {
        Err(fault) if fault.is_not_found() && !is_needed => Ok(Err(wire::TableList::default())),
        Err(fault) if fault.is_not_found() => {
            let query = [("maxResults", "1000")];
            let call = http.get(&path[..3], &query, Duration::ZERO)?;
            let others = watch.over(http.once::<wire::TableList>(&call)).await?;
            Ok(Err(others.unwrap_or_default()))
        }
        answer => Ok(Ok(answer?)),
    }
}

fn columns_of(table: &TableName, description: Description) -> Result<Vec<Column>, WarehouseError> {
    match description {
        Ok(description) => {
            let partitions = description.time_partitioning;
            let fields = description.schema.unwrap_or_default().fields;
            if fields.is_empty() {
                return Err(WarehouseError::Query(format!(
                    "table {table} has no columns"
                )));
            }
            let mut columns: Vec<Column> = fields.iter().map(cell::column).collect();
            // Rows that are partitioned by the time of their loading have their day in a pseudocolumn.
            if partitions.is_some_and(|partitions| partitions.field.is_none()) {
                columns.push(Column {
                    name: "_PARTITIONDATE".to_owned(),
                    kind: crate::ColumnKind::Date,
                    data_type: "DATE".to_owned(),
                });
            }
            Ok(columns)
        }
        Err(others) => {
            let names = others
                .tables
                .iter()
                .map(|entry| &*entry.table_reference.table_id);
            Err(WarehouseError::TableMissing {
                table: table.clone(),
                nearest: nearest(table.table.as_str(), names).map(str::to_owned),
            })
        }
    }
}

fn connect(settings: &Settings) -> Result<Connection, WarehouseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| WarehouseError::Unreachable(format!("starting the network: {error}")))?;
    // Connections belong to the runtime that they are made in.
    let entered = runtime.enter();
    let http = Http::new(settings).map_err(|fault| fault.into_error(0))?;
    drop(entered);
    Ok(Connection { runtime, http })
}

/// Names the table in an error about it.
fn about(table: &TableName, error: WarehouseError) -> WarehouseError {
    match error {
        WarehouseError::Denied(denial, message) => {
            WarehouseError::Denied(denial, format!("table {table}: {message}"))
        }
        WarehouseError::Query(message) => {
            WarehouseError::Query(format!("table {table}: {message}"))
        }
        other => other,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The labels of a job: bf's own and the caller's, in the form that BigQuery takes: lower-case letters,
/// digits, `_` and `-`, at most 63 of them, a letter first in the key. Source: "Requirements for labels".
fn labels(given: &[(String, String)]) -> BTreeMap<String, String> {
    let clean = |text: &str| -> String {
        text.chars()
            .take(63)
            .map(|c| match c.to_ascii_lowercase() {
                c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => c,
                _ => '_',
            })
            .collect()
    };
    let given = given.iter().map(|(key, value)| (clean(key), clean(value)));
    std::iter::once(("tool".to_owned(), "bf".to_owned()))
        .chain(given.filter(|(key, _)| key.starts_with(|c: char| c.is_ascii_lowercase())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn labels_have_the_form_that_bigquery_takes() {
        let given = [
            ("Suite".to_owned(), "Team Offense".to_owned()),
            ("1st".to_owned(), "dropped".to_owned()),
            ("run".to_owned(), "x".repeat(100)),
        ];
        let labels = labels(&given);
        assert_eq!(labels["tool"], "bf");
        assert_eq!(labels["suite"], "team_offense");
        assert_eq!(labels["run"].len(), 63);
        assert_eq!(labels.len(), 3);
    }
}
