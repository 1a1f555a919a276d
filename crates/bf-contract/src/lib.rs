//! The JSON documents that the bf tools exchange, and the codes they exit with.
//!
//! Types only: whoever replaces one tool by a script of their own needs this crate and nothing else.
//! The contract only ever grows. Adding a field is not a new version, readers ignore fields they do not
//! know, and the golden files beside the tests are kept for ever.

#![deny(missing_docs)]

mod document;
mod exit;
mod log_summary;
mod notification;
mod process_event;
mod range;
mod run_report;
mod run_status;
mod validation_report;

pub use document::{Document, DocumentError, Schema, read_document};
pub use exit::Exit;
pub use log_summary::{
    CheckpointDisagreement, ErrorClass, ErrorClassCount, LedgerEntry, LedgerEntryType,
    LedgerStatus, LogFile, LogState, LogSummary, LogSummaryType, percentage,
};
pub use notification::{
    Delivery, DeliveryStatus, DeliveryType, Notification, NotificationEvent, NotificationType,
};
pub use process_event::{
    ExitSource, ProcessEvent, ProcessEventKind, ProcessEventType, ProcessExit, ProcessIdentity,
};
pub use range::{DateRange, DateRangeError, date_spans, parse_date};
pub use run_report::{HeldBy, Phase, PhaseJob, PhaseStatus, RunReport, RunReportType};
pub use run_status::{PhaseProgress, PhaseStep, RunState, RunStatus, RunStatusType};
pub use validation_report::{
    Check, CheckStatus, Comparison, DateSpan, Engine, Evidence, Level, Rerun, Threshold,
    ValidationReport, ValidationReportType, Verdict,
};
