//! The table and its partner, held side by side.

use bf_contract::percentage;
use bf_warehouse::Ident;
use chrono::NaiveDate;

use super::{Facts, no_data, plain, threshold};
use crate::figures::{Unit, float, plural};
use crate::finding::{Finding, Met, Probe, met};
use crate::pairs::{Pairs, Partnership};
use crate::suite::Check;

pub(super) fn reference(facts: &Facts<'_>, check: &Check, columns: &[Ident]) -> Finding {
    let pairs = match pairs(facts, check) {
        Ok(pairs) => pairs,
        Err(finding) => return *finding,
    };
    let (rows, unmatched) = pairs.sum(|day| (day.rows, day.unmatched_rows));
    let Some(observed) = percentage(rows - unmatched.min(rows), rows) else {
        return no_data(check, facts);
    };
    let mut finding = plain(check, observed, Unit::Percent).of(rows - unmatched, rows);
    if unmatched == 0 {
        return finding;
    }
    finding
        .message
        .push_str(&format!("; {} without one", plural(unmatched, "record")));
    if finding.met != Met::No {
        return finding;
    }
    finding
        .on(pairs.days_with(|day| day.unmatched_rows))
        .probe(Probe::Unmatched {
            columns: columns.to_vec(),
            here: true,
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
    let message = if count == 0 {
        format!("{}: none", check.title)
    } else {
        format!(
            "{}: {here} only here, {there} only in {partner}",
            check.title
        )
    };
    let finding =
        Finding::new(met(float(count), threshold), message).figure(float(count), threshold);
    if count == 0 {
        return finding;
    }
    finding
        .on(pairs.days_with(|day| day.only_here + day.only_there))
        .probe(Probe::Unmatched {
            columns: columns.to_vec(),
            here: here >= there,
        })
}

pub(super) fn sums(facts: &Facts<'_>, check: &Check) -> Finding {
    let pairs = match pairs(facts, check) {
        Ok(pairs) => pairs,
        Err(finding) => return *finding,
    };
    let (asked, off) = pairs.sum(|day| (day.both, day.sums_off));
    let Some(observed) = percentage(asked - off.min(asked), asked) else {
        return Finding::new(
            Met::No,
            format!("{}: no data: no key is in both tables", check.title),
        );
    };
    let mut finding = plain(check, observed, Unit::Percent).of(asked - off, asked);
    if off > 0 {
        finding
            .message
            .push_str(&format!("; {off} of {asked} do not"));
    }
    if finding.met == Met::No {
        finding.dates = pairs.days_with(|day| day.sums_off);
    }
    finding
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

impl Pairs {
    fn sum(&self, of: impl Fn(&crate::pairs::PairDay) -> (u64, u64)) -> (u64, u64) {
        self.days
            .values()
            .map(of)
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    fn days_with(&self, of: impl Fn(&crate::pairs::PairDay) -> u64) -> Vec<NaiveDate> {
        self.days
            .iter()
            .filter(|(_, day)| of(day) > 0)
            .map(|(date, _)| *date)
            .collect()
    }
}
