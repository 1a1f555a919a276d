//! Why a warehouse did not answer; typed where a caller acts on the difference.

use std::fmt;
use std::path::PathBuf;

use crate::TableName;

/// What is missing when an engine denies an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A login, or one that is still valid.
    NoLogin,
    /// Something in a file of credentials.
    File,
    /// The permission to run queries in the project.
    Jobs,
    /// The permission to read the dataset or the table.
    Data,
    /// The permission to see rows.
    Rows,
    /// Anything else.
    Other,
}

/// Why a warehouse did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseError {
    /// The URL is none of a warehouse: a usage error, nothing was opened.
    Url {
        /// The URL as it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// SQLite: the dataset's file is not there.
    FileMissing {
        /// The path that was looked at.
        path: PathBuf,
    },
    /// SQLite: the dataset's file is there and cannot be read as a database.
    FileUnreadable {
        /// The path that was looked at.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The dataset is there and has no such table; in BigQuery the dataset may be missing, too.
    TableMissing {
        /// The table.
        table: TableName,
        /// The table of the same dataset that is most like it.
        nearest: Option<String>,
    },
    /// The table has no such column.
    ColumnMissing {
        /// The table.
        table: TableName,
        /// The column that was asked for.
        column: String,
        /// The column that is most like it.
        nearest: Option<String>,
    },
    /// The engine cannot be reached, or gave up for reasons of its own after all retries.
    Unreachable(String),
    /// No credentials, or not the permission.
    Denied(Denial, String),
    /// BigQuery: the query would be charged for more than `maximum_bytes_billed`.
    TooManyBytes {
        /// The limit, in bytes.
        limit: u64,
        /// What the engine says.
        reason: String,
    },
    /// A quota is used up.
    Quota(String),
    /// The deadline passed.
    TimedOut(String),
    /// The caller asked to stop.
    Interrupted,
    /// The engine refused or broke off the query.
    Query(String),
    /// What was read changed while it was read, so that nothing holds.
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl WarehouseError {
    /// Whether what was asked for does not exist, as opposed to giving no answer.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::TableMissing { .. } | Self::FileMissing { .. })
    }

    /// Whether no further query can succeed: an interrupt, or the deadline.
    #[must_use]
    pub fn ends_the_run(&self) -> bool {
        matches!(self, Self::Interrupted | Self::TimedOut(_))
    }

    /// The way out, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::FileMissing { .. } => {
                "the warehouse is a folder with a file or a folder for each dataset: DIR/DATASET.db for sqlite:DIR"
                    .to_owned()
            }
            Self::FileUnreadable { reason, .. } if reason.starts_with("not a SQLite database") => {
                "each dataset must be a SQLite database".to_owned()
            }
            Self::TableMissing { nearest, .. } | Self::ColumnMissing { nearest, .. } => {
                format!("did you mean {}?", nearest.as_ref()?)
            }
            Self::Denied(Denial::NoLogin, _) => {
                "log in with: gcloud auth application-default login (or name a file of credentials with \
                 GOOGLE_APPLICATION_CREDENTIALS, or give a token with BF_BIGQUERY_TOKEN)"
                    .to_owned()
            }
            Self::Denied(Denial::File, _) => return None,
            Self::Denied(Denial::Jobs, _) => {
                "ask for the role BigQuery Job User in the project that pays for the queries".to_owned()
            }
            Self::Denied(Denial::Data, _) => {
                "ask for the role BigQuery Data Viewer on the dataset".to_owned()
            }
            Self::Denied(Denial::Rows, _) => {
                "a row access policy hides rows, so that nothing can be checked; ask for a policy that shows all of them"
                    .to_owned()
            }
            Self::Denied(Denial::Other, _) => {
                "reading needs the roles BigQuery Job User (project) and BigQuery Data Viewer (dataset)"
                    .to_owned()
            }
            Self::TooManyBytes { .. } => {
                "raise the limit with bigquery://PROJECT?maximum_bytes_billed=BYTES, or choose a shorter range"
                    .to_owned()
            }
            Self::Changed { .. } => {
                "run again when nothing writes, or make the folder writable".to_owned()
            }
            Self::Url { .. }
            | Self::Unreachable(_)
            | Self::Quota(_)
            | Self::TimedOut(_)
            | Self::Interrupted
            | Self::FileUnreadable { .. }
            | Self::Query(_) => return None,
        })
    }
}

impl fmt::Display for WarehouseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, reason } => write!(f, "warehouse {url:?}: {reason}"),
            Self::FileMissing { path } => write!(f, "{}: no such warehouse file", path.display()),
            Self::FileUnreadable { path, reason } => {
                write!(f, "warehouse file {}: {reason}", path.display())
            }
            Self::TableMissing { table, .. } => write!(f, "table {table} not found"),
            Self::ColumnMissing { table, column, .. } => {
                write!(f, "table {table} has no column {column}")
            }
            Self::Unreachable(reason)
            | Self::Denied(_, reason)
            | Self::Quota(reason)
            | Self::TimedOut(reason)
            | Self::Query(reason) => f.write_str(reason),
            Self::TooManyBytes { limit, reason } => {
                write!(
                    f,
                    "the query would be charged for more than {limit} bytes: {reason}"
                )
            }
            Self::Interrupted => f.write_str("interrupted"),
            Self::Changed { path } => {
                write!(f, "{} changed while it was read", path.display())
            }
        }
    }
}

impl std::error::Error for WarehouseError {}
