//! One validation: plan, measure, judge, show.

use std::collections::BTreeMap;

use bf_contract::{DateRange, Level};
use bf_warehouse::{Engine, Question, Request, Scan, Side, WarehouseError};

use crate::checks::{self, Context, Facts, Planned};
use crate::evidence::{Limits, Sampling};
use crate::expected::{self, Expectation};
use crate::figures::plural;
use crate::log_checks;
use crate::outcome::{Finding, Outcome};
use crate::pairs::{self, Partnership};
use crate::report::{self, Judged, Judgement};
use crate::request::Run;
use crate::scheduled::{self, ScheduleComparison, ScheduleKeys};
use crate::suite::reserved::{PLAIN_DATES, READABLE_DATES};
use crate::suite::{Suite, min_success_rate};

/// What was read.
struct Read {
    suite: Suite,
    planned: Planned,
    scan: Scan,
    expected: Expectation,
    partner: Partnership,
    scheduled: Vec<ScheduleComparison>,
    figures: Vec<Result<f64, String>>,
}

/// Judges every check. A table that does not answer makes its checks errors; the log's are judged all the same.
///
/// # Errors
/// An interrupt, or the deadline.
pub(crate) fn judge(
    run: &Run<'_>,
    warehouse: &mut dyn Engine,
) -> Result<Judgement, WarehouseError> {
    let read = match read(run, warehouse) {
        Err(error) if error.ends_the_run() => return Err(error),
        read => read,
    };
    let facts = read.as_ref().ok().map(|read| facts(run, read));
    let found = facts.as_ref().map(|facts| log_checks::Found {
        rows: facts.rows_by_date(),
        nothing_expected: facts.expects_nothing().is_some(),
        due: facts.due_by_others_than_the_log(),
    });
    let mut judgement = Judgement::default();
    let min = min_success_rate(run.config, run.suite);
    let claims = log_checks::claims(run.log, run.suite, run.range, min, found.as_ref());
    let others = log_checks::against_the_table(run.log, run.suite, run.range, found.as_ref());
    for (name, level, finding) in claims.into_iter().chain(others) {
        let level = run.level(name, level);
        let judged = Judged::new(name, report::LOG_SECTION, level, finding);
        judgement.checks.push(judged);
    }
    match (&read, &facts) {
        (Ok(read), Some(facts)) => {
            judgement.days = crate::days::days(facts);
            judgement.checks.extend(date_checks(run, read));
            let mut sampling = Sampling {
                suite: &read.suite,
                table: &read.planned.plan.table,
                range: run.range,
                limits: limits(run),
                warehouse,
            };
            for at in 0..read.suite.checks.len() {
                judgement
                    .checks
                    .push(one((read, facts), at, &mut sampling)?);
            }
            sampling.warehouse.verify_unchanged()?;
            show(&mut judgement.checks, &mut sampling)?;
        }
        (Err(error), _) => {
            let unread = unread(run, error);
            judgement.checks.extend(unread.checks);
            judgement.missing_table = unread.missing_table;
        }
        (Ok(_), None) => {}
    }
    Ok(judgement)
}

fn limits<'a>(run: &Run<'a>) -> Limits<'a> {
    Limits {
        columns: run.config.evidence.columns.as_deref(),
        rows: run.config.evidence.sample_rows,
        characters: run.config.evidence.value_characters as usize,
    }
}

fn is_bad(finding: &Finding) -> bool {
    matches!(
        finding.outcome(),
        Outcome::Fail | Outcome::Warn | Outcome::Error
    )
}

/// Judges one check of the suite, and looks further into what is not a pass.
fn one(
    (read, facts): (&Read, &Facts<'_>),
    at: usize,
    sampling: &mut Sampling<'_>,
) -> Result<Judged, WarehouseError> {
    let check = &read.suite.checks[at];
    let mut finding = read.planned.judged(check, at, facts);
    if let Some(judge) = read.planned.judge(at).filter(|_| is_bad(&finding)) {
        let context = Context { facts, check };
        finding = judge.sample(&context, finding, sampling)?;
    }
    Ok(Judged::new(
        &check.name,
        &check.section,
        check.level,
        finding,
    ))
}

/// The evidence of every counted check that is not a pass.
fn show(judged: &mut [Judged], sampling: &mut Sampling<'_>) -> Result<(), WarehouseError> {
    for check in judged {
        if is_bad(&check.finding) && check.level.counts() {
            check.shown = sampling.look(&check.finding)?;
        }
    }
    Ok(())
}

/// What is reported of a table that did not answer.
pub(crate) fn unread(run: &Run<'_>, error: &WarehouseError) -> Judgement {
    let hint = error
        .hint()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    let checks = run.suite.checks.iter().map(|check| {
        let finding = Finding::unknown(format!("{}: {error}{hint}", check.title));
        Judged::new(&check.name, &check.section, check.level, finding)
    });
    Judgement {
        checks: checks.collect(),
        missing_table: report::missing_table(error, run.suite),
        days: Vec::new(),
    }
}

/// Everything that is read of the warehouse before anything is judged.
fn read(run: &Run<'_>, warehouse: &mut dyn Engine) -> Result<Read, WarehouseError> {
    let columns = warehouse.columns(&run.suite.table)?;
    let suite = run.suite.resolved(&columns);
    columns.require(&suite.table, [&suite.date_column])?;
    let planned = checks::plan(&suite, &columns, run.range);
    let asked = suite
        .reference_range
        .map_or(run.range, |reference| DateRange {
            start: run.range.start.min(reference.start),
            end: run.range.end.max(reference.end),
        });
    let question = expected::Question {
        suite: &suite,
        calendar: suite.calendar(),
        config: run.config,
        log: run.log,
        read: asked,
        range: run.range,
        scheduled: &planned.scheduled,
        today: run.today,
    };
    ask_ahead(question, &planned, warehouse);
    let scan = warehouse.measure(&planned.plan)?;
    let expected = expected::find(question, warehouse)?;
    let partner = pairs::compare(
        suite.partner.as_ref(),
        (&planned.plan, &scan),
        &planned.pairs,
        warehouse,
    )?;
    let scheduled = scheduled::compare(
        (&planned.plan, &scan),
        &planned.scheduled,
        expected.schedule(),
        warehouse,
    )?;
    let figures = planned
        .queries
        .iter()
        .map(|query| figure(&suite, query, run.range, warehouse))
        .collect::<Result<_, _>>()?;
    Ok(Read {
        suite,
        planned,
        scan,
        expected,
        partner,
        scheduled,
        figures,
    })
}

/// The figure of a query of the suite's own, or why there is none.
fn figure(
    suite: &Suite,
    query: &checks::Query,
    range: DateRange,
    warehouse: &mut dyn Engine,
) -> Result<Result<f64, String>, WarehouseError> {
    let Some(sql) = query.for_engine(warehouse) else {
        return Ok(Err(format!("no query for {}", warehouse.name())));
    };
    let question = Question {
        table: &suite.table,
        sql,
        range,
    };
    match warehouse.scalar(&question) {
        Ok(value) => Ok(value
            .as_number()
            .ok_or_else(|| format!("its query returned {value}, not a number"))),
        Err(error) if error.ends_the_run() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Names everything that is measured if nothing is wrong, so that an engine may ask for it at once.
fn ask_ahead(question: expected::Question<'_>, planned: &Planned, warehouse: &mut dyn Engine) {
    let suite = question.suite;
    let schedule = expected::first_schedule(question, warehouse);
    let partner = pairs::comparisons(
        suite.partner.as_ref(),
        planned.plan.range,
        &planned.pairs,
        warehouse,
    );
    let nothing = Scan::default();
    let mut requests = vec![Request::Measure(&planned.plan)];
    let mut sides = Vec::new();
    let own = |keys| Side::new(&planned.plan, &nothing, keys);
    if let Some((plan, asked)) = &schedule {
        requests.push(Request::Measure(plan));
        for (here, there) in ScheduleKeys::comparisons(asked, &planned.scheduled) {
            let there = there.iter().map(|keys| Side::new(plan, &nothing, *keys));
            sides.push((own(here), there.collect::<Vec<_>>()));
        }
    }
    if let Some((plan, measures)) = &partner {
        for (here, there) in measures {
            sides.push((own(*here), vec![Side::new(plan, &nothing, *there)]));
        }
    }
    let compared = sides.iter();
    requests.extend(compared.map(|(here, there)| Request::Compare(*here, there)));
    let queries = planned.queries.iter();
    let queries = queries.filter_map(|query| query.for_engine(warehouse));
    requests.extend(queries.map(|sql| {
        Request::Scalar(Question {
            table: &suite.table,
            sql,
            range: question.range,
        })
    }));
    warehouse.prepare(&requests);
}

fn facts<'a>(run: &'a Run<'_>, read: &'a Read) -> Facts<'a> {
    Facts {
        suite: &read.suite,
        range: run.range,
        rows: read.planned.rows,
        scan: &read.scan,
        expected: &read.expected,
        log: run.log,
        since: run.since,
        partner: &read.partner,
        scheduled: &read.scheduled,
        figures: &read.figures,
        today: run.today,
        now: run.now,
        small: run.small,
    }
}

/// The checks of the date column, which every table gets if there is something to report.
fn date_checks(run: &Run<'_>, read: &Read) -> Vec<Judged> {
    let unreadable = &read.scan.unreadable;
    let column = &run.suite.date_column;
    let section = run
        .suite
        .checks
        .first()
        .map_or("", |check| check.section.as_str());
    let judged = |name, level, finding| Judged::new(name, section, run.level(name, level), finding);
    let mut checks = Vec::new();
    if unreadable.rows > 0 {
        let shown = unreadable.examples.iter();
        let texts = shown.map(|text| bf_cli::text::printable(text, 30));
        let texts: Vec<String> = texts.collect();
        let mut finding = Finding::no(format!(
            "Readable dates: {} with a {column} that is not a valid date ({})",
            plural(unreadable.rows, "record"),
            match run.config.evidence.sample_rows {
                0 => "not shown".to_owned(),
                _ => texts.join(", "),
            }
        ));
        let row = |text: &String| BTreeMap::from([(column.to_string(), Some(text.clone()))]);
        finding.rows = texts.iter().map(row).collect();
        checks.push(judged(READABLE_DATES, Level::Normal, finding));
    }
    if let Some(reason) = &unreadable.unknown {
        let text = format!("Readable dates: records without a date could not be counted: {reason}");
        checks.push(judged(READABLE_DATES, Level::Info, Finding::unknown(text)));
    }
    if unreadable.with_time > 0 {
        let finding = Finding::no(format!(
            "Dates without a time: {} with a time part in {column}, so `= DATE` does not find them",
            plural(unreadable.with_time, "record"),
        ))
        .on(unreadable.timed_days.iter().copied().collect());
        // A column of timestamps has a time in every row, and is meant so.
        let rows = read.scan.sum(read.planned.rows, run.range);
        let level = if unreadable.with_time >= rows {
            Level::Info
        } else {
            Level::Warning
        };
        checks.push(judged(PLAIN_DATES, level, finding));
    }
    checks
}
