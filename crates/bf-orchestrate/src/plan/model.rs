//! A plan, resolved: what is to be done, as it is kept in the run directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bf_cli::Seconds;
use bf_contract::DateRange;
use serde::{Deserialize, Serialize};

use super::window_size::WindowSize;

/// All phases of a run, in the order that they may start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The plan's name: only a plan of the same name resumes a run.
    pub name: String,
    /// The phases; a phase's needs stand before it.
    pub phases: Vec<PhasePlan>,
    pub warehouse: String,
    /// How many phases may run at a time, at least 1.
    pub concurrency: usize,
    /// What must be so before anything is started, in order.
    #[serde(default)]
    pub preflight: Vec<Preflight>,
    /// What a person does after a run in which everything passed.
    pub next_steps: Vec<String>,
    /// The folder in which the run was begun, absolute: relative paths and the jobs themselves are meant to be
    /// there, wherever the run is resumed. `None` for a run of a build that did not write it down.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// The command that begins a run of this plan, with every flag that was given; empty for one of an older bf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_command: Vec<String>,
    /// The flags that another command about the run needs as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_flags: Vec<String>,
    /// The config that the run was begun with; `None` for the built-in one. The run's own copy holds no
    /// secrets, so that people are told by this one.
    pub config_file: Option<PathBuf>,
}

/// A command that says whether a run may begin: exit code 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preflight {
    /// Its name, unique in the plan.
    pub name: String,
    /// The program and its arguments, with the plan's range filled in.
    pub command: Vec<String>,
    /// How long it may take.
    pub timeout: Seconds,
}

/// One backfill job and its gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhasePlan {
    /// Its name, unique in the plan.
    pub name: String,
    /// The phases whose gates it waits for.
    pub needs: Vec<String>,
    /// The table that it fills, `dataset.table`.
    pub table: String,
    /// The dates that it fills.
    pub range: DateRange,
    /// Its job; a phase without one is a gate only.
    pub job: Option<Job>,
    /// The dialect that its log is in, by name; `None` where the log itself is to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// What judges the tables, in order; the worst verdict counts.
    pub validate: Vec<Validator>,
    /// How long its job may take, from the job's own start.
    pub timeout: Seconds,
    /// When its job is run again.
    pub retries: Retries,
    /// When a gate that could not be checked is checked again.
    pub check_again: CheckAgain,
    /// What a failed gate means for the phases that need this one.
    pub on_fail: OnFail,
    /// What happens to a job that ran when the machine went down.
    pub after_reboot: AfterReboot,
    /// What happens to a job whose time has passed.
    #[serde(default)]
    pub on_timeout: OnTimeout,
    /// What happens to a job that hangs.
    #[serde(default)]
    pub on_hang: OnHang,
    /// How long a validator may take.
    #[serde(default = "an_hour")]
    pub validate_timeout: Seconds,
    /// How it is run in windows; `None` as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// The documents of the log of an earlier run, of a phase that is judged again and not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_log: Option<PathBuf>,
    /// Whether its windows were judged: no share of the whole range is too small for its threshold.
    #[serde(skip)]
    pub follows_windows: bool,
    /// What is shown of the text of its tools.
    #[serde(skip)]
    pub text: ToolText,
}

/// How a phase is run in windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Windows {
    /// How large they are.
    pub size: WindowSize,
    /// After how many failed windows no other one is started, at least 1.
    pub stop_after: u32,
    /// How many may run at a time, at least 1.
    pub concurrency: usize,
    /// The job, with the placeholders still in it.
    pub job: Job,
}

/// How long a validator may take whose plan does not say it.
pub(crate) const fn an_hour() -> Seconds {
    Seconds::new(3600)
}

/// What is shown of the text of a phase's tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ToolText {
    #[default]
    All,
    WatchOnly,
    None,
}

/// What happens to a job that the run started and whose time has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnTimeout {
    /// It is left running.
    #[default]
    Leave,
    /// It is ended: SIGTERM, then SIGKILL.
    Kill,
}

/// What happens to a job that the run started and that hangs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnHang {
    /// It is reported.
    #[default]
    Report,
    /// It is ended: SIGTERM, then SIGKILL.
    Kill,
}

/// Where a phase's process comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Job {
    /// A process that was started elsewhere.
    Attach {
        pid: u32,
        /// The log that it writes.
        log: PathBuf,
        /// What its command line must contain; `None` where any process is taken that may be a job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect_cmd: Option<String>,
    },
    /// A job that has finished: only its log and its table are judged.
    AlreadyDone {
        /// The log that it wrote.
        log: PathBuf,
    },
    /// A process that the run starts.
    Command(Command),
}

/// A job that the run starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Command {
    /// The program and its arguments, with the range filled in.
    pub command: Vec<String>,
    /// The same job taking up where it stopped, for a person to run after a crash; may be empty.
    pub restart_command: Vec<String>,
    /// Environment variables on top of the inherited ones.
    pub env: BTreeMap<String, String>,
    /// Its working directory; the current one where it is not given.
    pub cwd: Option<PathBuf>,
    /// The log that its output is appended to.
    pub log: PathBuf,
}

/// What judges a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validator {
    /// The file name of the validator.
    pub program: String,
    /// The suite that it is given; `None` for a validator that knows its own.
    pub suite: Option<PathBuf>,
}

/// When a job that did not come through its gate is run again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retries {
    /// How often, at most.
    pub limit: u32,
    /// How long to wait before.
    pub backoff: Option<Seconds>,
    pub on: RetryOn,
    /// The command for dates that failed, with `{dates}`, `{date}`, or `{start}` and `{end}`; empty for the job's own
    /// with `--dates`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// What a job is run again for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryOn {
    /// A failed gate: the same command again, for all dates.
    #[default]
    Failure,
    /// Dates that failed or are missing: the command again, with `--dates` and just those.
    FailedDates,
}

/// When a gate that could not be checked is checked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckAgain {
    /// How often, at most.
    pub limit: u32,
    /// How long to wait before.
    pub backoff: Seconds,
}

/// What a failed gate means for the phases that need this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFail {
    /// They are not started.
    #[default]
    Block,
    /// They are started; the failure counts as a warning.
    Warn,
    /// They are started; the run still ends as failed.
    Continue,
}

/// What happens to a job that ran when the machine went down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterReboot {
    /// A person decides.
    #[default]
    Wait,
    Restart,
}

impl Plan {
    /// Whether some of its phases may run at the same time.
    pub(crate) fn runs_side_by_side(&self) -> bool {
        let follows =
            |(before, after): (&PhasePlan, &PhasePlan)| after.needs.contains(&before.name);
        let is_a_chain = self
            .phases
            .iter()
            .zip(self.phases.iter().skip(1))
            .all(follows);
        self.concurrency > 1 && !is_a_chain
    }
}

impl Job {
    /// The log that the job writes.
    pub(crate) fn log(&self) -> &Path {
        match self {
            Self::Attach { log, .. } | Self::AlreadyDone { log } => log,
            Self::Command(command) => &command.log,
        }
    }

    /// The command, for a job that the run starts.
    pub(crate) fn command(&self) -> Option<&Command> {
        match self {
            Self::Command(command) => Some(command),
            Self::Attach { .. } | Self::AlreadyDone { .. } => None,
        }
    }
}

impl Command {
    /// The command with its environment before it, as a person would type it.
    pub(crate) fn shell_line(&self) -> String {
        let mut words: Vec<String> = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}", shell_words(std::slice::from_ref(value))))
            .collect();
        words.push(shell_words(&self.command));
        words.join(" ")
    }
}

/// An argument list as a person would type it into a shell.
pub(crate) fn shell_words(words: &[String]) -> String {
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@%{}".contains(c))
    };
    let quoted = words.iter().map(|word| {
        if plain(word) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

impl CheckAgain {
    /// What a plan gets that says nothing: a remote warehouse may be away for an hour; a local one that
    /// could not be read will not get better by waiting.
    pub(crate) fn default_for(warehouse: &str) -> Self {
        let is_remote = warehouse.starts_with("bigquery:");
        Self {
            limit: if is_remote { 12 } else { 0 },
            backoff: Seconds::new(5 * 60),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    //! Small plans for the tests of this crate.

    use super::*;

    /// A plan of these phases.
    pub(crate) fn plan(phases: Vec<PhasePlan>) -> Plan {
        Plan {
            name: "test".to_owned(),
            phases,
            warehouse: "sqlite:/warehouse".to_owned(),
            concurrency: 1,
            preflight: Vec::new(),
            next_steps: Vec::new(),
            folder: None,
            run_command: Vec::new(),
            shared_flags: Vec::new(),
            config_file: None,
        }
    }

    /// A phase whose job has finished.
    pub(crate) fn phase(name: &str, range: DateRange) -> PhasePlan {
        PhasePlan {
            name: name.to_owned(),
            needs: Vec::new(),
            table: "d.t".to_owned(),
            range,
            job: Some(Job::AlreadyDone {
                log: PathBuf::from(format!("logs/{name}.log")),
            }),
            dialect: None,
            validate: Vec::new(),
            timeout: Seconds::new(60),
            retries: Retries::default(),
            check_again: CheckAgain::default_for("sqlite:/warehouse"),
            on_fail: OnFail::Block,
            after_reboot: AfterReboot::Wait,
            on_timeout: OnTimeout::Leave,
            on_hang: OnHang::Report,
            validate_timeout: an_hour(),
            windows: None,
            earlier_log: None,
            follows_windows: false,
            text: ToolText::All,
        }
    }

    /// A command of these words.
    pub(crate) fn command(words: &[&str]) -> Command {
        Command {
            command: words.iter().map(|word| (*word).to_owned()).collect(),
            restart_command: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            log: PathBuf::from("logs/job.log"),
        }
    }

    #[test]
    fn a_command_is_shown_as_a_person_would_type_it() {
        let words = ["python", "x.py", "--note", "it's late"].map(str::to_owned);
        assert_eq!(shell_words(&words), r"python x.py --note 'it'\''s late'");
    }

    #[test]
    fn time_limits_may_change_while_a_run_goes_on_and_ranges_may_not() {
        let range = "2024-01-01 2024-01-31".parse().expect("a range");
        let was = plan(vec![phase("a", range)]);
        let mut is = was.clone();
        is.phases[0].timeout = Seconds::new(7);
        is.next_steps.push("sleep".to_owned());
        assert_eq!(was.differences(&is), []);
        assert_eq!(was.identity(), is.identity());

        is.phases[0].range = "2024-01-01 2024-02-01".parse().expect("a range");
        let differences = was.differences(&is);
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].place, "phases.a.range");
        assert_ne!(was.identity(), is.identity());
    }
}
