//! When a table should have rows.

use std::fmt;

use bf_warehouse::{Ident, TableName};
use chrono::NaiveDate;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::rules::Rules;

/// A schedule table. A suite writes its name alone, or `{table: …, date_column: …, where: …, played: …}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// The table.
    pub table: TableName,
    /// Its column with the day, which need not be called as the suite's own; `game_date` if none is given.
    pub date_column: Ident,
    /// The rows that count: those that meet all of these.
    pub rows: Rules,
    /// The rows that took place: the first of these whose column holds a value decides. A postponed game stays on its
    /// old date for ever.
    pub played: Rules,
}

/// The days on which a table has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Calendar {
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// Some day of every month.
    Monthly,
}

impl Calendar {
    /// As a suite writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekdays => "weekdays",
            Self::Monthly => "monthly",
        }
    }
}

/// The first days of each season, in which a job that needs history writes nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bootstrap {
    /// How many days, the first of the season included.
    pub days: u32,
    /// The first day of each season.
    pub season_starts: Vec<NaiveDate>,
}

impl Bootstrap {
    /// Whether a date lies in the first days of a season.
    #[must_use]
    pub(crate) fn has(&self, date: NaiveDate) -> bool {
        let mut starts = self.season_starts.iter();
        starts.any(|start| (0..i64::from(self.days)).contains(&(date - *start).num_days()))
    }

    /// What is wrong with it.
    pub(super) fn flaw(&self) -> Option<String> {
        // A period as long as a season would excuse everything.
        if self.days == 0 || self.days > 60 {
            return Some("bootstrap: days must lie between 1 and 60".to_owned());
        }
        self.season_starts
            .is_empty()
            .then(|| "bootstrap: season_starts is empty".to_owned())
    }
}

/// A number of days, written `140d` or `140`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayCount(pub i64);

impl<'de> Deserialize<'de> for DayCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Days;

        impl Visitor<'_> for Days {
            type Value = DayCount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of days between 1 and 3660, such as 140d")
            }

            fn visit_u64<E: Error>(self, days: u64) -> Result<DayCount, E> {
                match i64::try_from(days) {
                    Ok(days @ 1..=3_660) => Ok(DayCount(days)),
                    _ => Err(E::custom("a number of days between 1 and 3660 is expected")),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DayCount, E> {
                let days = text.strip_suffix('d').unwrap_or(text).trim();
                let days = days
                    .parse()
                    .map_err(|_| E::custom(format!("{text:?} is not a number of days (140d)")))?;
                self.visit_u64(days)
            }
        }

        deserializer.deserialize_any(Days)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    table: TableName,
    date_column: Option<Ident>,
    #[serde(default)]
    r#where: Rules,
    #[serde(default)]
    played: Rules,
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScheduleVisitor)
    }
}

struct ScheduleVisitor;

impl<'de> Visitor<'de> for ScheduleVisitor {
    type Value = Schedule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or {table: dataset.table, date_column: …, where: …, played: …}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Schedule, E> {
        let table = text.parse().map_err(E::custom)?;
        let date_column = default_column().map_err(E::custom)?;
        Ok(Schedule {
            table,
            date_column,
            rows: Rules::default(),
            played: Rules::default(),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Schedule {
            table: written.table,
            date_column: match written.date_column {
                Some(column) => column,
                None => default_column().map_err(A::Error::custom)?,
            },
            rows: written.r#where,
            played: written.played,
        })
    }
}

fn default_column() -> Result<Ident, bf_warehouse::NameError> {
    Ident::new("game_date")
}

#[cfg(test)]
mod tests {
    use bf_config::parse_yaml;

    use super::{Bootstrap, DayCount, Schedule};

    fn schedules(text: &str) -> Result<Vec<Schedule>, bf_cli::Failure> {
        parse_yaml(text, "a test")
    }

    #[test]
    fn a_schedule_is_a_name_or_a_table_with_its_own_date_column() {
        let schedules = schedules("[a.b, {table: c.d, date_column: played_on}]").expect("two");
        assert_eq!(schedules[0].date_column.as_str(), "game_date");
        assert_eq!(schedules[1].date_column.as_str(), "played_on");
        for text in ["[a]", "[{tables: a.b}]", "[{date_column: x}]", "[[a.b]]"] {
            assert!(super::tests::schedules(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_written_with_or_without_their_unit() {
        let days = |text: &str| {
            parse_yaml::<DayCount>(text, "a test")
                .ok()
                .map(|days| days.0)
        };
        assert_eq!((days("140d"), days("140")), (Some(140), Some(140)));
        assert_eq!((days("0"), days("2w"), days("-3")), (None, None, None));
    }

    #[test]
    fn a_bootstrap_period_has_its_first_and_last_day_and_no_more() {
        let bootstrap: Bootstrap =
            parse_yaml("{days: 14, season_starts: [2024-10-22]}", "a test").expect("one");
        let has = |text: &str| bootstrap.has(text.parse().expect("a date"));
        assert!(has("2024-10-22") && has("2024-11-04"));
        assert!(!has("2024-10-21") && !has("2024-11-05") && !has("2025-10-22"));
    }
}
