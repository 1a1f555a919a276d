//! One validation: read, judge, show.

use std::sync::Arc;

use bf_cli::{Failure, Format, Interrupts, Output, OutputArgs, Streams, Zone};
use bf_contract::{DateRange, Exit, Level, Provenance, ValidationReport, Verdict};
use bf_warehouse::{Engine, Options, Question, Request, Side, TableName, WarehouseError};
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::args::ValidateArgs;
use crate::columns::Columns;
use crate::evidence::{self, Limits};
use crate::expected::{self, Expectation};
use crate::judge::{Facts, judge};
use crate::log_checks;
use crate::log_input::LogInput;
use crate::metrics;
use crate::needs::{self, Needs};
use crate::outcome::{Finding, Outcome, Probe, SmallShares};
use crate::pairs::{self, Partnership};
use crate::report::{self, Judged, Judgement};
use crate::rerun;
use crate::scan::Scan;
use crate::scheduled::{self, Asked, Held};
use crate::suite::{DATE_CHECKS, Kind, Suite, min_success_rate, verify_levels};
use crate::text;

/// Validates one suite, and writes its metrics.
///
/// # Errors
/// Usage, or something that stands in the way of any verdict.
pub fn validate(suite: Suite, args: &ValidateArgs, streams: Streams) -> Result<Exit, Failure> {
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
        small: if args.no_small_numbers {
            SmallShares::Fail
        } else {
            SmallShares::Warn
        },
        provenance,
    };
    let judged = match run.judge(warehouse.as_mut()) {
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
pub fn draft(table: &str, args: &ValidateArgs, streams: Streams) -> Result<Exit, Failure> {
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

/// What is validated, and against what.
pub struct Run<'a> {
    /// The suite, with the config's thresholds and levels.
    pub suite: &'a Suite,
    /// The config.
    pub config: &'a bf_config::Config,
    /// The range.
    pub range: DateRange,
    /// What the log claims.
    pub log: Option<&'a LogInput>,
    /// When the phase began, in microseconds since 1970.
    pub since: Option<i64>,
    /// The day on which nothing can be complete yet.
    pub today: NaiveDate,
    /// The present, in microseconds since 1970.
    pub now: i64,
    /// How small shares are judged.
    pub small: SmallShares,
    /// What the report is made by and from.
    pub provenance: Provenance,
}

/// What was read, or why it was not.
struct Read {
    suite: Suite,
    columns: Columns,
    planned: needs::Planned,
    scan: Scan,
    expected: Expectation,
    partner: Partnership,
    scheduled: Vec<(String, Held)>,
    figures: Vec<(String, Result<f64, String>)>,
}

/// The name of a check of plain SQL, and the figure that it came to or why it came to none.
type NamedFigure = (String, Result<f64, String>);

impl Run<'_> {
    /// Judges every check. A table that does not answer makes its checks errors; the log's are judged all
    /// the same.
    ///
    /// # Errors
    /// Somebody asked to stop, or the deadline passed.
    pub fn judge(&self, warehouse: &mut dyn Engine) -> Result<Judgement, WarehouseError> {
        let min = min_success_rate(self.config, self.suite);
        let mut judged: Vec<Judged> = Vec::new();
        let mut missing_table = None;
        let mut days = Vec::new();
        let add_log_checks = |checks: Vec<log_checks::LogCheck>, judged: &mut Vec<Judged>| {
            for (name, level, finding) in checks {
                let level = self.level(name, level);
                judged.push(Judged::new(name, report::LOG_SECTION, level, finding));
            }
        };
        let read = self.read(warehouse);
        let found = read.as_ref().ok().map(|read| {
            let facts = self.facts(read);
            log_checks::Found {
                rows: facts.rows_by_date(),
                nothing_expected: facts.expects_nothing().is_some(),
                due: facts.due_by_others_than_the_log(),
            }
        });
        let found = found.as_ref();
        add_log_checks(
            log_checks::claims(self.log, self.suite, self.range, min, found),
            &mut judged,
        );
        let against = log_checks::against_the_table(self.log, self.suite, self.range, found);
        add_log_checks(against, &mut judged);
        match read {
            Ok(read) => {
                let facts = self.facts(&read);
                days = crate::days::days(&facts);
                self.judge_table(&facts, &read, warehouse, &mut judged)?;
                self.show(&read, warehouse, &mut judged)?;
            }
            Err(error) if error.ends_the_run() => {
                return Err(error);
            }
            Err(error) => {
                let unread = self.unread(&error);
                judged.extend(unread.checks);
                missing_table = unread.missing_table;
            }
        }
        Ok(Judgement {
            checks: judged,
            missing_table,
            days,
        })
    }

    /// What is said of a table that did not answer.
    pub(crate) fn unread(&self, error: &WarehouseError) -> Judgement {
        let hint = error
            .hint()
            .map_or_else(String::new, |hint| format!(" ({hint})"));
        let checks = self.suite.checks.iter().map(|check| {
            let finding = Finding::unknown(format!("{}: {error}{hint}", check.title));
            Judged::new(&check.name, &check.section, check.level, finding)
        });
        Judgement {
            checks: checks.collect(),
            missing_table: report::missing_table(error, self.suite),
            days: Vec::new(),
        }
    }

    /// The level of a check that no suite lists: the config's, else its own.
    fn level(&self, name: &str, own: Level) -> Level {
        let levels = self.config.levels.get(&self.suite.suite);
        levels
            .and_then(|levels| levels.get(name))
            .copied()
            .unwrap_or(own)
    }

    /// Everything that is read of the warehouse before anything is judged.
    fn read(&self, warehouse: &mut dyn Engine) -> Result<Read, WarehouseError> {
        let partner = self.suite.partner.iter().map(|partner| &partner.table);
        let schedules = self.suite.schedules.iter().map(|schedule| &schedule.table);
        let tables: Vec<Request<'_>> = std::iter::once(&self.suite.table)
            .chain(partner)
            .chain(schedules)
            .map(Request::Columns)
            .collect();
        warehouse.prepare(&tables);
        let columns = warehouse.columns(&self.suite.table)?;
        let suite = self.suite.resolved(&columns).into_owned();
        let suite = &suite;
        columns.require(&suite.table, [&suite.date_column])?;
        let planned = needs::plan(suite, &columns, self.range);
        let asked = suite
            .reference_range
            .map_or(self.range, |reference| DateRange {
                start: self.range.start.min(reference.start),
                end: self.range.end.max(reference.end),
            });
        let question = expected::Question {
            suite,
            config: self.config,
            log: self.log,
            read: asked,
            range: self.range,
            today: self.today,
        };
        self.ask_ahead(question, &planned, warehouse);
        let scan = warehouse.measure(&planned.plan)?;
        let expected = expected::find(question, warehouse)?;
        let partner = pairs::compare(suite, &planned, &scan, warehouse)?;
        let held = (&planned, &scan);
        let scheduled = scheduled::hold(suite, held, &expected, warehouse)?;
        let figures = self.own_figures(suite, &planned, warehouse)?;
        Ok(Read {
            suite: suite.clone(),
            columns,
            planned,
            scan,
            expected,
            partner,
            scheduled,
            figures,
        })
    }

    /// Names everything that is measured if nothing is wrong, so that an engine may ask for it at once.
    fn ask_ahead(
        &self,
        question: expected::Question<'_>,
        planned: &needs::Planned,
        warehouse: &mut dyn Engine,
    ) {
        let suite = question.suite;
        let schedule = expected::first_schedule(question, warehouse);
        let partner = pairs::comparisons(suite, planned, warehouse);
        let nothing = Scan::default();
        let mut requests = vec![Request::Measure(&planned.plan)];
        let mut sides = Vec::new();
        if let Some((plan, asked)) = &schedule {
            requests.push(Request::Measure(plan));
            for (here, there) in Asked::comparisons(suite, planned, asked) {
                let there = there.iter().map(|keys| Side::new(plan, &nothing, *keys));
                let here = Side::new(&planned.plan, &nothing, here);
                sides.push((here, there.collect::<Vec<_>>()));
            }
        }
        if let Some((plan, measures)) = &partner {
            for (here, there) in measures {
                let here = Side::new(&planned.plan, &nothing, *here);
                sides.push((here, vec![Side::new(plan, &nothing, *there)]));
            }
        }
        requests.extend(
            sides
                .iter()
                .map(|(here, there)| Request::Compare(*here, there)),
        );
        let checks = suite.checks.iter().zip(&planned.needs);
        for (check, needs) in checks {
            if let (Kind::Sql(own), Needs::Measures(_)) = (&check.kind, needs)
                && let Some(sql) = own.for_engine(warehouse.name())
            {
                requests.push(Request::Scalar(Question {
                    table: &suite.table,
                    sql,
                    range: self.range,
                }));
            }
        }
        warehouse.prepare(&requests);
    }

    fn facts<'a>(&'a self, read: &'a Read) -> Facts<'a> {
        Facts {
            suite: &read.suite,
            range: self.range,
            columns: &read.columns,
            planned: &read.planned,
            scan: &read.scan,
            expected: &read.expected,
            log: self.log,
            since: self.since,
            partner: &read.partner,
            scheduled: &read.scheduled,
            figures: &read.figures,
            today: self.today,
            now: self.now,
            small: self.small,
        }
    }

    fn judge_table(
        &self,
        facts: &Facts<'_>,
        read: &Read,
        warehouse: &mut dyn Engine,
        judged: &mut Vec<Judged>,
    ) -> Result<(), WarehouseError> {
        let unreadable = &read.scan.unreadable;
        let section = self
            .suite
            .checks
            .first()
            .map_or("", |check| check.section.as_str());
        if unreadable.rows > 0 {
            let finding = Finding::no(format!(
                "Readable dates: {} with a {} that is not a valid date ({})",
                crate::figures::plural(unreadable.rows, "record"),
                self.suite.date_column,
                match self.config.evidence.sample_rows {
                    0 => "not shown".to_owned(),
                    _ => unreadable
                        .examples
                        .iter()
                        .map(|text| bf_cli::text::printable(text, 30))
                        .collect::<Vec<_>>()
                        .join(", "),
                }
            ));
            judged.push(Judged::new(
                DATE_CHECKS[0],
                section,
                self.level(DATE_CHECKS[0], Level::Normal),
                finding,
            ));
        }
        if let Some(reason) = &unreadable.unknown {
            let text =
                format!("Readable dates: records without a date could not be counted: {reason}");
            judged.push(Judged::new(
                DATE_CHECKS[0],
                section,
                self.level(DATE_CHECKS[0], Level::Info),
                Finding::unknown(text),
            ));
        }
        if unreadable.with_time > 0 {
            let finding = Finding::no(format!(
                "Dates without a time: {} with a time part in {}, so `= DATE` does not find them",
                crate::figures::plural(unreadable.with_time, "record"),
                self.suite.date_column
            ))
            .on(unreadable.timed_days.iter().copied().collect());
            // A column of timestamps has a time in every row, and is meant so.
            let is_timestamps = unreadable.with_time >= facts.rows();
            let level = if is_timestamps {
                Level::Info
            } else {
                Level::Warning
            };
            judged.push(Judged::new(
                DATE_CHECKS[1],
                section,
                self.level(DATE_CHECKS[1], level),
                finding,
            ));
        }
        for (at, check) in read.suite.checks.iter().enumerate() {
            let mut finding = judge(facts, at);
            // Equal hashes are not yet equal keys: the table has the last word. No rows have no duplicates
            // either, and that stays no data.
            let has_duplicates = finding.observed().is_some_and(|surplus| surplus > 0.0);
            if check.kind == Kind::UniqueKey && has_duplicates {
                finding.dates = self.duplicates(&finding, read, warehouse)?;
                if finding.dates.is_empty() {
                    let threshold = finding.threshold();
                    let message = format!("{}: none", check.title);
                    finding = Finding::compared(0.0, threshold, message);
                }
            }
            judged.push(Judged::new(
                &check.name,
                &check.section,
                check.level,
                finding,
            ));
        }
        warehouse.verify_unchanged()
    }

    fn duplicates(
        &self,
        finding: &Finding,
        read: &Read,
        warehouse: &mut dyn Engine,
    ) -> Result<Vec<NaiveDate>, WarehouseError> {
        let limits = Limits {
            columns: None,
            rows: 0,
            characters: 0,
        };
        let shown = evidence::look(
            &read.suite,
            &read.planned.plan.table,
            self.range,
            finding,
            limits,
            warehouse,
        )?;
        Ok(shown.dates)
    }

    /// The evidence of every counted check that is not content.
    fn show(
        &self,
        read: &Read,
        warehouse: &mut dyn Engine,
        judged: &mut [Judged],
    ) -> Result<(), WarehouseError> {
        let limits = Limits {
            columns: self.config.evidence.columns.as_deref(),
            rows: self.config.evidence.sample_rows,
            characters: self.config.evidence.value_characters as usize,
        };
        for check in judged {
            let outcome = check.finding.outcome();
            let shows = matches!(outcome, Outcome::Fail | Outcome::Warn | Outcome::Error)
                && check.level.counts();
            if shows {
                self.name_what_is_missing(read, check, limits, warehouse)?;
                check.shown = evidence::look(
                    &read.suite,
                    &read.planned.plan.table,
                    self.range,
                    &check.finding,
                    limits,
                    warehouse,
                )?;
            }
        }
        Ok(())
    }

    /// Names the groups that a schedule has and the table lacks.
    fn name_what_is_missing(
        &self,
        read: &Read,
        check: &mut Judged,
        limits: Limits<'_>,
        warehouse: &mut dyn Engine,
    ) -> Result<(), WarehouseError> {
        let (Some(Probe::OfSchedule { .. }), Expectation::Known(expected)) =
            (&check.finding.probe, &read.expected)
        else {
            return Ok(());
        };
        let group = read.suite.group.as_ref();
        if !group.is_some_and(|group| limits.shows(group.column.as_str())) {
            return Ok(());
        }
        let Some(schedule) = &expected.schedule else {
            return Ok(());
        };
        let dates = &check.finding.dates;
        let named = crate::missing::names(
            &read.suite,
            &read.planned.plan.table,
            schedule,
            dates,
            warehouse,
        );
        let names = match named {
            Ok(names) => names,
            Err(error) if error.ends_the_run() => return Err(error),
            Err(_) => return Ok(()),
        };
        if names.is_empty() {
            return Ok(());
        }
        let first: Vec<&str> = names
            .iter()
            .take(5)
            .map(|(_, name)| name.as_str())
            .collect();
        let first = bf_cli::text::printable(&first.join(", "), 200);
        let more = if names.len() > 5 { " …" } else { "" };
        check
            .finding
            .message
            .push_str(&format!("; missing: {first}{more}"));
        let group = read
            .suite
            .group
            .as_ref()
            .map_or("", |group| group.column.as_str());
        for row in &mut check.finding.rows {
            let date = row.get("date").cloned().flatten();
            let of_date = names
                .iter()
                .filter(|(day, _)| Some(day.to_string()) == date);
            let missing: Vec<&str> = of_date.map(|(_, name)| name.as_str()).collect();
            if !missing.is_empty() {
                let text = bf_cli::text::printable(&missing.join(", "), 200);
                row.insert(group.to_owned(), Some(text));
            }
        }
        Ok(())
    }

    /// The figures of the suite's own queries.
    fn own_figures(
        &self,
        suite: &Suite,
        planned: &needs::Planned,
        warehouse: &mut dyn Engine,
    ) -> Result<Vec<NamedFigure>, WarehouseError> {
        let mut figures = Vec::new();
        for (check, needs) in suite.checks.iter().zip(&planned.needs) {
            let (Kind::Sql(own), Needs::Measures(_)) = (&check.kind, needs) else {
                continue;
            };
            let name = warehouse.name();
            let Some(sql) = own.for_engine(name) else {
                figures.push((check.name.clone(), Err(format!("no query for {name}"))));
                continue;
            };
            let question = Question {
                table: &suite.table,
                sql,
                range: self.range,
            };
            let figure = match warehouse.scalar(&question) {
                Ok(value) => value
                    .as_number()
                    .ok_or_else(|| format!("its query returned {value}, not a number")),
                Err(error) if error.ends_the_run() => return Err(error),
                Err(error) => Err(error.to_string()),
            };
            figures.push((check.name.clone(), figure));
        }
        Ok(figures)
    }
}
