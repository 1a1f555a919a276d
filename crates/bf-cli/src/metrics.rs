//! Metrics in Prometheus' text format, for the node exporter's textfile collector.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Failure;

/// Where metrics go.
#[derive(Debug, Clone, Default, Args)]
pub struct MetricsArgs {
    /// Write metrics there, for Prometheus' textfile collector
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
}

impl MetricsArgs {
    /// The file that metrics are written to: the file itself if it is a link, as it is replaced whole each time.
    ///
    /// # Errors
    /// It is there and is not a regular file, or it is a link to nothing: usage (exit 2).
    pub fn path(&self) -> Result<Option<PathBuf>, Failure> {
        self.metrics_file.as_deref().map(regular_file).transpose()
    }
}

fn regular_file(path: &Path) -> Result<PathBuf, Failure> {
    let refuse = |what: &str| {
        Failure::usage(format!("--metrics-file {}: {what}", path.display()))
            .hint("nothing was started; give a regular file, or one that is not there yet")
    };
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(path.to_owned()),
        Ok(metadata) if metadata.is_file() => Ok(path.to_owned()),
        Ok(metadata) if metadata.is_symlink() => match std::fs::canonicalize(path) {
            Ok(target) if target.is_file() => Ok(target),
            Ok(_) => Err(refuse("it points to something that is not a regular file")),
            Err(_) => Err(refuse("it is a link to nothing")),
        },
        Ok(metadata) if metadata.is_dir() => Err(refuse("it is a folder")),
        Ok(_) => Err(refuse("it is not a regular file")),
    }
}

/// Adds a gauge with its samples: the labels of each, and its value. Without a sample it adds nothing.
pub fn gauge(
    text: &mut String,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (String, f64)>,
) {
    for (at, (labels, value)) in samples.into_iter().enumerate() {
        if at == 0 {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        }
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
}

/// A label: backslash, quote and line end are escaped.
#[must_use]
pub fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}
