//! The program: from flags to a report and an exit code.

use std::sync::Arc;

use bf_cli::{Failure, Format, Interrupts, Output, OutputArgs, Streams, Zone};
use bf_contract::{Exit, Provenance, ValidationReport, Verdict};
use bf_warehouse::{Engine, Options, Request, TableName, WarehouseError};
use sha2::{Digest, Sha256};

use crate::args::ValidateArgs;
use crate::log_input::LogInput;
use crate::outcome::SmallShares;
use crate::request::Run;
use crate::suite::{Suite, verify_levels};
use crate::{metrics, report, rerun, text};

/// Validates one suite, and writes its metrics.
///
/// # Errors
/// Usage, or something that stands in the way of any verdict.
pub(crate) fn validate(
    suite: Suite,
    args: &ValidateArgs,
    streams: Streams,
) -> Result<Exit, Failure> {
    let began = chrono::Utc::now();
    let path = args.metrics.path()?.filter(|_| !args.explain);
    let mut report = None;
    let result = report_on(&suite, args, streams, &mut report);
    let Some(path) = path else {
        return result;
    };
    let exit = match &result {
        Ok(exit) => *exit,
        Err(failure) => failure.exit,
    };
    match metrics::write(&path, &suite, began, exit, report.as_ref()) {
        // A monitor that is not told is no reason to pass, or to hide what the table says.
        Err(failure) if exit.is_success() => Err(failure),
        _ => result,
    }
}

fn report_on(
    suite: &Suite,
    args: &ValidateArgs,
    streams: Streams,
    reported: &mut Option<ValidationReport>,
) -> Result<Exit, Failure> {
    let now = chrono::Utc::now();
    let zone = suite.timezone()?;
    let range = args.range.resolve(now, zone.as_ref())?;
    let here = args.range.timezone.clone().or(zone);
    let today = here.unwrap_or_else(Zone::local).today(now);
    let now = now.timestamp_micros();
    let since = args.since()?;
    let loaded = bf_config::load(&args.config)?;
    verify_levels(&loaded, suite)?;
    rerun::verify(&loaded, suite)?;
    let suite = suite.clone().configured(&loaded.config)?;
    let mut provenance = Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: Some(bf_cli::COMMIT.to_owned()).filter(|commit| !commit.is_empty()),
        suite_hash: Some(hash(&format!("{suite:?}"))),
        config_hash: loaded.path.as_ref().map(|_| hash(&loaded.text)),
        ..Provenance::default()
    };
    let (interrupts, url, mut warehouse) = open(&loaded, args)?;
    provenance.warehouse = Some(url.clone());
    let (mut output, stdin) = if args.explain {
        Output::view(&args.output, streams)
    } else {
        Output::new(&args.output, streams)
    };
    if args.explain {
        let run = Run {
            suite: &suite,
            config: &loaded.config,
            range,
            log: None,
            since: None,
            today,
            now,
            small: SmallShares::default(),
            provenance,
        };
        return crate::explain::explain(&run, warehouse.as_mut(), &mut output);
    }
    let log = args
        .log_summary
        .as_deref()
        .map(|path| LogInput::read(path, stdin))
        .transpose()?;
    let since = since.or_else(|| log.as_ref().and_then(|log| log.started_at));
    // Not before the log has ended: what is read then must be what the job wrote.
    prepare(&suite, warehouse.as_mut());
    // A table that does not answer is for the checks.
    if let Ok(columns) = warehouse.columns(&suite.table) {
        suite.verify_columns(&columns)?;
    }
    if let Some(partner) = &suite.partner
        && let Ok(columns) = warehouse.columns(&partner.table)
    {
        suite.verify_partner(&columns)?;
    }
    output.text(text::heading(
        &suite,
        range,
        &url,
        &loaded.describe(),
        output.style(),
    ))?;

    let run = Run {
        suite: &suite,
        config: &loaded.config,
        range,
        log: log.as_ref(),
        since: since.map(|time| time.timestamp_micros()),
        today,
        now,
        small: SmallShares::of(range, !args.no_small_numbers),
        provenance,
    };
    let judged = match crate::run::judge(&run, warehouse.as_mut()) {
        Ok(judged) => judged,
        Err(error) => return Err(stopped(&interrupts, &error)),
    };
    let mut document = report::document(&run, &judged, warehouse.as_ref());
    let checks = &judged.checks;
    let is_answered = checks.iter().all(|check| !check.is_unanswered());
    let exit = exit(document.verdict, is_answered, args.strict);
    document.exit_code = Some(exit.code());
    output.text(text::report(&run, checks, &document, output.style()))?;
    output.document(&document)?;
    *reported = Some(document);
    Ok(exit)
}

/// Prints a suite to start from for a table.
///
/// # Errors
/// Usage, or the table did not answer.
pub(crate) fn draft(table: &str, args: &ValidateArgs, streams: Streams) -> Result<Exit, Failure> {
    let table: TableName = table
        .parse()
        .map_err(|error| Failure::usage(format!("--draft: {error}")))?;
    let now = chrono::Utc::now();
    let today = args
        .range
        .timezone
        .clone()
        .unwrap_or_else(Zone::local)
        .today(now);
    let given = &args.range;
    let is_given = [
        &given.start,
        &given.end,
        &given.start_date,
        &given.end_date,
        &given.last,
    ];
    let range = match is_given.iter().any(|given| given.is_some()) {
        true => Some(given.resolve(now, None)?),
        false => None,
    };
    let loaded = bf_config::load(&args.config)?;
    let (interrupts, _, mut warehouse) = open(&loaded, args)?;
    // The suite is the result, whoever reads it.
    let as_text = OutputArgs {
        format: Format::Text,
        ..args.output
    };
    let (mut output, _) = Output::new(&as_text, streams);
    crate::draft::draft(&table, range, today, warehouse.as_mut(), &mut output).map_err(|failure| {
        match interrupts.pending() {
            Some(_) => stopped(&interrupts, &WarehouseError::Interrupted),
            None => failure,
        }
    })
}

/// What listens for signals, a warehouse's URL, and the warehouse.
type Opened = (Arc<Interrupts>, String, Box<dyn Engine>);

/// Opens the warehouse of the flag, the environment or the config.
fn open(loaded: &bf_config::Loaded, args: &ValidateArgs) -> Result<Opened, Failure> {
    let interrupts = Arc::new(Interrupts::install()?);
    let asked = Arc::clone(&interrupts);
    let options = Options {
        interrupted: Some(Arc::new(move || asked.pending().is_some())),
        ..Options::default()
    };
    let url = loaded
        .config
        .warehouse_url(args.warehouse.warehouse.as_deref())
        .to_owned();
    let warehouse = bf_warehouse::open(&url, options).map_err(|error| match error {
        WarehouseError::Url { .. } => failure(Exit::Usage, &error),
        error => failure(Exit::CouldNotCheck, &error),
    })?;
    Ok((interrupts, url, warehouse))
}

/// Names the tables whose columns are going to be asked for.
fn prepare(suite: &Suite, warehouse: &mut dyn Engine) {
    let partner = suite.partner.iter().map(|partner| &partner.table);
    let needed = std::iter::once(&suite.table).chain(partner);
    let schedules = suite.schedules.iter().map(|schedule| &schedule.table);
    let tables: Vec<Request<'_>> = needed
        .map(Request::Columns)
        .chain(schedules.map(Request::Candidate))
        .collect();
    warehouse.prepare(&tables);
}

/// A hash of a text, as 64 hexadecimal digits.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The exit code; `strict` also wants every question answered that was asked.
fn exit(verdict: Verdict, is_answered: bool, strict: bool) -> Exit {
    match verdict {
        Verdict::Pass if strict && !is_answered => Exit::Failed,
        Verdict::Pass => Exit::Success,
        Verdict::Warn if strict => Exit::Failed,
        Verdict::Warn => Exit::Success,
        Verdict::Error | Verdict::Unknown => Exit::CouldNotCheck,
        Verdict::Fail => Exit::Failed,
    }
}

fn failure(exit: Exit, error: &WarehouseError) -> Failure {
    let failure = Failure::new(exit, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What ends the run before a verdict: a signal, or the deadline.
fn stopped(interrupts: &Interrupts, error: &WarehouseError) -> Failure {
    match interrupts.pending() {
        Some(signal) => Failure::new(
            signal.exit(),
            format!("interrupted by {}; nothing was judged", signal.name()),
        ),
        None => failure(Exit::CouldNotCheck, error),
    }
}
