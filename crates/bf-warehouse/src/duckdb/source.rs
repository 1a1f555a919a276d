//! Where the tables are: a DuckDB file, or a folder with `DATASET/TABLE.parquet` and its like.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bf_contract::DateRange;

use super::flavor::DuckDbFlavor;
use crate::sql::Flavor as _;
use crate::{Ident, TableName, WarehouseError};

/// A file or a folder, and what of it is known to the program already.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    provided: BTreeSet<String>,
}

/// What makes a table known, and what a person is told of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statements {
    pub sql: String,
    pub note: String,
}

/// The endings of files, and how DuckDB reads them. Everything in a CSV file is text: an id that became a number would
/// lose its zeros.
const FORMATS: &[(&str, &str)] = &[
    (
        "parquet",
        "read_parquet({}, union_by_name = true, hive_partitioning = {hive})",
    ),
    (
        "csv",
        "read_csv({}, header = true, all_varchar = true, union_by_name = true)",
    ),
    (
        "csv.gz",
        "read_csv({}, header = true, all_varchar = true, union_by_name = true)",
    ),
    (
        "ndjson",
        "read_json({}, format = 'newline_delimited', union_by_name = true)",
    ),
    (
        "ndjson.gz",
        "read_json({}, format = 'newline_delimited', union_by_name = true)",
    ),
    (
        "jsonl",
        "read_json({}, format = 'newline_delimited', union_by_name = true)",
    ),
];

impl Source {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            provided: BTreeSet::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The DuckDB file; `None` for a folder.
    pub(super) fn file(&self) -> Option<&Path> {
        (!self.path.is_dir()).then_some(&*self.path)
    }

    /// Checks that it exists: the program would make a new file.
    pub(super) fn check(&self) -> Result<(), WarehouseError> {
        match fs::metadata(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(WarehouseError::FileMissing {
                    path: self.path.clone(),
                })
            }
            Err(error) => {
                let text = error.to_string();
                Err(WarehouseError::FileUnreadable {
                    path: self.path.clone(),
                    reason: text.split(" (os error").next().unwrap_or(&text).to_owned(),
                })
            }
        }
    }

    /// The statements that make a table known, the first time that it is asked for.
    ///
    /// # Errors
    /// [`WarehouseError::TableMissing`]: the folder has no such file.
    pub(super) fn provide(
        &mut self,
        table: &TableName,
    ) -> Result<Option<Statements>, WarehouseError> {
        self.check()?;
        if self.file().is_some() {
            return Ok(None);
        }
        let database = self.path.join(format!("{}.duckdb", table.dataset));
        let key = if database.is_file() {
            table.dataset.to_string()
        } else {
            table.to_string()
        };
        if self.provided.contains(&key) {
            return Ok(None);
        }
        let schema = DuckDbFlavor.quote(table.dataset.as_str());
        let statements = if database.is_file() {
            Statements {
                sql: format!("ATTACH {} AS {schema} (READ_ONLY)", literal(&database)),
                note: format!("{table} is in {}", database.display()),
            }
        } else {
            let files = self.files(table).ok_or_else(|| self.table_missing(table))?;
            Statements {
                sql: format!(
                    "CREATE SCHEMA IF NOT EXISTS {schema}; \
                     CREATE VIEW {} AS SELECT * FROM {}",
                    DuckDbFlavor.table(table),
                    files.reader(),
                ),
                note: format!("{table} is read from {}", files.pattern.display()),
            }
        };
        self.provided.insert(key);
        Ok(Some(statements))
    }

    /// The tables of a dataset of a folder; `None` for a file.
    pub(super) fn tables_of(&self, dataset: &Ident) -> Option<Vec<String>> {
        if self.file().is_some() {
            return None;
        }
        let entries = fs::read_dir(self.path.join(dataset.as_str()));
        let names = entries.into_iter().flatten().flatten();
        let names = names.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.split('.').next()?.to_owned())
        });
        Some(names.collect())
    }

    /// The tables of a folder whose names are in a piece of SQL.
    pub(super) fn mentioned(&self, sql: &str) -> Vec<TableName> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: Vec<&str> = sql.split(|c| !is_part(c)).collect();
        let is_mentioned = |name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
        let mut tables = Vec::new();
        let datasets = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in datasets {
            let name = entry.file_name();
            let Some(name) = name.to_str().map(|name| name.trim_end_matches(".duckdb")) else {
                continue;
            };
            let Some(dataset) = Ident::new(name).ok().filter(|_| is_mentioned(name)) else {
                continue;
            };
            let names = self.tables_of(&dataset).unwrap_or_default();
            let names = names.iter().filter(|name| is_mentioned(name));
            let names = names.filter_map(|name| Ident::new(name).ok());
            tables.extend(names.map(|table| TableName {
                dataset: dataset.clone(),
                table,
            }));
        }
        tables.sort();
        tables.dedup();
        tables
    }

    fn table_missing(&self, table: &TableName) -> WarehouseError {
        let folder = self.path.join(table.dataset.as_str());
        if !folder.is_dir() {
            return WarehouseError::FileMissing { path: folder };
        }
        let names = self.tables_of(&table.dataset).unwrap_or_default();
        let nearest = crate::nearest(table.table.as_str(), names.iter().map(String::as_str));
        WarehouseError::TableMissing {
            table: table.clone(),
            nearest: nearest.map(|name| format!("{}.{name}", table.dataset)),
        }
    }

    /// The files of a table: one, those of a folder of its name, or numbered parts.
    fn files(&self, table: &TableName) -> Option<Files> {
        let dataset = self.path.join(table.dataset.as_str());
        let name = table.table.as_str();
        FORMATS.iter().find_map(|(ending, reader)| {
            let one = dataset.join(format!("{name}.{ending}"));
            if one.is_file() {
                return Some(Files::new(one, reader));
            }
            let folder = dataset.join(name);
            if has_files(&folder, &|file| file.ends_with(&format!(".{ending}")), 4) {
                return Some(Files::new(folder.join(format!("**/*.{ending}")), reader));
            }
            let is_part = |file: &str| {
                let part = file
                    .strip_prefix(name)
                    .and_then(|part| part.strip_suffix(ending));
                part.is_some_and(|part| {
                    part.starts_with(['-', '_'])
                        && part[1..].starts_with(|c: char| c.is_ascii_digit())
                })
            };
            has_files(&dataset, &is_part, 0)
                .then(|| Files::new(dataset.join(format!("{name}[-_][0-9]*.{ending}")), reader))
        })
    }
}

/// Files and how they are read.
struct Files {
    pattern: PathBuf,
    reader: &'static str,
}

impl Files {
    const fn new(pattern: PathBuf, reader: &'static str) -> Self {
        Self { pattern, reader }
    }

    fn reader(&self) -> String {
        let is_folder = self.pattern.to_string_lossy().contains("**");
        self.reader
            .replace("{hive}", if is_folder { "true" } else { "false" })
            .replace("{}", &literal(&self.pattern))
    }
}

/// Whether a folder, down to a depth, has a file of that name.
fn has_files(folder: &Path, is_one: &dyn Fn(&str) -> bool, depth: u8) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return depth > 0 && has_files(&path, is_one, depth - 1);
        }
        entry.file_name().to_str().is_some_and(is_one)
    })
}

fn literal(path: &Path) -> String {
    DuckDbFlavor.text(&path.to_string_lossy())
}

/// A query that a person wrote, with the range in place of `@start` and `@end`.
///
/// # Errors
/// It is more than one statement.
pub(super) fn with_range(sql: &str, range: DateRange) -> Result<String, WarehouseError> {
    let sql = sql.trim().trim_end_matches(';');
    let mut filled = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql;
    while let Some(character) = rest.chars().next() {
        let mut width = character.len_utf8();
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, ';') => {
                return Err(WarehouseError::Query(
                    "its query must be one statement".to_owned(),
                ));
            }
            (None, '@' | '$') => {
                let name: String = rest[1..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let date = match &*name {
                    "start" => Some(range.start),
                    "end" => Some(range.end),
                    _ => None,
                };
                if let Some(date) = date {
                    filled.push_str(&DuckDbFlavor.date(date));
                    rest = &rest[1 + name.len()..];
                    continue;
                }
            }
            (None, _) => {}
        }
        if width > rest.len() {
            width = rest.len();
        }
        filled.push_str(&rest[..width]);
        rest = &rest[width..];
    }
    if filled.starts_with('.') {
        return Err(WarehouseError::Query(
            "its query must be one SELECT".to_owned(),
        ));
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> DateRange {
        DateRange {
            start: "2024-01-01".parse().expect("a date"),
            end: "2024-01-31".parse().expect("a date"),
        }
    }

    #[test]
    fn the_range_is_filled_in_outside_of_texts_alone() {
        let filled = with_range("SELECT '@start', @start, $end, @started;", range());
        assert_eq!(
            filled,
            Ok("SELECT '@start', DATE '2024-01-01', DATE '2024-01-31', @started".to_owned())
        );
        for sql in [
            "SELECT 1; DROP TABLE t",
            "SELECT 1;\n.shell ls",
            ".shell ls",
        ] {
            assert!(with_range(sql, range()).is_err(), "{sql}");
        }
        assert!(with_range("SELECT ';'", range()).is_ok());
    }

    #[test]
    fn a_table_is_a_file_a_folder_or_numbered_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "").expect("a file");
        };
        write("shop/orders.parquet");
        write("shop/items/year=2024/part-0.parquet");
        write("shop/visits-000000000000.csv");
        write("shop/visitors.ndjson");
        let mut source = Source::new(folder.path().to_owned());
        let mut sql = |table: &str| {
            let table: TableName = table.parse().expect("a table");
            source
                .provide(&table)
                .map(|found| found.map(|found| found.sql))
        };
        for (table, part) in [
            ("shop.orders", "orders.parquet', union_by_name"),
            (
                "shop.items",
                "items/**/*.parquet', union_by_name = true, hive_partitioning = true",
            ),
            ("shop.visits", "visits[-_][0-9]*.csv'"),
            ("shop.visitors", "read_json("),
        ] {
            let found = sql(table).expect("a table").expect("not yet provided");
            assert!(found.contains(part), "{found}");
            assert_eq!(sql(table), Ok(None));
        }
        let missing = sql("shop.order").expect_err("no such table");
        assert_eq!(missing.hint().as_deref(), Some("did you mean shop.orders?"));
        assert!(sql("store.orders").is_err_and(|error| error.is_absent()));
    }
}
