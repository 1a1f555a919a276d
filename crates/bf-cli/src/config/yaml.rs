//! Any other YAML that a tool takes, read as strictly as the config.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Context, Failure};

/// Reads a YAML file of type `T`; an unknown key is refused with its line where `T` denies unknown fields.
///
/// # Errors
/// The file is missing or unreadable, not YAML, or not of the type: usage (exit 2), with the line.
pub fn load_yaml<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).or_usage(|| format!("reading {}", path.display()))?;
    parse_yaml(&text, &path.display().to_string())
}

/// Reads YAML text of type `T`; `name` says in an error where the text is from.
///
/// # Errors
/// Not YAML, or not of the type: usage (exit 2), with the line.
pub fn parse_yaml<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Failure> {
    serde_yaml::from_str(text).map_err(|error| {
        Failure::usage(format!("{name}: {}", error.to_string().replace('\n', " ")))
            .hint("nothing was started; mend that line")
    })
}

/// Writes a value as YAML text.
///
/// # Errors
/// The value has a form that YAML cannot hold: a defect of ours (exit 3).
pub fn write_yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_yaml::to_string(value).or_could_not_check(|| "writing YAML".to_owned())
}
