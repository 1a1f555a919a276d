//! One query as a BigQuery job: started, waited for, read page by page, cancelled when the caller stops waiting.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::cell;
use super::fault::Fault;
use super::http::Http;
use super::retry::{Backoff, Next, random};
use super::settings::Pace;
use super::wire::{self, JobReference, QueryAnswer, QueryRequest, Schema};
use crate::{Options, Rows, WarehouseError};

/// How long a cancellation may take: the caller waits for the end.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// How often an answer of "not found" is not believed.
const SPURIOUS: u32 = 2;

/// How often the caller is asked whether to stop: the callback has no descriptor to wait on.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(100);

/// What ends the waiting before the job ends.
pub(super) struct Watch<'a> {
    /// When all queries must be done.
    pub deadline: Instant,
    /// How long that is from the first query, for the message.
    pub limit: Duration,
    /// Who may ask to stop.
    pub options: &'a Options,
}

/// What a job came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Its rows.
    pub rows: Rows,
    /// Its name; `None` only from a server that gives none.
    pub job_id: Option<String>,
    /// Bytes read.
    pub bytes_processed: Option<u64>,
    /// Bytes charged for.
    pub bytes_billed: Option<u64>,
    /// Whether the answer came from the cache.
    pub cache_hit: Option<bool>,
}

/// Why a job came to nothing.
pub(super) enum Failure {
    /// A request failed.
    Fault(Fault),
    /// The caller asked to stop.
    Interrupted,
    /// The deadline passed.
    TimedOut(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Failure {
    /// The error as a caller of the warehouse gets it.
    pub(super) fn into_error(self, bytes_limit: u64) -> WarehouseError {
        match self {
            Self::Fault(fault) => fault.into_error(bytes_limit),
            Self::Interrupted => WarehouseError::Interrupted,
            Self::TimedOut(message) => WarehouseError::TimedOut(message),
        }
    }
}

impl Watch<'_> {
    /// Waits for `work`, no longer than the deadline and until the caller asks to stop.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] or [`Failure::TimedOut`]; `work` is then left as it is.
    pub(super) async fn over<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        tokio::select! {
            biased;
            output = work => Ok(output),
            () = self.interrupted() => Err(Failure::Interrupted),
            () = tokio::time::sleep_until(self.deadline.into()) => Err(Failure::TimedOut(format!(
                "BigQuery did not answer within {}", seconds(self.limit)
            ))),
        }
    }

    async fn interrupted(&self) {
        while !self.options.is_interrupted() {
            tokio::time::sleep(INTERRUPT_INTERVAL).await;
        }
    }
}

/// A length of time for people, without a fraction if it has none.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Runs the query and reads all its rows; a job that broke for BigQuery's own reasons is followed by
/// another.
///
/// # Errors
/// The last fault, or the reason to stop waiting. A job that may still run is cancelled.
pub(super) async fn run(
    http: &Http,
    request: &mut QueryRequest,
    pace: &Pace,
    watch: &Watch<'_>,
) -> Result<Outcome, Failure> {
    let mut backoff = Backoff::new(pace);
    loop {
        request.request_id = request_id();
        let failure = match run_once(http, request, pace, watch).await {
            Ok(outcome) => return Ok(outcome),
            Err(failure) => failure,
        };
        let Failure::Fault(fault) = &failure else {
            return Err(failure);
        };
        if fault.next() != Next::NewJob {
            return Err(failure);
        }
        let Some(delay) = backoff.delay() else {
            return Err(failure);
        };
        watch.over(tokio::time::sleep(delay)).await?;
    }
}

/// A name that no other request has, of the 36 characters that are allowed.
fn request_id() -> String {
    format!("bf-{:016x}{:016x}", random(), random())
}

async fn run_once(
    http: &Http,
    request: &QueryRequest,
    pace: &Pace,
    watch: &Watch<'_>,
) -> Result<Outcome, Failure> {
    let first = start(http, request, pace, watch).await?;
    let job = job_of(&first, request);
    let mut reading = Reading {
        http,
        job: &job,
        pace,
        outcome: Outcome {
            job_id: job.job_id.clone(),
            ..Outcome::default()
        },
        is_complete: false,
    };
    let read = watch.over(reading.all(first)).await;
    let (outcome, is_complete) = (reading.outcome, reading.is_complete);
    if !is_complete {
        cancel(http, &job).await;
    }
    match read {
        Ok(Ok(())) => Ok(outcome),
        Ok(Err(fault)) => Err(fault.into()),
        Err(Failure::TimedOut(message)) => Err(Failure::TimedOut(match &job.job_id {
            Some(id) if !is_complete => format!("{message}; job {id} was cancelled"),
            _ => message,
        })),
        Err(failure) => Err(failure),
    }
}

/// Sends the query until it is answered. When the caller asks to stop, the answer on its way is still taken,
/// as only it names the job that is to be cancelled.
async fn start(
    http: &Http,
    request: &QueryRequest,
    pace: &Pace,
    watch: &Watch<'_>,
) -> Result<QueryAnswer, Failure> {
    let call = http.post(&["queries"], &[], Some(request), pace.first_wait)?;
    let mut backoff = Backoff::new(pace);
    let mut spurious = SPURIOUS;
    loop {
        let stopped = {
            let mut sent = pin!(http.once::<QueryAnswer>(&call));
            match watch.over(&mut sent).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(fault)) => Err(fault),
                Err(stop) => Ok((stop, tokio::time::timeout(pace.first_wait, sent).await)),
            }
        };
        match stopped {
            Ok((stop, late)) => {
                if let Ok(Ok(answer)) = late
                    && !answer.job_complete
                {
                    cancel(http, &job_of(&answer, request)).await;
                }
                return Err(stop);
            }
            Err(fault) => {
                // The tables are known to exist, so that in a named location such an answer is mostly not true.
                let is_spurious =
                    fault.is_not_found() && request.location.is_some() && spurious > 0;
                spurious -= u32::from(is_spurious);
                let delay = (is_spurious || fault.next() == Next::Again)
                    .then(|| backoff.delay())
                    .flatten();
                let Some(delay) = delay else {
                    return Err(fault.into());
                };
                watch.over(tokio::time::sleep(delay)).await?;
            }
        }
    }
}

/// The job of an answer; its location is that of the request where the server does not repeat it.
fn job_of(answer: &QueryAnswer, request: &QueryRequest) -> JobReference {
    let job = answer.job_reference.clone().unwrap_or_default();
    JobReference {
        location: job.location.or_else(|| request.location.clone()),
        ..job
    }
}

/// Asks BigQuery to end a job. Whether it worked changes nothing for the caller.
async fn cancel(http: &Http, job: &JobReference) {
    let Some(id) = &job.job_id else {
        return;
    };
    let path = ["jobs", id, "cancel"];
    if let Ok(call) = http.post(&path, &location(job), None::<&()>, Duration::ZERO) {
        let sent = http.once::<serde::de::IgnoredAny>(&call);
        let _ = tokio::time::timeout(CANCEL_LIMIT, sent).await;
    }
}

fn location(job: &JobReference) -> Vec<(&'static str, &str)> {
    job.location
        .iter()
        .map(|name| ("location", name.as_str()))
        .collect()
}

/// A job that is being read. Kept outside the waiting, so that what is known when it is broken off is known.
struct Reading<'a> {
    http: &'a Http,
    job: &'a JobReference,
    pace: &'a Pace,
    outcome: Outcome,
    is_complete: bool,
}

impl Reading<'_> {
    /// Waits for the end of the job and reads all pages.
    async fn all(&mut self, first: QueryAnswer) -> Result<(), Fault> {
        let mut answer = self.wait(first).await?;
        let form = |what: &str| Fault::Form(format!("BigQuery's answer has no {what}"));
        let schema = answer.schema.take().ok_or_else(|| form("schema"))?;
        self.outcome.rows.columns = schema
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect();
        self.outcome.bytes_processed = number(answer.total_bytes_processed.as_deref());
        self.outcome.bytes_billed = number(answer.total_bytes_billed.as_deref());
        self.outcome.cache_hit = answer.cache_hit;
        let total = number(answer.total_rows.as_deref()).ok_or_else(|| form("totalRows"))?;
        loop {
            self.take_rows(&schema, std::mem::take(&mut answer.rows))?;
            let Some(token) = answer.page_token.take().filter(|token| !token.is_empty()) else {
                break;
            };
            answer = self.ask(&[("pageToken", &token)], Duration::ZERO).await?;
            if !answer.job_complete {
                return Err(Fault::Form(
                    "BigQuery forgot a job while it was read".to_owned(),
                ));
            }
        }
        let read = self.outcome.rows.rows.len() as u64;
        if read != total {
            return Err(Fault::Form(format!("BigQuery gave {read} of {total} rows")));
        }
        self.fill_in_the_bill().await;
        Ok(())
    }

    /// Asks until the job is complete. The server does the waiting; one that answers at once is asked less
    /// and less often.
    async fn wait(&mut self, first: QueryAnswer) -> Result<QueryAnswer, Fault> {
        let mut answer = first;
        let mut backoff = Backoff::new(self.pace);
        let wait = self.pace.wait.as_millis().to_string();
        loop {
            if let Some(error) = std::mem::take(&mut answer.errors).into_iter().next() {
                self.is_complete = answer.job_complete;
                return Err(Fault::of_job(error));
            }
            if answer.job_complete {
                self.is_complete = true;
                return Ok(answer);
            }
            let asked = Instant::now();
            answer = self.ask(&[("timeoutMs", &wait)], self.pace.wait).await?;
            if !answer.job_complete {
                let pause = backoff.step();
                tokio::time::sleep(pause.saturating_sub(asked.elapsed())).await;
            }
        }
    }

    async fn ask(
        &mut self,
        query: &[(&str, &str)],
        server_waits: Duration,
    ) -> Result<QueryAnswer, Fault> {
        let Some(id) = &self.job.job_id else {
            return Err(Fault::Form(
                "BigQuery started a job and did not name it".to_owned(),
            ));
        };
        let mut query = query.to_vec();
        query.extend(location(self.job));
        query.push(("formatOptions.useInt64Timestamp", "true"));
        let call = self.http.get(&["queries", id], &query, server_waits)?;
        let mut backoff = Backoff::new(self.pace);
        let mut left = SPURIOUS;
        loop {
            match self.http.repeat(&call).await {
                // A job that was just started may not be known everywhere.
                Err(fault) if fault.is_not_found() && left > 0 => {
                    left -= 1;
                    tokio::time::sleep(backoff.step()).await;
                }
                answer => return answer,
            }
        }
    }

    fn take_rows(&mut self, schema: &Schema, rows: Vec<wire::Row>) -> Result<(), Fault> {
        self.outcome.rows.rows.reserve(rows.len());
        for row in rows {
            if row.f.len() != schema.fields.len() {
                return Err(Fault::Form(format!(
                    "BigQuery gave a row of {} values for {} columns",
                    row.f.len(),
                    schema.fields.len()
                )));
            }
            let values = schema.fields.iter().zip(row.f);
            let values = values.map(|(field, cell)| cell::value(field, cell.v));
            let values = values.collect::<Result<_, _>>().map_err(Fault::Form)?;
            self.outcome.rows.rows.push(values);
        }
        Ok(())
    }

    /// What the job was charged, where the answer did not say. Costs a request, and no answer is no harm.
    async fn fill_in_the_bill(&mut self) {
        if self.outcome.bytes_billed.is_some() {
            return;
        }
        if self.outcome.cache_hit == Some(true) {
            self.outcome.bytes_billed = Some(0);
        } else if let Some(id) = &self.job.job_id {
            let mut query = location(self.job);
            query.push(("fields", "statistics"));
            let Ok(call) = self.http.get(&["jobs", id], &query, Duration::ZERO) else {
                return;
            };
            let job = self.http.once::<wire::Job>(&call).await;
            let billed = job
                .ok()
                .and_then(|job| job.statistics.query.total_bytes_billed);
            self.outcome.bytes_billed = number(billed.as_deref());
        }
    }
}

/// A whole number of 64 bits, which travels as text.
pub(super) fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}
