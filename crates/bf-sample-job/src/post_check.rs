//! The check the real player job makes of its own table after a run. It counts days without
//! games as faulty, so a healthy range ends with a complaint.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::job::Run;
use crate::log::{Level, Log, Logger};
use crate::text::percent;
use crate::warehouse::Completeness;

/// What is asked of one field.
struct Demand {
    /// The field, as the complaint calls it.
    name: &'static str,
    /// How many active players have it.
    filled: fn(&Completeness) -> u32,
    /// Least share of the active players that must have it, in percent.
    least: f64,
    /// Whether less makes the date fail, or is only mentioned.
    counts: bool,
}

const DEMANDS: [Demand; 4] = [
    Demand {
        name: "field_goals_attempted",
        filled: |found| found.field_goals,
        least: 90.0,
        counts: true,
    },
    Demand {
        name: "free_throws_attempted",
        filled: |found| found.free_throws,
        least: 90.0,
        counts: true,
    },
    Demand {
        name: "three_pointers_attempted",
        filled: |found| found.threes,
        least: 85.0,
        counts: false,
    },
    Demand {
        name: "usage_rate",
        filled: |found| found.usage,
        least: 80.0,
        counts: true,
    },
];

/// After a range.
pub fn after_range(run: &Run<'_>, dates: &[NaiveDate], failed: &[NaiveDate]) {
    check(run, dates, failed, false);
}

/// After single dates: every date is listed.
pub fn after_dates(run: &Run<'_>, dates: &[NaiveDate], failed: &[NaiveDate]) {
    check(run, dates, failed, true);
}

struct Verdict {
    date: NaiveDate,
    found: Completeness,
    issues: Vec<String>,
    passed: bool,
}

fn check(run: &Run<'_>, dates: &[NaiveDate], failed: &[NaiveDate], detailed: bool) {
    let log = run.log;
    if run.args.manner.clean_log {
        return;
    }
    log.rule_after_gap();
    log.info("POST-BACKFILL VALIDATION");
    log.rule();
    let mut processed: Vec<NaiveDate> = dates
        .iter()
        .copied()
        .filter(|date| !failed.contains(date))
        .collect();
    processed.sort_unstable();
    let (Some(first), Some(last)) = (processed.first(), processed.last()) else {
        return;
    };
    match run.processor.warehouse().completeness(*first, *last) {
        Ok(found) => {
            let verdicts: Vec<Verdict> =
                processed.iter().map(|date| judge(*date, &found)).collect();
            tell(log, &verdicts, detailed);
        }
        Err(problem) => {
            log.error(format!(
                "Post-backfill validation failed with error: {problem}"
            ));
            log.warning("Continuing without validation - manual review recommended");
        }
    }
    log.rule();
}

fn judge(date: NaiveDate, found: &BTreeMap<NaiveDate, Completeness>) -> Verdict {
    let Some(found) = found.get(&date).copied() else {
        let issues = vec!["No data found".to_owned()];
        return Verdict {
            date,
            found: Completeness::default(),
            issues,
            passed: false,
        };
    };
    let (mut issues, mut passed) = (Vec::new(), true);
    for Demand {
        name,
        filled,
        least,
        counts,
    } in DEMANDS
    {
        let share = share(filled(&found), found.active);
        if found.active > 0 && share < least {
            issues.push(format!("{name} coverage {share:.1}% < {least:.1}%"));
            passed &= !counts;
        }
    }
    Verdict {
        date,
        found,
        issues,
        passed,
    }
}

fn share(part: u32, whole: u32) -> f64 {
    (percent(part as usize, whole as usize) * 10.0).round() / 10.0
}

fn tell(log: &Log, verdicts: &[Verdict], detailed: bool) {
    let say = |level, text: &str| log.write(level, Logger::Validator, text);
    let (all, bad) = (
        verdicts.len(),
        verdicts.iter().filter(|verdict| !verdict.passed).count(),
    );
    if bad == 0 {
        say(
            Level::Info,
            &format!("✅ Backfill validation PASSED: {all}/{all} dates OK"),
        );
    } else {
        say(
            Level::Error,
            &format!("❌ Backfill validation FAILED: {bad}/{all} dates with issues"),
        );
        let issues: Vec<String> = verdicts
            .iter()
            .filter(|verdict| !verdict.passed)
            .flat_map(|verdict| {
                verdict
                    .issues
                    .iter()
                    .map(|issue| format!("{}: {issue}", verdict.date))
            })
            .collect();
        issues
            .iter()
            .take(10)
            .for_each(|issue| say(Level::Error, &format!("   - {issue}")));
        if issues.len() > 10 {
            say(
                Level::Error,
                &format!("   ... and {} more issues", issues.len() - 10),
            );
        }
    }
    if detailed {
        say(Level::Info, "\nPer-date results:");
        verdicts.iter().for_each(|verdict| tell_date(&say, verdict));
    }
    if bad == 0 {
        log.info("✅ All processed dates passed validation");
    } else if detailed {
        log.warning("⚠️  Processing completed but validation found data quality issues");
    } else {
        log.warning("⚠️  Backfill completed but validation found data quality issues");
        log.warning("    Review the validation report above before proceeding");
    }
}

fn tell_date(say: &impl Fn(Level, &str), verdict: &Verdict) {
    let Verdict {
        date,
        found,
        issues,
        passed,
    } = verdict;
    let shown = |part: u32| match share(part, found.active) {
        // The real job prints a float as it is, and nothing at all as the integer 0.
        0.0 => "0%".to_owned(),
        share => format!("{share:.1}%"),
    };
    let mark = if *passed { "✅" } else { "❌" };
    let (active, goals) = (found.active, shown(found.field_goals));
    let (throws, usage) = (shown(found.free_throws), shown(found.usage));
    say(
        Level::Info,
        &format!("{mark} {date}: {active} active, FG={goals}, FT={throws}, usage_rate={usage}"),
    );
    issues
        .iter()
        .for_each(|issue| say(Level::Info, &format!("     - {issue}")));
}
