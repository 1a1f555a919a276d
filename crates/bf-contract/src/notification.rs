//! `notification`: something that a person is told about a run, and `delivery`: whether it reached them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::header::{Schema, document_type, or_unknown};
use crate::{RunReport, Verdict};

document_type! {
    /// The `type` of a [`Notification`].
    NotificationType = "notification"
}

document_type! {
    /// The `type` of a [`Delivery`].
    DeliveryType = "delivery"
}

/// What a person is told about.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// The run began.
    RunStarted,
    /// A phase's job was started, or is now watched.
    PhaseStarted,
    /// A phase has finished.
    PhaseEnded,
    /// Process, log or data say that something is wrong; the next phase does not start.
    GateFailed,
    /// One of the three could not be checked; the next phase does not start.
    CouldNotCheck,
    /// No log, but the process works.
    Quiet,
    /// Something moves, but no date gets done.
    Stalled,
    /// Nothing moves that can be read.
    Hung,
    /// The run is interrupted; `resume` continues it.
    Interrupted,
    /// The run has finished. The last event; it carries the report.
    RunFinished,
    /// Nothing happened: a test of whether notifications arrive.
    Test,
    /// An event that only a newer bf knows. Only a document may have it; a config file that names another
    /// event is refused.
    #[serde(skip_deserializing)]
    Unknown,
}

impl NotificationEvent {
    /// The word in documents and in the config.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RunStarted => "run_started",
            Self::PhaseStarted => "phase_started",
            Self::PhaseEnded => "phase_ended",
            Self::GateFailed => "gate_failed",
            Self::CouldNotCheck => "could_not_check",
            Self::Quiet => "quiet",
            Self::Stalled => "stalled",
            Self::Hung => "hung",
            Self::Interrupted => "interrupted",
            Self::RunFinished => "run_finished",
            Self::Test => "test",
            Self::Unknown => "unknown",
        }
    }

    fn of_document<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        or_unknown(deserializer, Self::Unknown)
    }

    fn of_delivery<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        #[derive(Deserialize)]
        struct Event(
            #[serde(deserialize_with = "NotificationEvent::of_document")] NotificationEvent,
        );
        Ok(Option::<Event>::deserialize(deserializer)?.map(|Event(event)| event))
    }
}

/// Something that a person is told about a run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Always `notification`.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// Always 1.
    pub schema: Schema,
    /// What happened.
    #[serde(deserialize_with = "NotificationEvent::of_document")]
    pub event: NotificationEvent,
    /// When it happened, which may be long before it is told.
    pub time: DateTime<Utc>,
    /// The run's name.
    pub run_id: String,
    /// A name of the run that no other run of any machine has: a UUID; absent where there is no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_uuid: Option<String>,
    /// The plan's name, or the suite's where there is no plan; absent where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The machine that it happened on; absent where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The page of `bf-report`; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Where the run's state and the tools' documents are.
    pub run_dir: Option<String>,
    /// The phase it is about; null where it is about the run.
    pub phase: Option<String>,
    /// What the phase or the run came to; null where it has not come to anything yet.
    pub verdict: Option<Verdict>,
    /// One line that says it all.
    pub title: String,
    /// What else there is to know: several lines, plain text.
    pub text: String,
    /// The digest of the whole run; only with `run_finished`.
    pub run_report: Option<Box<RunReport>>,
}

/// What became of a notification on one channel.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The channel took it.
    Delivered,
    /// Nothing was sent; the channel could be.
    Reachable,
    /// It did not arrive, or the channel cannot be reached.
    Failed,
    /// A status that only a newer bf knows; never a delivery.
    #[serde(other)]
    Unknown,
}

/// Whether one channel took a notification.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Always `delivery`.
    #[serde(rename = "type")]
    pub kind: DeliveryType,
    /// Always 1.
    pub schema: Schema,
    /// The channel's name in the config.
    pub channel: String,
    /// What was to be delivered; null where nothing was to be sent.
    #[serde(deserialize_with = "NotificationEvent::of_delivery")]
    pub event: Option<NotificationEvent>,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried, 0 where it was not; null where that was cut short.
    pub attempts: Option<u32>,
    /// One line that says why it failed; null where it did not.
    pub reason: Option<String>,
}
