//! A time zone, for the one question when a day begins.

use std::path::Path;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, Utc};
use tz::TimeZone;

/// Where a system keeps its time zones.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// A time zone: `UTC`, an offset such as `-05:00`, or a name such as `America/New_York`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: Rules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rules {
    /// The machine's.
    Local,
    /// The same offset at all times.
    Fixed(FixedOffset),
    /// As the system's database of time zones has it.
    Named(Box<TimeZone>),
}

impl Zone {
    /// The machine's time zone (`TZ`, or `/etc/localtime`).
    #[must_use]
    pub fn local() -> Self {
        Self {
            name: "local".to_owned(),
            rules: Rules::Local,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day that it is there at `now`.
    #[must_use]
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        match &self.rules {
            Rules::Local => now.with_timezone(&Local).date_naive(),
            Rules::Fixed(offset) => now.with_timezone(offset).date_naive(),
            Rules::Named(zone) => {
                let offset = zone
                    .find_local_time_type(now.timestamp())
                    .ok()
                    .and_then(|found| FixedOffset::east_opt(found.ut_offset()));
                // Only a time beyond all rules has no offset.
                offset.map_or_else(
                    || now.date_naive(),
                    |offset| now.with_timezone(&offset).date_naive(),
                )
            }
        }
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rules = match text {
            "local" => Rules::Local,
            "UTC" | "utc" | "Z" => Rules::Fixed(FixedOffset::east_opt(0).ok_or_else(String::new)?),
            _ => match offset(text) {
                Some(offset) => Rules::Fixed(offset),
                None => Rules::Named(Box::new(named(text)?)),
            },
        };
        Ok(Self {
            name: text.to_owned(),
            rules,
        })
    }
}

/// An offset of the form `+02:00` or `-0500`.
fn offset(text: &str) -> Option<FixedOffset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text[1..].replacen(':', "", 1);
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (minutes < 60)
        .then(|| FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)))
        .flatten()
}

/// A time zone of the system's database.
fn named(text: &str) -> Result<TimeZone, String> {
    let unknown = || {
        format!(
            "{text:?} is not a time zone (expected UTC, an offset such as -05:00, or a name such as America/New_York)"
        )
    };
    let is_name = !text.is_empty()
        && text.split('/').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
        });
    if !is_name {
        return Err(unknown());
    }
    let Some(folder) = FOLDERS.iter().map(Path::new).find(|path| path.is_dir()) else {
        return Err(format!(
            "this machine has no time zones by name (install tzdata), so {text:?} is not known; give an offset such as -05:00"
        ));
    };
    let bytes = std::fs::read(folder.join(text)).map_err(|_| unknown())?;
    TimeZone::from_tz_data(&bytes).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::Zone;

    fn today(zone: &str, now: &str) -> String {
        let now: DateTime<Utc> = now.parse().expect("a time");
        let zone: Zone = zone.parse().expect("a time zone");
        zone.today(now).to_string()
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        for (zone, now, day) in [
            ("UTC", "2026-01-02T23:59:59Z", "2026-01-02"),
            ("UTC", "2026-01-03T00:00:00Z", "2026-01-03"),
            ("-05:00", "2026-01-03T04:59:59Z", "2026-01-02"),
            ("-0500", "2026-01-03T05:00:00Z", "2026-01-03"),
            ("+05:30", "2026-01-02T18:30:00Z", "2026-01-03"),
        ] {
            assert_eq!(today(zone, now), day, "{zone} {now}");
        }
    }

    #[test]
    fn a_named_zone_follows_its_summer_time() {
        if !std::path::Path::new("/usr/share/zoneinfo/America/New_York").exists() {
            return;
        }
        for (now, day) in [
            ("2026-01-03T04:30:00Z", "2026-01-02"),
            ("2026-07-03T04:30:00Z", "2026-07-03"),
            ("2026-07-03T03:59:59Z", "2026-07-02"),
        ] {
            assert_eq!(today("America/New_York", now), day, "{now}");
        }
    }

    #[test]
    fn what_is_not_a_zone_is_refused() {
        for text in [
            "",
            "Mars/Base",
            "../etc/passwd",
            "/etc/passwd",
            "+25:00",
            "-05:99",
            "+5",
            "UTC+2",
            "America",
        ] {
            let error = text.parse::<Zone>().expect_err(text);
            assert!(!error.is_empty(), "{text}");
        }
    }
}
