//! The command line.

use std::path::PathBuf;

use bf_cli::{Format, OutputArgs, ToolArgs};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  The page of a run, for a browser:
    bf-report .bf/runs/20260103T134512Z-4711 --html report.html

  What one validator found, as the summary of a CI job:
    bf-validate-team-offense 2024-01-01 2024-01-31 --format json | bf-report - --markdown -

  Test results for a CI system, and lines that it shows beside the code:
    bf-report validation.ndjson --junit junit.xml --annotations

  What changed since the last run:
    bf-report .bf/runs/NEW --compare .bf/runs/OLD --html report.html

Exit codes:
  0 the report of a directory or a file was written, whatever its verdict    2 usage; nothing was written
  3 there is no document to report, it cannot be read, or the report cannot be written
  from standard input: the code of the tools that wrote the documents (a table that failed is a 1; documents
  that are truncated, or hold no verdict, are a 3), as sh drops it in a pipe";

/// Turn documents into a page: HTML, Markdown or JUnit
///
/// Reads any stream of bf documents: the directory of a run, a file, or standard input.
#[derive(Debug, Parser)]
#[command(name = "bf-report", version, after_help = EXAMPLES)]
pub struct Args {
    /// The directory of a run, a file of documents, or - for standard input
    #[arg(value_name = "RUN_DIR|FILE|-", default_value = "-")]
    pub input: PathBuf,

    /// Write a self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Write a short report in Markdown; - is standard output [default, if no other form is asked for: -]
    #[arg(long, value_name = "FILE|-")]
    pub markdown: Option<PathBuf>,

    /// Write test results in the JUnit format
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Print an ::error or ::warning line for each finding, as GitHub Actions shows them
    #[arg(long)]
    pub annotations: bool,

    /// Add what changed since this run or report
    #[arg(long, value_name = "OTHER")]
    pub compare: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArgs,
}

impl Args {
    /// Whether standard output is a form of the report, and no list of files.
    pub(crate) fn prints_a_form(&self) -> bool {
        self.prints_markdown() || self.annotations
    }

    /// Whether Markdown goes to standard output.
    pub(crate) fn prints_markdown(&self) -> bool {
        match &self.markdown {
            Some(path) => path.as_os_str() == "-",
            None => self.html.is_none() && self.junit.is_none() && !self.annotations,
        }
    }
}

impl ToolArgs for Args {
    fn format(&self) -> Format {
        if self.prints_markdown() || self.annotations {
            // A failure must not end in a page.
            Format::Text
        } else {
            self.output.format
        }
    }
}
