//! Sets of dates on the command line.

use std::str::FromStr;

use chrono::NaiveDate;

/// Dates a fault applies to: `all`, or dates and ranges, `2024-01-05,2024-02-01..2024-02-29`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DateSet(Vec<(NaiveDate, NaiveDate)>);

impl DateSet {
    /// Whether the date is one of them.
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&date))
    }
}

impl FromStr for DateSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self(vec![(NaiveDate::MIN, NaiveDate::MAX)]));
        }
        let spans = text.split(',').map(|part| match part.split_once("..") {
            Some((from, to)) => match (one(from)?, one(to)?) {
                (from, to) if from <= to => Ok((from, to)),
                _ => Err(format!("{} ends before it begins", part.trim())),
            },
            None => one(part).map(|date| (date, date)),
        });
        spans.collect::<Result<_, _>>().map(Self)
    }
}

fn one(text: &str) -> Result<NaiveDate, String> {
    let text = text.trim();
    text.parse().map_err(|_| {
        format!(
            "{text:?} is not a date like 2024-01-05, a range like 2024-01-05..2024-02-01, or 'all'"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seasons::day;

    #[test]
    fn dates_ranges_and_all_are_understood() {
        let set: DateSet = "2024-01-05, 2024-02-01..2024-02-29".parse().unwrap();
        let inside = [day(2024, 1, 5), day(2024, 2, 1), day(2024, 2, 29)];
        assert!(inside.iter().all(|date| set.contains(*date)));
        assert!(!set.contains(day(2024, 1, 6)) && !set.contains(day(2024, 3, 1)));
        assert!("all".parse::<DateSet>().unwrap().contains(day(1999, 1, 1)));
        assert!(!DateSet::default().contains(day(2024, 1, 5)));
    }

    #[test]
    fn a_wrong_date_is_named() {
        let wrong = [
            "2024-13-01",
            "",
            "2024-02-01..2024-01-01",
            "2024-01-05,,2024-01-06",
        ];
        for text in wrong {
            assert!(text.parse::<DateSet>().is_err(), "{text:?}");
        }
        assert!(
            "2024-13-01"
                .parse::<DateSet>()
                .unwrap_err()
                .contains("2024-13-01")
        );
    }
}
