//! Columns of a suite file that are misspelt: the table lacks them, and has one that is a slip away.

use bf_cli::Failure;
use bf_warehouse::{Columns, Ident, TableName};

use super::Suite;
use crate::rerun::is_slip;

/// A word with fewer letters is rather another word: `ft_makes` is not `fg_makes`.
const SHORT: usize = 4;

impl Suite {
    /// Refuses a column that is misspelt. A column that is simply not there is for the check that needs it, and one that
    /// an optional check names may well be missing.
    ///
    /// # Errors
    /// A misspelt column: usage (exit 2), with its line.
    pub(crate) fn verify_columns(&self, columns: &Columns) -> Result<(), Failure> {
        let Some((origin, text)) = &self.source else {
            return Ok(());
        };
        let mut suite = self.resolved(columns);
        suite.checks.retain(|check| !check.optional);
        let named = suite.columns_mut();
        let named = named.iter().map(|name| &**name);
        refuse(origin, text, &self.table, named, columns)
    }

    /// The same of the partner's columns.
    ///
    /// # Errors
    /// A misspelt column: usage (exit 2), with its line.
    pub(crate) fn verify_partner(&self, columns: &Columns) -> Result<(), Failure> {
        let (Some((origin, text)), Some(partner)) = (&self.source, &self.partner) else {
            return Ok(());
        };
        let checks = self.checks.iter().filter(|check| !check.optional);
        let named = checks.flat_map(|check| check.kind.columns_of_partner());
        let named = named.chain([&partner.date_column]);
        refuse(origin, text, &partner.table, named, columns)
    }
}

fn refuse<'a>(
    origin: &str,
    text: &str,
    table: &TableName,
    named: impl Iterator<Item = &'a Ident>,
    columns: &Columns,
) -> Result<(), Failure> {
    let mut lacking = named.filter(|name| columns.get(name).is_none());
    match lacking.find_map(|name| Some((name, meant(name, columns)?))) {
        None => Ok(()),
        Some((name, meant)) => Err(Failure::usage(format!(
            "{origin}: {table} has no column {name}{}",
            place(text, name.as_str())
        ))
        .hint(format!("did you mean {meant}?"))),
    }
}

/// The column of the table that a name is a slip away from.
fn meant<'a>(name: &Ident, columns: &'a Columns) -> Option<&'a str> {
    let known = columns.iter().map(|column| column.name.as_str());
    known
        .filter(|known| is_misspelt(name.as_str(), known))
        .min()
}

fn is_misspelt(name: &str, known: &str) -> bool {
    let (name, known) = (name.to_ascii_lowercase(), known.to_ascii_lowercase());
    let words = |text: &str| text.split('_').map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (words(&name), words(&known));
    if ours.len() != theirs.len() {
        return is_slip(&name, &known);
    }
    let mut both = ours.iter().zip(&theirs);
    both.all(|(one, other)| one == other || (other.len() >= SHORT && is_slip(one, other)))
}

/// Where a word is in a text: ` at line 3 column 5`. A comment names no column.
fn place(text: &str, word: &str) -> String {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let find = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default();
        let mut all = line.match_indices(word);
        all.find(|(at, _)| {
            let (before, after) = (&line[..*at], &line[at + word.len()..]);
            !before.trim_start().starts_with('#')
                && !before.ends_with(is_part)
                && !after.starts_with(is_part)
                && !after.starts_with(':')
        })
        .map(|(at, _)| at + 1)
    };
    let mut lines = text.lines().enumerate();
    let found = lines.find_map(|(number, line)| Some((number + 1, find(line)?)));
    found.map_or_else(String::new, |(line, column)| {
        format!(" at line {line} column {column}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_a_column_is_found_and_another_column_is_not() {
        for (name, known) in [
            ("usage_rat", "usage_rate"),
            ("pionts", "points"),
            ("minuts_playd", "minutes_played"),
            ("usagerate", "usage_rate"),
            ("Game_Dates", "game_date"),
        ] {
            assert!(is_misspelt(name, known), "{name}");
        }
        for (name, known) in [
            ("usage_rate", "usage_rate_valid"),
            ("ft_makes", "fg_makes"),
            ("home_points", "away_points"),
            ("quality_tier", "data_quality_tier"),
            ("feature_1", "feature_2"),
        ] {
            assert!(!is_misspelt(name, known), "{name}");
        }
    }

    #[test]
    fn a_misspelt_column_of_the_partner_is_refused_with_what_is_meant() {
        let text = "suite: a\ntable: b.c\ndate_column: day\nprimary_key: [id]\n\
            partner: {table: b.totals, date_column: day}\nchecks:\n  \
            - {name: x, sums: {columns: [store], column: amount, partner_column: totl}, at_least: 99}\n";
        let mut suite = Suite::parse(text, "a test").expect("a suite");
        suite.source = Some(("s.yaml".to_owned(), text.to_owned()));
        let columns = |names: &[&str]| {
            let columns = names.iter().map(|name| bf_warehouse::Column {
                name: (*name).to_owned(),
                kind: bf_warehouse::ColumnKind::Other,
                data_type: String::new(),
            });
            Columns::new(columns.collect())
        };
        let failure = suite.verify_partner(&columns(&["day", "store", "total"]));
        let failure = failure.expect_err("a slip");
        assert_eq!(
            failure.message,
            "s.yaml: b.totals has no column totl at line 7 column 72"
        );
        assert_eq!(failure.hint.as_deref(), Some("did you mean total?"));
        let other = columns(&["day", "store", "revenue"]);
        assert!(suite.verify_partner(&other).is_ok(), "another word");
    }

    #[test]
    fn a_column_is_found_where_it_is_named() {
        let text =
            "# pionts\nsuite: a\nchecks:\n  - {name: pionts_of, share: {of: {column: pionts}}}\n";
        assert_eq!(place(text, "pionts"), " at line 4 column 44");
    }
}
