//! The check that the real player job makes of its own table after a run. It counts days without
//! games as faulty, so a healthy range ends with a complaint.

use chrono::NaiveDate;

use crate::run::Run;
use crate::text::percent;

/// A field as the complaint calls it, its column, the least share of the active players that must
/// have it, in percent, and whether less makes the date fail.
const FIELDS: [(&str, &str, f64, bool); 4] = [
    ("field_goals_attempted", "fg_attempts", 90.0, true),
    ("free_throws_attempted", "ft_attempts", 90.0, true),
    ("three_pointers_attempted", "three_pt_attempts", 85.0, false),
    ("usage_rate", "usage_rate", 80.0, true),
];

/// What was found on one date.
struct Finding {
    date: NaiveDate,
    active: u64,
    /// The share of each field, in percent with one decimal.
    shares: [f64; 4],
    issues: Vec<String>,
    passed: bool,
}

/// Checks the dates with games that did not fail; with `detailed` every date is listed.
pub(crate) fn run(run: &Run<'_>, dates: &[NaiveDate], failed: &[NaiveDate], detailed: bool) {
    let has_games = |date: &&NaiveDate| !run.schedule.on(**date).is_empty();
    let processed = dates.iter().filter(|date| !failed.contains(date));
    let processed = processed.filter(has_games);
    let mut findings: Vec<Finding> = processed.map(|date| examine(run, *date)).collect();
    findings.sort_unstable_by_key(|finding| finding.date);
    let bad: Vec<&Finding> = findings.iter().filter(|finding| !finding.passed).collect();
    let counts = figures![count = findings.len(), bad = bad.len()];
    run.print("check", &[]);
    let passed = bad.is_empty();
    let section = if passed {
        "check_passed"
    } else {
        "check_failed"
    };
    run.print(section, &counts);
    let issues: Vec<(NaiveDate, &String)> = bad
        .iter()
        .flat_map(|bad| bad.issues.iter().map(|issue| (bad.date, issue)))
        .collect();
    for (date, issue) in issues.iter().take(10) {
        run.print("check_issue", &figures![date = date, issue = issue]);
    }
    if issues.len() > 10 {
        run.print("check_more", &figures![more = issues.len() - 10]);
    }
    if detailed {
        run.print("check_dates", &[]);
        findings.iter().for_each(|finding| list(run, finding));
    }
    let section = match (passed, detailed) {
        (true, _) => "check_end_passed",
        (false, true) => "check_end_dates",
        (false, false) => "check_end_range",
    };
    run.print(section, &[]);
}

fn examine(run: &Run<'_>, date: NaiveDate) -> Finding {
    let store = run.store();
    let count = |condition: &str| {
        let table = run.job.table.full_name();
        let sql = format!("SELECT count(*) FROM {table} WHERE game_date = ? AND {condition}");
        store.number(&sql, &[date]).unwrap_or(0)
    };
    let active = count("minutes_played > 0");
    let mut finding = Finding {
        date,
        active,
        shares: [0.0; 4],
        issues: Vec::new(),
        passed: true,
    };
    if count("true") == 0 {
        finding.issues.push("No data found".to_owned());
        finding.passed = false;
        return finding;
    }
    for (share, (name, column, least, counts)) in finding.shares.iter_mut().zip(FIELDS) {
        let filled = count(&format!("minutes_played > 0 AND {column} IS NOT NULL"));
        *share = (percent(filled as usize, active as usize) * 10.0).round() / 10.0;
        if active > 0 && *share < least {
            let issue = format!("{name} coverage {share:.1}% < {least:.1}%");
            finding.issues.push(issue);
            finding.passed &= !counts;
        }
    }
    finding
}

fn list(run: &Run<'_>, finding: &Finding) {
    // The real job prints a float as it is, and nothing at all as the integer 0.
    let shown = |share: f64| match share {
        0.0 => "0%".to_owned(),
        share => format!("{share:.1}%"),
    };
    let [goals, throws, _, usage] = finding.shares.map(shown);
    let figures = figures![
        mark = if finding.passed { "✅" } else { "❌" },
        date = finding.date,
        active = finding.active,
        goals = goals,
        throws = throws,
        usage = usage,
    ];
    run.print("check_date", &figures);
    for issue in &finding.issues {
        run.print("check_date_issue", &figures![issue = issue]);
    }
}
