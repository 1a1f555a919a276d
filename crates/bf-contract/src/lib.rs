//! The JSON documents that the bf tools exchange, and the codes they exit with.
//!
//! Types only: whoever replaces one tool by a script of their own needs this crate and nothing else.
//! The contract only ever grows. Adding a field is not a new version, readers ignore fields they do not
//! know, and the golden files beside the tests are kept for ever.

mod capability;
mod document;
mod exit;
mod failure;
mod header;
mod log_summary;
mod notification;
mod process_event;
mod range;
mod run_report;
mod run_status;
#[cfg(test)]
mod schemas;
mod stream;
mod validation_plan;
mod validation_report;

pub use capability::{Capability, CapabilityType};
pub use document::{Document, DocumentError, read_document};
pub use exit::Exit;
pub use failure::{FailureReport, FailureType};
pub use header::Schema;
pub use log_summary::{
    CheckpointDisagreement, Doubt, DoubtKind, ErrorClass, ErrorClassCount, LedgerEntry,
    LedgerEntryType, LedgerStatus, LogFile, LogState, LogSummary, LogSummaryType, percentage,
};
pub use notification::{
    Delivery, DeliveryStatus, DeliveryType, Notification, NotificationEvent, NotificationType,
};
pub use process_event::{
    AliveProcess, ExitSource, ProcessEvent, ProcessEventKind, ProcessEventType, ProcessExit,
    ProcessIdentity,
};
pub use range::{DateRange, DateRangeError, date_spans, parse_date};
pub use run_report::{
    HeldBy, Phase, PhaseAttempt, PhaseJob, PhaseStatus, RunReport, RunReportType, Window,
};
pub use run_status::{PhaseProgress, PhaseStep, RunState, RunStatus, RunStatusType};
pub use stream::StreamExit;
pub use validation_plan::{ValidationPlan, ValidationPlanType};
pub use validation_report::{
    Check, CheckStatus, Comparison, DateSpan, Day, DayStatus, Engine, Evidence, Level, MonthValue,
    Provenance, Rerun, Threshold, ValidationReport, ValidationReportType, Verdict,
};
