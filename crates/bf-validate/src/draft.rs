//! `--draft`: looks at a table once and prints a suite to start from, each line with what was seen. A check that the
//! table itself does not pass is left as a comment.

mod profile;
mod write;

use bf_cli::{Failure, Output};
use bf_config::Config;
use bf_contract::{CheckStatus, DateRange, Exit, Provenance};
use bf_warehouse::{Engine, TableName};
use chrono::NaiveDate;

use crate::outcome::SmallShares;
use crate::request::Run;
use crate::suite::Suite;
use profile::Profile;

/// Prints a suite for a table. `range` is the part of it to look at; all of it if none is given.
///
/// # Errors
/// The table did not answer, or has no column with days: could not check (exit 3).
pub(crate) fn draft(
    table: &TableName,
    range: Option<DateRange>,
    today: NaiveDate,
    warehouse: &mut dyn Engine,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let could_not = |error: bf_warehouse::WarehouseError| {
        let failure = Failure::could_not_check(error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let profile = Profile::of(table, range, warehouse).map_err(could_not)?;
    let Some(profile) = profile else {
        return Err(Failure::could_not_check(format!(
            "{table} has no rows, or no column with a day in every row"
        ))
        .hint("write the suite by hand: a suite needs a date_column"));
    };
    let mut lines = write::checks(&profile);
    let text = write::suite(&profile, &lines);
    let suite = Suite::parse(&text, "the draft")?;
    let config = Config::default();
    let now = chrono::Utc::now().timestamp_micros();
    let run = Run {
        suite: &suite,
        config: &config,
        range: profile.range,
        log: None,
        since: None,
        today: today.max(profile.range.end.succ_opt().unwrap_or(today)),
        now,
        small: SmallShares::default(),
        provenance: Provenance::default(),
    };
    let judged = crate::run::judge(&run, warehouse).map_err(could_not)?;
    for line in &mut lines {
        let found = judged.checks.iter().find(|check| check.name == line.name);
        let status = found.map(crate::report::Judged::status);
        if !matches!(status, Some(CheckStatus::Pass | CheckStatus::Skipped)) {
            line.is_comment = true;
            if let Some(found) = found {
                line.seen = format!("does not hold: {}", found.finding.message);
            }
        }
    }
    output.text(write::suite(&profile, &lines))?;
    Ok(Exit::Success)
}
