//! How a tool reports that it could not do its work.

use bf_contract::{Exit, FailureReport, FailureType, Schema};

/// Why a tool ended without a verdict: one line, a hint if there is something to do, and the code.
#[derive(Debug)]
pub struct Failure {
    /// The code to exit with.
    pub exit: Exit,
    /// One line, lower case, that names the thing.
    pub message: String,
    /// The way out, if there is one.
    pub hint: Option<String>,
    /// Whether a document on standard output reports it already.
    pub is_reported: bool,
}

impl Failure {
    /// A wrong call or configuration: nothing was started (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something that could not be checked (exit 3).
    pub fn could_not_check(message: impl Into<String>) -> Self {
        Self::new(Exit::CouldNotCheck, message)
    }

    /// A failure with a code of its own.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            is_reported: false,
        }
    }

    /// The reader of a view went away, and that is all right (exit 0): `status | head`.
    pub(crate) fn silent() -> Self {
        Self {
            is_reported: true,
            ..Self::new(Exit::Success, "")
        }
    }

    /// Whether there is nothing to report.
    pub(crate) fn is_silent(&self) -> bool {
        self.exit == Exit::Success && self.message.is_empty()
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Failure {
    /// The failure as a document of `tool`.
    #[must_use]
    pub fn document(&self, tool: &str) -> FailureReport {
        FailureReport {
            kind: FailureType,
            schema: Schema,
            tool: tool.to_owned(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            exit_code: self.exit.code(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Turns the error of an operation into a [`Failure`] that names what was being done.
pub trait Context<T> {
    /// `reading logs/x.log` + the error, as something that could not be checked (exit 3).
    ///
    /// # Errors
    /// The error of `self`, with `doing` before it.
    fn or_could_not_check(self, doing: impl FnOnce() -> String) -> Result<T, Failure>;

    /// `reading config/x.yaml` + the error, as a wrong call or configuration (exit 2).
    ///
    /// # Errors
    /// The error of `self`, with `doing` before it.
    fn or_usage(self, doing: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: std::fmt::Display> Context<T> for Result<T, E> {
    fn or_could_not_check(self, doing: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::could_not_check(format!("{}: {}", doing(), plain(&error))))
    }

    fn or_usage(self, doing: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::usage(format!("{}: {}", doing(), plain(&error))))
    }
}

/// The error's text without the number that `std::io::Error` puts after it.
fn plain(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) if text.ends_with(')') => text[..at].to_owned(),
        _ => text,
    }
}
