//! The suite of a draft as text.

use std::fmt::Write as _;

use bf_cli::text::thousands;
use bf_warehouse::{ColumnKind, Ident};

use super::profile::{Profile, Seen};
use crate::suite::Calendar;

/// One check, with what was seen.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub name: String,
    /// What comes after the name.
    check: String,
    /// What was seen.
    pub seen: String,
    /// Whether it is left as a comment.
    pub is_comment: bool,
}

impl Line {
    fn new(name: impl Into<String>, check: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            check: check.into(),
            seen: seen.into(),
            is_comment: false,
        }
    }
}

/// The checks of a table.
pub(super) fn checks(profile: &Profile) -> Vec<Line> {
    let rows = thousands(profile.rows);
    let days = profile.dates.len();
    let mut lines = vec![Line::new(
        "rows",
        "row_count: {}, at_least: 1",
        format!("{rows} rows on {days} days"),
    )];
    let missing = match profile.calendar {
        Some(calendar) => Line::new(
            "missing_dates",
            format!("missing_dates: {{calendar: {}}}", calendar.word()),
            match calendar {
                Calendar::Daily => format!("rows on every one of {days} days"),
                Calendar::Weekdays => format!("rows on every one of {days} weekdays"),
                Calendar::Monthly => format!("rows in every month, on {days} days"),
            },
        ),
        None => Line {
            is_comment: true,
            ..Line::new(
                "missing_dates",
                "missing_dates: {}",
                format!("rows on {days} days, which no calendar fits: give the suite schedules:"),
            )
        },
    };
    lines.push(missing);
    let key = list(&profile.key);
    lines.push(Line {
        is_comment: !profile.key_holds,
        ..Line::new(
            "unique_key",
            "unique_key: {}",
            if profile.key_holds {
                format!("{rows} rows, {rows} keys ({key})")
            } else {
                format!("no key was found; {key} is a guess")
            },
        )
    });
    for column in &profile.columns {
        if column.name == profile.date_column || profile.key.contains(&column.name) {
            continue;
        }
        lines.extend(of_column(profile, column));
    }
    if profile.written_at.is_some() {
        lines.push(Line::new(
            "freshness",
            "freshness: {}",
            "no rows of an older run between newer ones",
        ));
    }
    lines.push(Line::new(
        "volume",
        "level: warning, change: {volume: true}",
        "rows a day against the 90 days before",
    ));
    let mut names: Vec<String> = Vec::new();
    for line in &mut lines {
        while names.contains(&line.name) {
            line.name.push_str("_again");
        }
        names.push(line.name.clone());
    }
    lines
}

fn of_column(profile: &Profile, column: &Seen) -> Vec<Line> {
    let name = &column.name;
    let mut lines = Vec::new();
    let is_number = column.numbers > 0 && column.numbers == column.present;
    let numbers = if is_number { ", numbers: true" } else { "" };
    if let Some(share) = bf_contract::percentage(column.present, profile.rows)
        && share >= 1.0
    {
        let least = just_under(share);
        lines.push(Line::new(
            name.to_string(),
            format!("completeness: {{column: {name}{numbers}}}, at_least: {least}"),
            format!(
                "{} of {} rows have a value",
                thousands(column.present),
                thousands(profile.rows)
            ),
        ));
    }
    if !column.values.is_empty() {
        let values: Vec<String> = column.values.iter().map(|value| quoted(value)).collect();
        lines.push(Line::new(
            format!("{name}_values"),
            format!(
                "accepted_values: {{column: {name}, values: [{}]}}",
                values.join(", ")
            ),
            crate::figures::plural(values.len() as u64, "value"),
        ));
    }
    if let (true, Some(least), Some(most)) = (is_number, column.least, column.most)
        && least >= 0.0
        && most > least
        && column.kind != ColumnKind::Bool
    {
        lines.push(Line::new(
            format!("{name}_range"),
            format!("value_range: {{column: {name}, min: 0}}"),
            format!("{least} to {most}"),
        ));
    }
    lines
}

/// A threshold that leaves a little room, unless nothing is missing.
fn just_under(share: f64) -> String {
    if share >= 100.0 {
        return "100".to_owned();
    }
    let room = ((100.0 - share) * 0.2).clamp(0.1, 3.0);
    let under = ((share - room) * 10.0).floor() / 10.0;
    // Under one percent a share would be taken for a fraction of one.
    format!("{}", under.max(1.0).min(share))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(Ident::as_str).collect();
    names.join(", ")
}

/// The suite.
pub(super) fn suite(profile: &Profile, lines: &[Line]) -> String {
    let table = &profile.table;
    let mut text = format!(
        "# A suite to start from, drafted from {table}: {} rows from {} to {}.\n\
         # Read every line and change what is not meant; a comment says what was seen.\n\
         #   bf-validate --suite FILE {} {}\n\n\
         suite: {}\ntable: {table}\n",
        thousands(profile.rows),
        profile.range.start,
        profile.range.end,
        profile.range.start,
        profile.range.end,
        table.table,
    );
    let times = if profile.has_times {
        ", with times"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "date_column: {} # a day in every row{times}",
        profile.date_column
    );
    let holds = if profile.key_holds {
        "no two rows share it"
    } else {
        "a guess: some rows share it"
    };
    let _ = writeln!(text, "primary_key: [{}] # {holds}", list(&profile.key));
    if let Some(written) = &profile.written_at {
        let _ = writeln!(text, "written_at: {written} # a time in every row");
    }
    let _ = writeln!(text, "\nchecks:");
    for line in lines {
        let mark = if line.is_comment { "#" } else { " " };
        let seen = line.seen.replace('\n', " ");
        let _ = writeln!(
            text,
            "{mark} - {{name: {}, {}}} # {seen}",
            line.name, line.check
        );
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_lies_just_under_what_is_there() {
        for (share, least) in [
            (100.0, "100"),
            (99.95, "99.8"),
            (97.34, "96.8"),
            (50.0, "47"),
            (1.0, "1"),
        ] {
            assert_eq!(just_under(share), least, "{share}");
        }
    }
}
