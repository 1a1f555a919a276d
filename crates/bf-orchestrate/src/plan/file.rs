//! A plan as a file: strict YAML.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use bf_cli::Seconds;
use bf_config::Hours;
use bf_contract::DateRange;
use serde::{Deserialize, Serialize};

use super::model::{AfterReboot, CheckAgain, OnFail, OnHang, OnTimeout, RetryOn};
use super::window_size::WindowSize;
use super::words::words;

/// The file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanFile {
    /// The plan's name; the file's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The warehouse's URL; the config's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) warehouse: Option<String>,
    /// How many phases may run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<NonZeroUsize>,
    /// The range of phases that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<DateRange>,
    /// What must be so before anything is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) preflight: Vec<PreflightFile>,
    pub(super) phases: Vec<PhaseFile>,
    /// What a person does after a run in which everything passed; the config's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_steps: Option<Vec<String>>,
}

/// A command that says whether the run may begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PreflightFile {
    pub(super) name: String,
    #[serde(deserialize_with = "words")]
    pub(super) command: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<Seconds>,
}

/// A phase in the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseFile {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) needs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<DateRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<JobFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cwd: Option<PathBuf>,
    /// The dialect that its log is in: `built-in`, or a name of the config's `dialects`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dialect: Option<String>,
    pub(super) validate: Vec<ValidatorFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout_hours: Option<Hours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retries: Option<RetriesFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) check_again: Option<CheckAgain>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) on_fail: OnFail,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) after_reboot: AfterReboot,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) on_timeout: OnTimeout,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) on_hang: OnHang,
    /// How long a validator may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validate_timeout: Option<Seconds>,
    /// The size of the windows that it is run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) windows: Option<WindowSize>,
    /// After how many failed windows no other one is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stop_after: Option<NonZeroU32>,
    /// How many windows may run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<NonZeroUsize>,
}

/// A job: exactly one of `command`, `attach` and `already_done`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JobFile {
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    pub(super) command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    pub(super) restart_command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attach: Option<AttachFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) already_done: Option<AlreadyDoneFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachFile {
    pub(super) pid: std::num::NonZeroU32,
    pub(super) log: PathBuf,
    /// What its command line must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expect_cmd: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlreadyDoneFile {
    pub(super) log: PathBuf,
}

/// What judges a table: exactly one of `validator` and `suite`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ValidatorFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suite: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetriesFile {
    pub(super) limit: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backoff: Option<Seconds>,
    /// `failed_dates` if there is a command for them, else `failure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) on: Option<RetryOn>,
    /// The command for dates that failed.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "words"
    )]
    pub(super) command: Vec<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::{super::yaml_schema, PlanFile};

    #[test]
    fn the_schema_of_the_plan_is_current() {
        yaml_schema::assert_current::<PlanFile>("plan");
    }
}
