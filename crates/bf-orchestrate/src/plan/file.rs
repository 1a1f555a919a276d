//! A plan as a file: strict YAML, checked as a whole before anything runs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bf_cli::{Failure, Seconds};
use bf_config::{Config, Hours, load_yaml};
use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    AfterReboot, CheckAgain, Command, Job, OnFail, PhasePlan, Plan, Preflight, Retries, RetryOn,
    Validator, fill_env, fill_path, fill_words, graph,
};

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The plan's name; the file's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The warehouse's URL; the config's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warehouse: Option<String>,
    /// How many phases may run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<NonZeroUsize>,
    /// The range of phases that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<DateRange>,
    /// What must be so before anything is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    preflight: Vec<PreflightFile>,
    /// The phases.
    phases: Vec<PhaseFile>,
    /// What a person does after a run in which everything passed; the config's where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_steps: Option<Vec<String>>,
}

/// A command that says whether the run may begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreflightFile {
    name: String,
    command: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Seconds>,
}

/// How long a pre-flight check may take that names no time.
const PREFLIGHT_TIMEOUT: Seconds = Seconds::new(60);

/// A phase in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseFile {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<DateRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<JobFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cwd: Option<PathBuf>,
    /// The dialect that its log is in: `built-in`, or a name of the config's `dialects`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
    validate: Vec<ValidatorFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_hours: Option<Hours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retries: Option<RetriesFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check_again: Option<CheckAgain>,
    #[serde(default)]
    on_fail: OnFail,
    #[serde(default)]
    after_reboot: AfterReboot,
}

/// A job: exactly one of `command`, `attach` and `already_done`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct JobFile {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restart_command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<AttachFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already_done: Option<AlreadyDoneFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachFile {
    pid: std::num::NonZeroU32,
    log: PathBuf,
    /// What its command line must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expect_cmd: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlreadyDoneFile {
    log: PathBuf,
}

/// What judges a table: exactly one of `validator` and `suite`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ValidatorFile {
    /// `team_offense` or `player_game_summary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    validator: Option<String>,
    /// A suite's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetriesFile {
    limit: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backoff: Option<Seconds>,
    #[serde(default)]
    on: RetryOn,
}

/// The tables of the validators that know their own.
const KNOWN_VALIDATORS: [(&str, &str, &str); 2] = [
    (
        "team_offense",
        "bf-validate-team-offense",
        "nba_analytics.team_offense_game_summary",
    ),
    (
        "player_game_summary",
        "bf-validate-player-summary",
        "nba_analytics.player_game_summary",
    ),
];

/// Reads a plan.
///
/// # Errors
/// The file is missing, not YAML, of another form, or no plan: a cycle, an unknown name in `needs`, two
/// phases of one name, a log that two phases share. Usage (exit 2), naming the phase.
pub fn load(path: &Path, config: &Config, warehouse: Option<&str>) -> Result<Plan, Failure> {
    let file: PlanFile = load_yaml(path)?;
    let wrong = |message: String| {
        Failure::usage(format!("plan {}: {message}", path.display()))
            .hint("nothing was started; bf-orchestrate check PLAN looks at all of it")
    };
    let warehouse = warehouse
        .filter(|url| !url.is_empty())
        .or(file.warehouse.as_deref());
    let warehouse = config.warehouse_url(warehouse).to_owned();
    let mut phases = Vec::with_capacity(file.phases.len());
    for phase in &file.phases {
        let phase = resolve(phase, file.range, &warehouse)
            .map_err(|message| wrong(format!("phase {}: {message}", phase.name)))?;
        phases.push(phase);
    }
    let phases = graph::in_order(phases).map_err(wrong)?;
    let preflight = resolve_preflight(&file.preflight, file.range).map_err(wrong)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    Ok(Plan {
        name: file
            .name
            .unwrap_or_else(|| stem.unwrap_or_default().into_owned()),
        phases,
        warehouse,
        concurrency: file.concurrency.map_or(2, NonZeroUsize::get),
        preflight,
        next_steps: file.next_steps.unwrap_or_else(|| own_next_steps(config)),
        folder: std::env::current_dir().ok(),
        config_file: None,
    })
}

/// The config's next steps where it names some: the built-in ones follow the two documented phases, and say
/// nothing of another plan.
fn own_next_steps(config: &Config) -> Vec<String> {
    if config.next_steps == Config::default().next_steps {
        return Vec::new();
    }
    config.next_steps.clone()
}

fn resolve_preflight(
    checks: &[PreflightFile],
    range: Option<DateRange>,
) -> Result<Vec<Preflight>, String> {
    let mut resolved: Vec<Preflight> = Vec::with_capacity(checks.len());
    for check in checks {
        let named = |message: String| format!("preflight {}: {message}", check.name);
        check_name(&check.name).map_err(named)?;
        if resolved.iter().any(|other| other.name == check.name) {
            return Err(format!("there are two preflight checks {}", check.name));
        }
        if check.command.is_empty() {
            return Err(named("its command is empty".to_owned()));
        }
        let timeout = check.timeout.unwrap_or(PREFLIGHT_TIMEOUT);
        if timeout.0.is_zero() {
            return Err(named("its timeout must be above 0".to_owned()));
        }
        resolved.push(Preflight {
            name: check.name.clone(),
            command: match range {
                Some(range) => fill_words(&check.command, range).map_err(named)?,
                None => without_dates(&check.command).map_err(named)?,
            },
            timeout,
        });
    }
    Ok(resolved)
}

/// Words that stand for no dates, as there are none.
fn without_dates(words: &[String]) -> Result<Vec<String>, String> {
    let some_day = NaiveDate::MIN;
    let any = DateRange {
        start: some_day,
        end: some_day,
    };
    let filled = fill_words(words, any)?;
    if filled == words {
        Ok(filled)
    } else {
        Err("it names {start} or {end}, and the plan has no range".to_owned())
    }
}

fn resolve(
    phase: &PhaseFile,
    shared_range: Option<DateRange>,
    warehouse: &str,
) -> Result<PhasePlan, String> {
    check_name(&phase.name)?;
    let range = phase
        .range
        .or(shared_range)
        .ok_or("it has no range, and the plan has none for it")?;
    let range = DateRange::new(range.start, range.end).map_err(|error| error.to_string())?;
    let (mut validate, mut known_table) = (Vec::new(), None);
    for validator in &phase.validate {
        let (validator, table) = resolve_validator(validator)?;
        validate.push(validator);
        known_table = known_table.or(table);
    }
    if validate.is_empty() {
        return Err("validate is empty: a phase that nothing judges cannot pass".to_owned());
    }
    if let (Some(_), Some(table), Some(known)) = (&phase.job, &phase.table, known_table)
        && table != known
    {
        return Err(format!(
            "its validator judges {known}, not its table {table}"
        ));
    }
    let table = match (&phase.table, known_table) {
        (Some(table), _) => table.clone(),
        (None, Some(table)) => table.to_owned(),
        (None, None) => return Err("its table is not named".to_owned()),
    };
    Ok(PhasePlan {
        name: phase.name.clone(),
        needs: phase.needs.clone(),
        table,
        range,
        job: phase
            .job
            .as_ref()
            .map(|job| resolve_job(job, phase, range))
            .transpose()?,
        dialect: phase.dialect.clone(),
        validate,
        timeout: Seconds(phase.timeout_hours.unwrap_or(Hours(12.0)).duration()),
        retries: phase
            .retries
            .as_ref()
            .map(|retries| Retries {
                limit: retries.limit,
                backoff: retries.backoff,
                on: retries.on,
            })
            .unwrap_or_default(),
        check_again: phase
            .check_again
            .unwrap_or_else(|| CheckAgain::default_for(warehouse)),
        on_fail: phase.on_fail,
        after_reboot: phase.after_reboot,
    })
}

fn resolve_job(job: &JobFile, phase: &PhaseFile, range: DateRange) -> Result<Job, String> {
    let is_for_a_command = phase.log.is_some() || phase.cwd.is_some() || !phase.env.is_empty();
    if job.command.is_empty() && (is_for_a_command || !job.restart_command.is_empty()) {
        return Err(
            "log, env, cwd and restart_command are for a job with a command; attach and already_done name their log themselves"
                .to_owned(),
        );
    }
    match (job.command.is_empty(), &job.attach, &job.already_done) {
        (false, None, None) => Ok(Job::Command(Command {
            command: fill_words(&job.command, range)?,
            restart_command: fill_words(&job.restart_command, range)?,
            env: fill_env(&phase.env, range)?,
            cwd: phase.cwd.clone(),
            log: match &phase.log {
                Some(log) => fill_path(log, range)?,
                None => PathBuf::from(format!("logs/{}.log", phase.name)),
            },
        })),
        (true, Some(attach), None) => Ok(Job::Attach {
            pid: attach.pid.get(),
            log: attach.log.clone(),
            expect_cmd: attach.expect_cmd.clone(),
        }),
        (true, None, Some(done)) => Ok(Job::AlreadyDone {
            log: done.log.clone(),
        }),
        _ => Err("its job must be exactly one of command, attach and already_done".to_owned()),
    }
}

fn resolve_validator(
    validator: &ValidatorFile,
) -> Result<(Validator, Option<&'static str>), String> {
    match (&validator.validator, &validator.suite) {
        (Some(name), None) => {
            let known = KNOWN_VALIDATORS.iter().find(|(known, ..)| known == name);
            let Some((_, program, table)) = known else {
                let names: Vec<&str> = KNOWN_VALIDATORS.iter().map(|(name, ..)| *name).collect();
                return Err(format!(
                    "there is no validator {name} (there are {}; suite: FILE takes any table)",
                    names.join(" and ")
                ));
            };
            let validator = Validator {
                program: (*program).to_owned(),
                suite: None,
            };
            Ok((validator, Some(table)))
        }
        (None, Some(suite)) => {
            let validator = Validator {
                program: "bf-validate".to_owned(),
                suite: Some(suite.clone()),
            };
            Ok((validator, None))
        }
        _ => Err("each entry of validate must be exactly one of validator and suite".to_owned()),
    }
}

/// A phase's name is a folder's name, too.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = !name.is_empty()
        && name.len() <= 100
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain {
        Ok(())
    } else {
        Err("its name may hold only letters, digits, _ and -".to_owned())
    }
}

impl PlanFile {
    /// The file that makes `plan`.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            name: Some(plan.name.clone()),
            warehouse: Some(plan.warehouse.clone()),
            concurrency: NonZeroUsize::new(plan.concurrency),
            range: None,
            preflight: plan.preflight.iter().map(preflight_file).collect(),
            phases: plan.phases.iter().map(phase_file).collect(),
            next_steps: Some(plan.next_steps.clone()),
        }
    }
}

fn preflight_file(check: &Preflight) -> PreflightFile {
    PreflightFile {
        name: check.name.clone(),
        command: check.command.clone(),
        timeout: Some(check.timeout),
    }
}

fn phase_file(phase: &PhasePlan) -> PhaseFile {
    let command = phase.job.as_ref().and_then(Job::command);
    PhaseFile {
        name: phase.name.clone(),
        needs: phase.needs.clone(),
        table: Some(phase.table.clone()),
        range: Some(phase.range),
        job: phase.job.as_ref().map(job_file),
        log: command.map(|command| command.log.clone()),
        env: command
            .map(|command| command.env.clone())
            .unwrap_or_default(),
        cwd: command.and_then(|command| command.cwd.clone()),
        dialect: phase.dialect.clone(),
        validate: phase.validate.iter().map(validator_file).collect(),
        timeout_hours: Some(Hours(phase.timeout.0.as_secs_f64() / 3600.0)),
        retries: (phase.retries.limit > 0).then_some(RetriesFile {
            limit: phase.retries.limit,
            backoff: phase.retries.backoff,
            on: phase.retries.on,
        }),
        check_again: Some(phase.check_again),
        on_fail: phase.on_fail,
        after_reboot: phase.after_reboot,
    }
}

fn job_file(job: &Job) -> JobFile {
    match job {
        Job::Command(command) => JobFile {
            command: command.command.clone(),
            restart_command: command.restart_command.clone(),
            ..JobFile::default()
        },
        Job::Attach {
            pid,
            log,
            expect_cmd,
        } => JobFile {
            attach: std::num::NonZeroU32::new(*pid).map(|pid| AttachFile {
                pid,
                log: log.clone(),
                expect_cmd: expect_cmd.clone(),
            }),
            ..JobFile::default()
        },
        Job::AlreadyDone { log } => JobFile {
            already_done: Some(AlreadyDoneFile { log: log.clone() }),
            ..JobFile::default()
        },
    }
}

fn validator_file(validator: &Validator) -> ValidatorFile {
    let known = KNOWN_VALIDATORS
        .iter()
        .find(|(_, program, _)| *program == validator.program);
    ValidatorFile {
        validator: match &validator.suite {
            Some(_) => None,
            None => known.map(|(name, ..)| (*name).to_owned()),
        },
        suite: validator.suite.clone(),
    }
}
