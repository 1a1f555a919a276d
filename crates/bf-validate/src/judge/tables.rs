//! The table and its partner, held side by side, date by date.

use bf_contract::{Comparison, Level, Threshold, percentage};
use bf_warehouse::Ident;
use chrono::NaiveDate;

use super::{Facts, dates, no_data, plain, threshold};
use crate::condition::Condition;
use crate::expected::Expectation;
use crate::figures::{Unit, bound, figure, float, plural};
use crate::outcome::{Finding, Outcome, Probe, Wrong, meets};
use crate::pairs::{PairDay, Pairs, Partnership};
use crate::scheduled::Held;
use crate::suite::{Check, Partnered, Scheduled, Sums};

/// A floor for a date is held against dates that have at least so many of what is compared.
const FEWEST_OF_A_DATE: u64 = 2;

pub(super) fn reference(facts: &Facts<'_>, check: &Check, keys: &Partnered) -> Finding {
    let pairs = match pairs(facts, check) {
        Ok(pairs) => pairs,
        Err(finding) => return *finding,
    };
    let of = |day: &PairDay| (day.rows, day.unmatched_rows);
    let (rows, unmatched) = pairs.sum(of);
    let Some(observed) = percentage(rows - unmatched.min(rows), rows) else {
        return no_data(check, facts);
    };
    let mut finding = plain(check, observed, Unit::Percent).of(rows - unmatched, rows);
    if unmatched == 0 {
        return finding;
    }
    let dates = pairs.days_with(|day| day.unmatched_rows);
    finding.message.push_str(&format!(
        "; {} without one on {}",
        plural(unmatched, "record"),
        plural(dates.len() as u64, "date")
    ));
    hold_dates(&mut finding, pairs, of, keys.worst_date_floor);
    // The row that is not there is one of the partner's; a key that is wrong here lacks its partner, too.
    finding.wrong = Wrong::Either;
    finding.on(dates).probe(Probe::Unmatched {
        filter: facts.suite.filter_of(check).cloned(),
        columns: keys.columns.clone(),
        here: true,
    })
}

pub(super) fn scheduled(facts: &Facts<'_>, check: &Check, keys: &Scheduled) -> Finding {
    let unanswered = |reason: &str| match check.level {
        Level::Critical => dates::unanswered(check, reason),
        _ if check.optional => Finding::skipped(format!("{}: {reason}", check.title)),
        _ => dates::unanswered(check, reason),
    };
    let expected = match facts.expected {
        Expectation::Known(expected) => expected,
        Expectation::Unknown(hint) => return unanswered(hint),
        Expectation::Failed(reason) => {
            return Finding::unknown(format!("{}: {reason}", check.title));
        }
    };
    let held = facts.scheduled.iter().find(|(name, _)| *name == check.name);
    let (Some(schedule), Some((_, held))) = (&expected.schedule, held) else {
        return unanswered(&format!(
            "{} is no schedule with rows of its own",
            expected.source
        ));
    };
    let (pairs, ours, theirs) = match held {
        Held::Pairs(pairs, ours, theirs) => (pairs, ours, theirs),
        Held::Unanswered(reason) => return unanswered(reason),
        Held::Failed(reason) => return Finding::unknown(format!("{}: {reason}", check.title)),
    };
    // A date that the schedule does not have at all is rather one that it does not know yet.
    let known = || pairs.days.iter().filter(|(date, _)| expected.knows(**date));
    let (rows, unmatched) = known().fold((0, 0), |(rows, unmatched), (_, day)| {
        (rows + day.rows, unmatched + day.unmatched_rows)
    });
    let Some(observed) = percentage(rows - unmatched.min(rows), rows) else {
        return unanswered(&format!("{} has none of its dates", expected.source));
    };
    let mut finding = plain(check, observed, Unit::Percent).of(rows - unmatched, rows);
    if unmatched == 0 {
        return finding;
    }
    let dates = known().filter(|(_, day)| day.unmatched_rows > 0);
    let dates: Vec<NaiveDate> = dates.map(|(date, _)| *date).collect();
    finding.message.push_str(&format!(
        "; {} not as in {} on {}",
        plural(unmatched, "record"),
        expected.source,
        plural(dates.len() as u64, "date")
    ));
    finding.on(dates).probe(Probe::Unscheduled {
        filter: Condition::and(facts.suite.filter_of(check), keys.of.as_ref()),
        columns: ours.clone(),
        table: schedule.table.clone(),
        date_column: schedule.date_column.clone(),
        date_kind: schedule.columns.kind(&schedule.date_column),
        schedule_columns: theirs.clone(),
        either_side: keys.either_side,
    })
}

pub(super) fn unmatched(facts: &Facts<'_>, check: &Check, columns: &[Ident]) -> Finding {
    let pairs = match pairs(facts, check) {
        Ok(pairs) => pairs,
        Err(finding) => return *finding,
    };
    let (here, there) = pairs.sum(|day| (day.only_here, day.only_there));
    let threshold = threshold(check);
    let count = here + there;
    let partner = partner_name(facts);
    let dates = pairs.days_with(|day| day.only_here + day.only_there);
    let message = if count == 0 {
        format!("{}: none", check.title)
    } else {
        format!(
            "{}: {here} only here, {there} only in {partner}, on {}{}",
            check.title,
            plural(dates.len() as u64, "date"),
            most(pairs, |day| day.only_here + day.only_there)
        )
    };
    let mut finding = Finding::compared(float(count), threshold, message);
    if count == 0 {
        return finding;
    }
    finding.wrong = match (here, there) {
        (_, 0) => Wrong::Partner,
        (0, _) => Wrong::Own,
        _ => Wrong::Either,
    };
    finding.on(dates).probe(Probe::Unmatched {
        filter: facts.suite.filter_of(check).cloned(),
        columns: columns.to_vec(),
        here: here >= there,
    })
}

pub(super) fn sums(facts: &Facts<'_>, check: &Check, sums: &Sums) -> Finding {
    let pairs = match pairs(facts, check) {
        Ok(pairs) => pairs,
        Err(finding) => return *finding,
    };
    let of = |day: &PairDay| (day.both, day.sums_off);
    let (asked, off) = pairs.sum(of);
    let Some(observed) = percentage(asked - off.min(asked), asked) else {
        return Finding::no(format!(
            "{}: no data: no key is in both tables",
            check.title
        ))
        .without_figure(threshold(check));
    };
    let mut finding = plain(check, observed, Unit::Percent).of(asked - off, asked);
    if off == 0 {
        return finding;
    }
    finding
        .message
        .push_str(&format!("; {off} of {asked} do not"));
    hold_dates(&mut finding, pairs, of, sums.worst_date_floor);
    // Few enough to pass, and wrong all the same.
    finding.worsen(Outcome::Warn);
    finding.wrong = Wrong::Either;
    finding.on(pairs.days_with(|day| day.sums_off))
}

/// Names the worst date, and fails where it lies below the floor of a date. `of` says of a date how much was
/// asked and how much of that is bad.
fn hold_dates(
    finding: &mut Finding,
    pairs: &Pairs,
    of: impl Fn(&PairDay) -> (u64, u64),
    floor: Option<f64>,
) {
    let shares = pairs.days.iter().filter_map(|(date, day)| {
        let (asked, bad) = of(day);
        let share = percentage(asked - bad.min(asked), asked)?;
        (asked >= FEWEST_OF_A_DATE).then_some((*date, share))
    });
    let Some((date, share)) = shares.min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return;
    };
    let floor = floor.map(|value| Threshold {
        op: Comparison::AtLeast,
        value,
    });
    let text = figure(share, Unit::Percent, floor);
    finding
        .message
        .push_str(&format!("; worst date {date} {text}"));
    if let Some(floor) = floor.filter(|floor| !meets(share, *floor)) {
        finding.worsen(Outcome::Fail);
        finding
            .message
            .push_str(&format!(" (floor: {})", bound(floor, Unit::Percent)));
    }
}

/// The date with most of something, where there are several: `; most on 2024-12-05 (12)`.
fn most(pairs: &Pairs, of: impl Fn(&PairDay) -> u64) -> String {
    let counts = pairs.days.iter().map(|(date, day)| (*date, of(day)));
    let counts: Vec<(NaiveDate, u64)> = counts.filter(|(_, count)| *count > 0).collect();
    let most = counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .filter(|_| counts.len() > 1);
    most.map_or_else(String::new, |(date, count)| {
        format!("; most on {date} ({count})")
    })
}

fn pairs<'a>(facts: &'a Facts<'_>, check: &Check) -> Result<&'a Pairs, Box<Finding>> {
    match facts.partner {
        Partnership::Absent(reason) => Err(Box::new(Finding::skipped(format!(
            "{}: {reason}",
            check.title
        )))),
        Partnership::Failed(reason) => Err(Box::new(Finding::unknown(format!(
            "{}: {reason}",
            check.title
        )))),
        Partnership::Read(found) => {
            let pairs = found.iter().find(|(name, _)| *name == check.name);
            pairs.map(|(_, pairs)| pairs).ok_or_else(|| {
                Box::new(Finding::unknown(format!(
                    "{}: the two tables were not compared",
                    check.title
                )))
            })
        }
    }
}

fn partner_name(facts: &Facts<'_>) -> String {
    facts
        .suite
        .partner
        .as_ref()
        .map_or_else(String::new, |partner| partner.table.to_string())
}
