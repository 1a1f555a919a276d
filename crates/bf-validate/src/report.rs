//! The document: every check, the verdict, what it cost, what to run again.

use std::collections::BTreeSet;

use bf_contract::{
    Check, CheckStatus, Day, Engine, Evidence, Level, Rerun, Schema, ValidationReport,
    ValidationReportType, Verdict, date_spans,
};
use bf_warehouse::{Engine as Warehouse, TableName, WarehouseError};
use chrono::NaiveDate;

use crate::evidence::Shown;
use crate::outcome::{Finding, Outcome, Wrong};
use crate::request::Run;
use crate::suite::TableSpec;

/// The section of the checks that a log summary adds.
pub(crate) const LOG_SECTION: &str = "Log";

/// A check that was judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// Its name in the suite.
    pub name: String,
    /// The heading that it stands under.
    pub section: String,
    /// How much it counts.
    pub level: Level,
    /// What it found.
    pub finding: Finding,
    /// The rows behind it.
    pub shown: Shown,
}

impl Judged {
    /// Without rows so far.
    #[must_use]
    pub(crate) fn new(name: &str, section: &str, level: Level, finding: Finding) -> Self {
        Self {
            name: name.to_owned(),
            section: section.to_owned(),
            level,
            finding,
            shown: Shown::default(),
        }
    }

    /// What it came to.
    #[must_use]
    pub(crate) fn status(&self) -> CheckStatus {
        self.finding.status(self.level)
    }

    /// Whether it decides the verdict.
    #[must_use]
    pub(crate) fn is_counted(&self) -> bool {
        self.level.counts() && self.status() != CheckStatus::Skipped
    }

    /// Whether it was asked for, would count, and could not be answered.
    #[must_use]
    pub(crate) fn is_unanswered(&self) -> bool {
        self.finding.outcome() == Outcome::Unanswered && self.level.counts()
    }

    fn check(&self) -> Check {
        let finding = &self.finding;
        let shown = &self.shown;
        let has_evidence = finding.denominator.is_some()
            || !finding.dates.is_empty()
            || !shown.rows.is_empty()
            || shown.query.is_some();
        Check {
            name: self.name.clone(),
            level: self.level,
            status: self.status(),
            unanswered: finding.outcome() == Outcome::Unanswered,
            observed: finding.observed(),
            threshold: finding.threshold(),
            message: finding.message.clone(),
            evidence: has_evidence.then(|| Evidence {
                numerator: finding.numerator,
                denominator: finding.denominator,
                dates: finding.dates.clone(),
                spans: date_spans(&finding.dates),
                rows: shown.rows.clone(),
                query: shown.query.clone(),
            }),
            months: finding.months.clone(),
        }
    }
}

/// What was judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Judgement {
    /// Every check.
    pub checks: Vec<Judged>,
    /// The table that is not there, so that none of its checks could be made.
    pub missing_table: Option<TableName>,
    /// What is known of each date that has anything.
    pub days: Vec<Day>,
}

/// The table that an error says is not there. A dataset's file that is not there has no table of the suite.
#[must_use]
pub(crate) fn missing_table(error: &WarehouseError, suite: &TableSpec) -> Option<TableName> {
    match error {
        WarehouseError::TableMissing { table, .. } => Some(table.clone()),
        WarehouseError::FileMissing { path } => path
            .file_stem()
            .is_some_and(|dataset| dataset == suite.table.dataset.as_str())
            .then(|| suite.table.clone()),
        _ => None,
    }
}

/// The report of a run.
#[must_use]
pub(crate) fn document(
    run: &Run<'_>,
    judged: &Judgement,
    warehouse: &dyn Warehouse,
) -> ValidationReport {
    let missing_table = judged.missing_table.as_ref().map(ToString::to_string);
    let days = judged.days.clone();
    let judged = judged.checks.as_slice();
    let mut ordered: Vec<&Judged> = judged.iter().collect();
    ordered.sort_by_key(|check| check.level != Level::Critical);
    let checks: Vec<Check> = ordered.into_iter().map(Judged::check).collect();
    let usage = warehouse.usage();
    ValidationReport {
        kind: ValidationReportType,
        schema: Schema,
        suite: run.suite.suite.clone(),
        table: run.suite.table.to_string(),
        missing_table,
        range: run.range,
        verdict: verdict(&checks),
        exit_code: None,
        checks,
        log_summary: run.log.map(|log| log.summary.clone()),
        engine: Engine {
            kind: warehouse.name().to_owned(),
            queries: usage.queries,
            bytes_processed: usage.bytes_processed,
            bytes_billed: usage.bytes_billed,
            cache_hit: usage.cache_hit,
            elapsed_seconds: usage.elapsed.as_secs_f64(),
            job_ids: usage.job_ids,
            notes: usage.notes,
        },
        rerun: rerun(run, judged),
        days,
        provenance: Some(run.provenance.clone()),
    }
}

fn verdict(checks: &[Check]) -> Verdict {
    Verdict::of(checks)
}

/// The dates of every counted check that failed, and the commands that repeat them: that of the table that is wrong,
/// or both, the partner's first.
fn rerun(run: &Run<'_>, judged: &[Judged]) -> Option<Rerun> {
    let dates_of = |is_wrong: fn(Wrong) -> bool| -> Vec<NaiveDate> {
        let failed = judged.iter().filter(|check| {
            check.is_counted()
                && check.status() == CheckStatus::Fail
                && is_wrong(check.finding.wrong)
        });
        let dates: BTreeSet<NaiveDate> = failed
            .flat_map(|check| check.finding.dates.iter().copied())
            .filter(|date| run.range.contains(*date))
            .collect();
        dates.into_iter().collect()
    };
    let partner = run.suite.partner.as_ref();
    let upstream = partner
        .and_then(|partner| {
            let dates = dates_of(|wrong| wrong != Wrong::Own);
            let command = partner.rerun.as_deref().filter(|words| !words.is_empty())?;
            (!dates.is_empty()).then(|| Rerun {
                command: Some(filled_in(command, &dates)),
                dates,
                upstream: None,
            })
        })
        .map(Box::new);
    let dates = match upstream {
        // Without a command of its own the partner is repeated by hand.
        None => dates_of(|_| true),
        Some(_) => dates_of(|wrong| wrong != Wrong::Partner),
    };
    if dates.is_empty() {
        return upstream.map(|upstream| *upstream);
    }
    let template = run
        .config
        .rerun
        .get(&run.suite.suite)
        .or(run.suite.rerun.as_ref());
    let command = template.filter(|words| !words.is_empty());
    Some(Rerun {
        command: command.map(|words| filled_in(words, &dates)),
        dates,
        upstream,
    })
}

/// A command with the dates in it, which are in order.
fn filled_in(words: &[String], dates: &[NaiveDate]) -> Vec<String> {
    let list: Vec<String> = dates.iter().map(ToString::to_string).collect();
    let (list, first) = (list.join(","), dates[0].to_string());
    let last = dates[dates.len() - 1].to_string();
    words
        .iter()
        .map(|word| {
            word.replace("{dates}", &list)
                .replace("{start}", &first)
                .replace("{end}", &last)
        })
        .collect()
}
