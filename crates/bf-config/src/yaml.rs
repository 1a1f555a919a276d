//! The one reader of YAML: configs, plans, suites and dialects come through it. It is strict: one document, no
//! key twice in a map, and no unknown key if the type denies unknown fields.

use std::path::Path;

use bf_cli::{Context, Failure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::unique::UniqueKeys;

/// Reads a YAML file of type `T`; an unknown key is refused with its line if `T` denies unknown fields.
///
/// # Errors
/// The file is missing or unreadable, not YAML, or not of the type: usage (exit 2), with the line.
pub fn load_yaml<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    parse_yaml(&read_yaml(path)?, &path.display().to_string())
}

/// Reads the text of a YAML file.
///
/// # Errors
/// The file is missing or unreadable: usage (exit 2).
pub fn read_yaml(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).or_usage(|| format!("reading {}", path.display()));
    text.map_err(|failure| match std::env::current_dir() {
        Ok(folder) if path.is_relative() => failure.hint(format!(
            "nothing was started; the path is looked for in {}",
            folder.display()
        )),
        _ => failure.hint("nothing was started; check the path and who may read it"),
    })
}

/// Reads YAML text of type `T`; `name` is how an error calls the text.
///
/// # Errors
/// Not YAML, a key twice in one map, or not of the type: usage (exit 2), with the line.
pub fn parse_yaml<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Failure> {
    read(text).map_err(|error| {
        Failure::usage(format!("{name}: {error}")).hint("nothing was started; fix that line")
    })
}

/// Reads YAML text; the error is one line that ends with the place.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_yaml::from_str::<UniqueKeys>(text)
        .and_then(|_| serde_yaml::from_str(text))
        .map_err(|error| in_words(&error.to_string().replace('\n', " "), text))
}

/// An error in the words of those who write the file.
fn in_words(error: &str, text: &str) -> String {
    let has_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if error.contains("cannot start any token")
        && let Some(at) = text.lines().position(has_tab)
    {
        return format!("a tab at line {}: YAML is indented with spaces", at + 1);
    }
    error.replace(", expected f64", ", expected a number without a unit")
}

/// Writes a value as YAML text.
///
/// # Errors
/// The value has a form that YAML cannot hold: a defect of ours (exit 3).
pub fn write_yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_yaml::to_string(value).or_could_not_check(|| "writing YAML".to_owned())
}
