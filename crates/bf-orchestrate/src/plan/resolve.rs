//! A plan file resolved into a plan, checked as a whole before anything runs: the only place that does so.

mod job;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bf_cli::{Failure, Seconds, Zone};
use bf_config::{Config, Hours, Loaded, load_yaml};
use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::Deserialize;

use super::file::{PhaseFile, PlanFile, PreflightFile, ValidatorFile};
use super::model::{CheckAgain, PhasePlan, Plan, Preflight, Retries, ToolText, Validator, an_hour};
use super::order;
use super::placeholder::fill_words;

/// How long a pre-flight check may take that names no time.
const PREFLIGHT_TIMEOUT: Seconds = Seconds::new(60);

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

/// What is wrong with a plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The phase, unless it is the plan as a whole.
    pub phase: Option<String>,
    /// The key, if it is the value of one.
    pub key: Option<&'static str>,
    pub message: String,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self {
            phase: None,
            key: None,
            message,
        }
    }
}

impl From<&str> for Wrong {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl Wrong {
    /// The same, of the value of a key.
    fn at(key: &'static str) -> impl Fn(String) -> Self {
        move |message| Self {
            key: Some(key),
            ..message.into()
        }
    }

    fn of(self, phase: &str) -> Self {
        Self {
            phase: Some(phase.to_owned()),
            ..self
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.phase {
            Some(phase) => write!(f, "phase {phase}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Reads a plan.
///
/// # Errors
/// The file is missing, not YAML, of another form, or not a plan: a cycle, an unknown name in `needs`, two phases of
/// one name, a log that two phases share. Usage (exit 2), naming the phase.
///
/// `range` is that of every phase, in place of the plan's own.
pub(crate) fn load(
    path: &Path,
    loaded: &Loaded,
    warehouse: Option<&str>,
    range: Option<DateRange>,
) -> Result<Plan, Failure> {
    let mut file: PlanFile = load_yaml(path)?;
    if range.is_some() {
        file.range = range;
        for phase in &mut file.phases {
            phase.range = None;
        }
    }
    if file.name.is_none() {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        file.name = Some(stem.unwrap_or_default().into_owned());
    }
    let mut plan = resolve(&file, &loaded.config, warehouse).map_err(|wrong| {
        Failure::usage(format!("plan {}: {wrong}", path.display()))
            .hint("nothing was started; bf-orchestrate check PLAN checks all of it")
    })?;
    plan.config_file = config_file(loaded);
    Ok(plan)
}

/// Makes the plan of a file: the only place that does so.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn resolve(
    file: &PlanFile,
    config: &Config,
    warehouse: Option<&str>,
) -> Result<Plan, Wrong> {
    let warehouse = warehouse
        .filter(|url| !url.is_empty())
        .or(file.warehouse.as_deref());
    let warehouse = config.warehouse_url(warehouse).to_owned();
    let mut phases = Vec::with_capacity(file.phases.len());
    for phase in &file.phases {
        phases.push(resolve_phase(phase, file, &warehouse).map_err(|wrong| wrong.of(&phase.name))?);
    }
    Ok(Plan {
        name: file.name.clone().unwrap_or_default(),
        phases: order::in_order(phases)?,
        warehouse,
        concurrency: file.concurrency.map_or(2, NonZeroUsize::get),
        preflight: resolve_preflight(&file.preflight, file.range)?,
        next_steps: file
            .next_steps
            .clone()
            .unwrap_or_else(|| own_next_steps(config)),
        folder: std::env::current_dir().ok(),
        run_command: Vec::new(),
        shared_flags: Vec::new(),
        config_file: None,
    })
}

/// The zone of the first suite of a plan that names one. A plan that cannot be read is refused when it is loaded.
pub(crate) fn zone_of(plan: &Path) -> Option<Zone> {
    #[derive(Deserialize)]
    struct SuiteZone {
        timezone: Option<String>,
    }
    let plan: PlanFile = load_yaml(plan).ok()?;
    let validators = plan.phases.iter().flat_map(|phase| &phase.validate);
    let mut suites = validators.filter_map(|one| one.suite.as_deref());
    suites.find_map(|suite| load_yaml::<SuiteZone>(suite).ok()?.timezone?.parse().ok())
}

/// The config's file, as it is found from anywhere.
pub(crate) fn config_file(loaded: &Loaded) -> Option<PathBuf> {
    let path = loaded.path.as_deref()?;
    Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
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

fn resolve_phase(phase: &PhaseFile, file: &PlanFile, warehouse: &str) -> Result<PhasePlan, Wrong> {
    check_name(&phase.name)?;
    let range = phase
        .range
        .or(file.range)
        .ok_or("it has no range, and the plan has none for it (range: in the plan, or --range)")?;
    let range = DateRange::new(range.start, range.end).map_err(|error| error.to_string())?;
    let (mut validate, mut known_table) = (Vec::new(), None);
    for validator in &phase.validate {
        let (validator, table) = resolve_validator(validator)?;
        validate.push(validator);
        known_table = known_table.or(table);
    }
    if validate.is_empty() {
        return Err("validate is empty: a phase that nothing judges cannot pass".into());
    }
    if let (Some(_), Some(table), Some(known)) = (&phase.job, &phase.table, known_table)
        && table != known
    {
        return Err(format!("its validator judges {known}, not its table {table}").into());
    }
    let table = match (&phase.table, known_table) {
        (Some(table), _) => table.clone(),
        (None, Some(table)) => table.to_owned(),
        (None, None) => suite_table(&phase.validate)
            .ok_or("its table is not named: give table:, or a suite that names it")?,
    };
    let job = phase
        .job
        .as_ref()
        .map(|job| job::job(job, phase, file, range))
        .transpose()?;
    let windows = match phase.windows {
        Some(size) => Some(job::windows(size, phase, file, range)?),
        None if phase.stop_after.is_some() || phase.concurrency.is_some() => {
            return Err("stop_after and concurrency of a phase are for windows:".into());
        }
        None => None,
    };
    let retries = match &phase.retries {
        Some(retries) => job::retries(retries, job.as_ref())?,
        None => Retries::default(),
    };
    Ok(PhasePlan {
        name: phase.name.clone(),
        needs: phase.needs.clone(),
        table,
        range,
        job,
        dialect: phase.dialect.clone(),
        validate,
        timeout: Seconds(phase.timeout_hours.unwrap_or(Hours(12.0)).duration()),
        retries,
        check_again: phase
            .check_again
            .unwrap_or_else(|| CheckAgain::default_for(warehouse)),
        on_fail: phase.on_fail,
        after_reboot: phase.after_reboot,
        on_timeout: phase.on_timeout,
        on_hang: phase.on_hang,
        validate_timeout: phase.validate_timeout.unwrap_or_else(an_hour),
        windows,
        earlier_log: None,
        follows_windows: false,
        text: ToolText::All,
    })
}

/// What a suite says of its table. Everything else of it is its validator's to read.
#[derive(Deserialize)]
struct SuiteTable {
    table: String,
}

/// The table of the first suite that names one.
fn suite_table(validators: &[ValidatorFile]) -> Option<String> {
    let suites = validators.iter().filter_map(|one| one.suite.as_deref());
    suites.filter_map(table_of).next()
}

/// The table that a suite judges; `None` if it cannot be read: its validator knows better what is wrong.
pub(crate) fn table_of(suite: &Path) -> Option<String> {
    let suite: SuiteTable = load_yaml(suite).ok()?;
    Some(suite.table)
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

#[cfg(test)]
mod tests;
