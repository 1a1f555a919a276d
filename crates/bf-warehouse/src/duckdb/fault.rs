//! What the `duckdb` program says when it does not answer.

use std::ffi::OsStr;
use std::path::Path;

use crate::WarehouseError;

/// The program could not be started.
pub(super) fn no_start(name: &OsStr, error: &std::io::Error) -> WarehouseError {
    let name = name.to_string_lossy();
    if error.kind() == std::io::ErrorKind::NotFound {
        return WarehouseError::Unreachable(format!(
            "no program {name}: install DuckDB's command line program (pip install duckdb-cli, or \
             https://duckdb.org/install), or name it with BF_DUCKDB"
        ));
    }
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason);
    WarehouseError::Unreachable(format!("starting {name}: {reason}"))
}

/// The program ended before it answered: mostly, it could not open the file.
pub(super) fn ended(lines: &[String]) -> WarehouseError {
    let text = message(lines);
    let has = |words: &str| text.to_ascii_lowercase().contains(words);
    if has("conflicting lock") || has("could not set lock") {
        return WarehouseError::Unreachable(format!(
            "the file is open for writing in another process; run again after it has ended, or validate a copy ({text})"
        ));
    }
    if has("version number") || has("storage version") || has("newer version") {
        return WarehouseError::Unreachable(format!(
            "the file was written by another version of DuckDB; name a duckdb program of that version with BF_DUCKDB \
             ({text})"
        ));
    }
    if text.is_empty() {
        return WarehouseError::Unreachable("duckdb ended without an answer".to_owned());
    }
    WarehouseError::Unreachable(format!("duckdb: {text}"))
}

/// The program refused a statement.
pub(super) fn refused(lines: &[String]) -> WarehouseError {
    WarehouseError::Query(format!("DuckDB: {}", message(lines)))
}

/// Whether a statement was refused because its table does not exist.
pub(super) fn is_about_a_missing_table(error: &WarehouseError) -> bool {
    matches!(error, WarehouseError::Query(text)
        if text.contains("does not exist") && text.contains("Catalog Error"))
}

/// Names the file in an error about it.
pub(super) fn with_source(error: WarehouseError, path: &Path) -> WarehouseError {
    match error {
        WarehouseError::Unreachable(reason) => {
            WarehouseError::Unreachable(format!("{}: {reason}", path.display()))
        }
        other => other,
    }
}

/// The program's words, in one line, without the excerpt of the SQL that follows them.
fn message(lines: &[String]) -> String {
    let words = lines.iter().map(|line| line.trim());
    let words = words.take_while(|line| !line.starts_with("LINE "));
    let words: Vec<&str> = words.filter(|line| !line.is_empty()).collect();
    words.join(" ")
}
