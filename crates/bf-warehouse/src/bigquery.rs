//! BigQuery over REST.
//!
//! The engine waits on the network, so it has a runtime of its own: one thread, made with the first query.
//! What each part does: `settings` says where and how patiently, `http` sends one request and repeats it,
//! `retry` decides on repeating, `job` runs one query to its last row, `wire` and `cell` read and write the
//! bodies, `auth` finds credentials, `fault` says what went wrong.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::{Column, Options, Query, Rows, TableName, Usage, WarehouseError, nearest};

mod auth;
mod cell;
mod fault;
mod http;
mod job;
mod retry;
mod settings;
mod usage;
mod wire;

pub use settings::{Endpoint, Identity, Pace, Settings};

use fault::Fault;
use http::Http;
use job::{Failure, Watch};
use usage::Tally;
use wire::{DatasetReference, FormatOptions, QueryAnswer, QueryParameter, QueryRequest};

/// A BigQuery project.
pub struct BigQuery {
    settings: Settings,
    options: Options,
    connection: Option<Connection>,
    /// When all queries must be done; runs from the first one.
    deadline: Option<Instant>,
    tally: Tally,
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

impl Drop for BigQuery {
    fn drop(&mut self) {
        // A search for credentials that took too long still blocks its thread; nobody waits for it.
        if let Some(connection) = self.connection.take() {
            connection.runtime.shutdown_background();
        }
    }
}

impl BigQuery {
    /// The project of a `bigquery://` URL. Nothing is sent yet.
    pub(crate) fn open(
        project: String,
        location: Option<String>,
        maximum_bytes_billed: Option<u64>,
        options: Options,
    ) -> Result<Self, WarehouseError> {
        let settings = Settings::new(project, location, maximum_bytes_billed)?;
        Ok(Self::with_settings(settings, options))
    }

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
        }
    }

    /// The columns of a table, in order. Reads the table's description, which costs nothing.
    ///
    /// # Errors
    /// [`WarehouseError::TableMissing`], [`WarehouseError::Denied`], or BigQuery did not answer.
    pub fn columns(&mut self, table: &TableName) -> Result<Vec<Column>, WarehouseError> {
        let (dataset, name) = (table.dataset.as_str(), table.table.as_str());
        let description = self.work(async |http, watch| {
            let path = ["datasets", dataset, "tables", name];
            let call = http.get(&path, &[("fields", "schema")], Duration::ZERO)?;
            match watch.over(http.repeat::<wire::Table>(&call)).await? {
                Err(fault) if fault.is_not_found() => {
                    let query = [("maxResults", "1000")];
                    let call = http.get(&path[..3], &query, Duration::ZERO)?;
                    let others = watch.over(http.once::<wire::TableList>(&call)).await?;
                    Ok(Err(others.unwrap_or_default()))
                }
                answer => Ok(Ok(answer?)),
            }
        });
        self.tally.queries += 1;
        match description.map_err(|error| about(table, error))? {
            Ok(description) => {
                let fields = description.schema.unwrap_or_default().fields;
                if fields.is_empty() {
                    return Err(WarehouseError::Query(format!(
                        "table {table} has no columns"
                    )));
                }
                Ok(fields.iter().map(cell::column).collect())
            }
            Err(others) => {
                let names = others
                    .tables
                    .iter()
                    .map(|entry| &*entry.table_reference.table_id);
                Err(WarehouseError::TableMissing {
                    table: table.clone(),
                    nearest: nearest(name, names).map(str::to_owned),
                })
            }
        }
    }

    /// Runs one query and returns all its rows.
    ///
    /// # Errors
    /// BigQuery refuses the query or did not answer; somebody asked to stop; the deadline passed.
    pub fn query(&mut self, tables: &[&TableName], query: &Query) -> Result<Rows, WarehouseError> {
        let mut request = self.request(tables, query);
        let pace = self.settings.pace;
        let outcome =
            self.work(async |http, watch| job::run(http, &mut request, &pace, watch).await);
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
    pub fn estimate(
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

    /// Does something on the network, within the deadline and until somebody asks to stop.
    fn work<T>(
        &mut self,
        job: impl AsyncFnOnce(&mut Http, &Watch<'_>) -> Result<T, Failure>,
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
        let done = connection
            .runtime
            .block_on(job(&mut connection.http, &watch));
        self.tally.elapsed += started.elapsed();
        done.map_err(|failure| failure.into_error(self.settings.maximum_bytes_billed))
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
        WarehouseError::Denied(message) => {
            WarehouseError::Denied(format!("table {table}: {message}"))
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
