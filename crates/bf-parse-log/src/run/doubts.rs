//! What a log contradicts, and what in it could not be read.

use std::collections::BTreeSet;

use bf_contract::{Doubt, DoubtKind};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Texts and dates that are kept of one doubt.
const MOST: usize = 400;

/// Lines that show one doubt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    pub(crate) count: u64,
    first: u64,
    texts: BTreeSet<String>,
    dates: BTreeSet<NaiveDate>,
}

impl Lines {
    /// Adds a line; `text` is what of it could not be read.
    pub(crate) fn add(&mut self, number: u64, text: &str) {
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
        if !text.is_empty() && self.texts.len() < MOST {
            self.texts.insert(text.to_owned());
        }
    }

    /// Different texts: two lines that name one unreadable date are of one date.
    pub(crate) fn different(&self) -> u64 {
        if self.texts.is_empty() {
            self.count.min(1)
        } else {
            self.texts.len() as u64
        }
    }

    fn example(&self) -> String {
        self.texts
            .first()
            .map_or_else(String::new, |text| format!(" ({text:?})"))
    }

    fn doubt(&self, kind: DoubtKind, message: String) -> Option<Doubt> {
        (self.count > 0).then(|| Doubt {
            kind,
            lines: self.count,
            first_line: (self.first > 0).then_some(self.first),
            dates: self.dates.iter().copied().collect(),
            message,
        })
    }
}

/// The doubts of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Doubts {
    pub(crate) undated_failures: Lines,
    pub(crate) unreadable_dates: Lines,
    pub(crate) unreadable_figures: Lines,
    pub(crate) unread_errors: Lines,
    pub(crate) own_validation: Lines,
    pub(crate) two_jobs: Lines,
    /// The first run that a line of [`Doubts::two_jobs`] may belong to.
    pub(crate) two_jobs_since: u64,
    pub(crate) other_dialect: Lines,
}

fn lines(count: u64) -> String {
    if count == 1 {
        "1 line".to_owned()
    } else {
        format!("{count} lines")
    }
}

impl Doubts {
    /// Two jobs write at the same time, from `run` on.
    pub(crate) fn two_jobs(&mut self, number: u64, run: u64, why: &str) {
        self.two_jobs_since = match self.two_jobs_since {
            0 => run.max(1),
            since => since.min(run.max(1)),
        };
        self.two_jobs.add(number, why);
    }

    /// The documents of all of them. `since_two_jobs`: dates that the lines of two jobs call successful.
    pub(crate) fn list(&self, since_two_jobs: &[NaiveDate]) -> Vec<Doubt> {
        let failures = &self.undated_failures;
        let dates = &self.unreadable_dates;
        let figures = &self.unreadable_figures;
        let errors = &self.unread_errors;
        let mut two_jobs = self.two_jobs.clone();
        two_jobs.dates.extend(since_two_jobs);
        [
            failures.doubt(
                DoubtKind::UndatedFailure,
                format!(
                    "{} report a failure without a date that can be read{}",
                    lines(failures.count),
                    failures.example()
                ),
            ),
            dates.doubt(
                DoubtKind::UnreadableDate,
                format!(
                    "{} report a date that cannot be read{}; date_format: in the dialect says how",
                    lines(dates.count),
                    dates.example()
                ),
            ),
            figures.doubt(
                DoubtKind::UnreadableFigure,
                format!(
                    "{} have a figure that cannot be read{}; it was left out",
                    lines(figures.count),
                    figures.example()
                ),
            ),
            errors.doubt(
                DoubtKind::UnreadErrors,
                format!(
                    "{} look like errors, and no rule of the dialect reads them{}",
                    lines(errors.count),
                    errors.example()
                ),
            ),
            self.own_validation.doubt(
                DoubtKind::OwnValidationFailed,
                format!(
                    "the job's own validation of what it wrote failed{}",
                    self.own_validation.example()
                ),
            ),
            two_jobs.doubt(
                DoubtKind::TwoJobs,
                format!(
                    "two jobs write to this log at the same time ({}); a line may be of either",
                    self.two_jobs.texts.iter().next().map_or("", String::as_str)
                ),
            ),
            self.other_dialect.doubt(
                DoubtKind::OtherDialect,
                format!(
                    "{} are in another dialect{}",
                    lines(self.other_dialect.count),
                    self.other_dialect.example()
                ),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Doubts;
    use bf_contract::DoubtKind;

    #[test]
    fn two_lines_that_name_one_unreadable_date_are_of_one_date() {
        let mut doubts = Doubts::default();
        doubts.undated_failures.add(7, "05/01/2024");
        doubts.undated_failures.add(9, "05/01/2024");
        doubts.undated_failures.add(11, "06/01/2024");
        assert_eq!(doubts.undated_failures.different(), 2);
        let list = doubts.list(&[]);
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].kind, list[0].lines, list[0].first_line),
            (DoubtKind::UndatedFailure, 3, Some(7))
        );
        assert!(list[0].message.contains("05/01/2024"), "{:?}", list[0]);
    }
}
