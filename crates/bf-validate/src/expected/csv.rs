//! Expected dates from a file.

use std::collections::BTreeSet;
use std::path::Path;

use bf_contract::parse_date;
use chrono::NaiveDate;

/// The dates in the first column of a file. Empty lines are passed over, and so is a heading.
///
/// # Errors
/// The file cannot be read, or a line begins with something that is no date.
pub(super) fn read(path: &Path) -> Result<BTreeSet<NaiveDate>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let text = error.to_string();
        let plain = text.split(" (os error").next().unwrap_or(&text);
        format!("expected_dates: reading {}: {plain}", path.display())
    })?;
    parse(&text).map_err(|reason| format!("expected_dates: {}: {reason}", path.display()))
}

fn parse(text: &str) -> Result<BTreeSet<NaiveDate>, String> {
    let mut dates = BTreeSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (at, line) in text.lines().enumerate() {
        let field = line.split([',', ';', '\t']).next().unwrap_or_default();
        let field = field.trim().trim_matches('"');
        match parse_date(field) {
            Ok(date) => {
                dates.insert(date);
            }
            Err(_) if field.is_empty() || at == 0 => {}
            Err(error) => return Err(format!("line {}: {error}", at + 1)),
        }
    }
    if dates.is_empty() {
        return Err("no date in it".to_owned());
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_first_column_counts_and_a_heading_does_not() {
        let dates = parse("\u{feff}game_date,games\n2024-01-02,7\n\n\"2024-01-01\",3\n");
        assert_eq!(dates.expect("dates").len(), 2);
    }

    #[test]
    fn a_file_without_dates_is_no_schedule() {
        assert!(parse("game_date\n").is_err());
        assert!(
            parse("game_date\n2024-01-01\nsoon\n")
                .expect_err("line 3")
                .contains("line 3")
        );
    }
}
