//! A plan file resolved into a plan, checked as a whole before anything runs: the only place that does so.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use bf_cli::{Failure, Seconds, Zone};
use bf_config::{Config, Hours, Loaded, load_yaml};
use bf_contract::DateRange;
use chrono::NaiveDate;
use serde::Deserialize;

use super::file::{JobFile, PhaseFile, PlanFile, PreflightFile, RetriesFile, ValidatorFile};
use super::model::{
    CheckAgain, Command, Job, PhasePlan, Plan, Preflight, Retries, RetryOn, ToolText, Validator,
    Windows, an_hour,
};
use super::order;
use super::placeholder::{fill_env, fill_path, fill_words, has_dates};
use super::window_size::WindowSize;

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
        .map(|job| resolve_job(job, phase, file, range))
        .transpose()?;
    let windows = match phase.windows {
        Some(size) => Some(resolve_windows(size, phase, file, range)?),
        None if phase.stop_after.is_some() || phase.concurrency.is_some() => {
            return Err("stop_after and concurrency of a phase are for windows:".into());
        }
        None => None,
    };
    let retries = match &phase.retries {
        Some(retries) => resolve_retries(retries, job.as_ref())?,
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

fn resolve_windows(
    size: WindowSize,
    phase: &PhaseFile,
    file: &PlanFile,
    range: DateRange,
) -> Result<Windows, Wrong> {
    let Some(job) = phase.job.as_ref().filter(|job| !job.command.is_empty()) else {
        return Err("windows are for a job with a command".into());
    };
    if size.is_larger_than(range) {
        return Err(format!(
            "windows: {size} is larger than its range {range}: give a smaller window, or leave windows out"
        )
        .into());
    }
    let in_env: Vec<String> = phase.env.values().cloned().collect();
    if !has_dates(&job.command) && !has_dates(&in_env) {
        return Err(Wrong::at("command")(
            "every window would run the same command: {start} and {end} must be in it, or in env"
                .to_owned(),
        ));
    }
    let log = match &phase.log {
        Some(log) => log.clone(),
        None => default_log(file, phase, "{start} {end}"),
    };
    let shares_log = !has_dates(&[log.display().to_string()]);
    // Windows that share a log run one after the other, whatever the plan lets its phases do.
    let concurrency = match (phase.concurrency, file.concurrency) {
        (Some(own), _) if own.get() > 1 && shares_log => {
            return Err(Wrong::at("log")(format!(
                "{own} windows at a time would write one log: put {{start}} in its name"
            )));
        }
        (Some(own), _) => own.get(),
        (None, Some(of_plan)) if !shares_log => of_plan.get(),
        _ => 1,
    };
    Ok(Windows {
        size,
        stop_after: phase.stop_after.map_or(1, NonZeroU32::get),
        concurrency,
        job: Job::Command(Command {
            command: job.command.clone(),
            restart_command: job.restart_command.clone(),
            env: phase.env.clone(),
            cwd: phase.cwd.clone(),
            log,
        }),
    })
}

/// The log of a phase whose plan names none: a log of its own for each plan and range.
fn default_log(file: &PlanFile, phase: &PhaseFile, range: &str) -> PathBuf {
    let plan = file.name.as_deref().unwrap_or("plan");
    let name = format!("{plan}_{}_{range}", phase.name);
    let plain = |c: char| match c {
        '/' | '\\' | ' ' => '_',
        c => c,
    };
    let name: String = name.chars().map(plain).collect();
    PathBuf::from("logs").join(name + ".log")
}

/// The shells whose `-c` takes the whole command as one word.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "fish"];

fn resolve_retries(retries: &RetriesFile, job: Option<&Job>) -> Result<Retries, Wrong> {
    let wrong = |message: &str| Wrong::at("retries")(message.to_owned());
    let own = &retries.command;
    let on = retries.on.unwrap_or(match own.is_empty() {
        true => RetryOn::Failure,
        false => RetryOn::FailedDates,
    });
    let names = |placeholder: &str| own.iter().any(|word| word.contains(placeholder));
    if !own.is_empty() {
        let kinds = [
            names("{dates}"),
            names("{date}"),
            names("{start}") && names("{end}"),
        ];
        if on != RetryOn::FailedDates {
            return Err(wrong("retries.command is for on: failed_dates"));
        }
        if kinds.iter().filter(|is_named| **is_named).count() != 1 {
            return Err(wrong(
                "retries.command must name its dates in one way: {dates} (a list), {date} (one call a date), or {start} and {end} (one call a span)",
            ));
        }
    }
    let command = job.and_then(Job::command);
    let is_shell_string = command.is_some_and(|job| match job.command.as_slice() {
        [program, flag, ..] => {
            let name = Path::new(program).file_name().unwrap_or_default();
            let is_shell = SHELLS.iter().any(|shell| name == *shell);
            is_shell && flag.starts_with('-') && flag.ends_with('c')
        }
        _ => false,
    });
    if on == RetryOn::FailedDates && own.is_empty() && is_shell_string && retries.limit > 0 {
        return Err(wrong(
            "its command is a shell string, which gets no --dates: give retries.command with {dates}, {date}, or {start} and {end}",
        ));
    }
    Ok(Retries {
        limit: retries.limit,
        backoff: retries.backoff,
        on,
        command: own.clone(),
    })
}

fn resolve_job(
    job: &JobFile,
    phase: &PhaseFile,
    file: &PlanFile,
    range: DateRange,
) -> Result<Job, Wrong> {
    let is_for_a_command = phase.log.is_some() || phase.cwd.is_some() || !phase.env.is_empty();
    if job.command.is_empty() && (is_for_a_command || !job.restart_command.is_empty()) {
        return Err(
            "log, env, cwd and restart_command are for a job with a command; attach and already_done name their log themselves"
                .into(),
        );
    }
    match (job.command.is_empty(), &job.attach, &job.already_done) {
        (false, None, None) => Ok(Job::Command(Command {
            command: fill_words(&job.command, range).map_err(Wrong::at("command"))?,
            restart_command: fill_words(&job.restart_command, range)
                .map_err(Wrong::at("restart_command"))?,
            env: fill_env(&phase.env, range).map_err(Wrong::at("env"))?,
            cwd: phase.cwd.clone(),
            log: match &phase.log {
                Some(log) => fill_path(log, range).map_err(Wrong::at("log"))?,
                None => default_log(file, phase, &format!("{} {}", range.start, range.end)),
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
        _ => Err("its job must be exactly one of command, attach and already_done".into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{OnHang, OnTimeout, shell_words};

    fn plan(text: &str) -> Result<Plan, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.yaml");
        std::fs::write(&path, text).expect("a plan");
        let file: PlanFile = load_yaml(&path).map_err(|failure| failure.message)?;
        resolve(&file, &Config::default(), Some("sqlite:w")).map_err(|wrong| wrong.to_string())
    }

    /// A plan of one phase over the first quarter of 2024.
    fn phase(more: &str) -> Result<PhasePlan, String> {
        let text = format!(
            "range: {{start: 2024-01-01, end: 2024-03-31}}\nphases:\n  - name: a\n    table: d.t\n    \
             validate: [{{suite: s.yaml}}]\n{more}"
        );
        plan(&text).map(|mut plan| plan.phases.remove(0))
    }

    const JOB: &str = "    job: {command: [load, '{start}', '{end}']}\n";

    fn refused(more: &str) -> String {
        phase(more).expect_err(more)
    }

    #[test]
    fn each_window_gets_the_job_with_its_own_dates() {
        let phase =
            phase(&format!("{JOB}    windows: month\n    stop_after: 2\n")).expect("a plan");
        let windows = phase.windows.as_ref().expect("windows");
        assert_eq!((windows.stop_after, windows.concurrency), (2, 1));
        let all = windows.size.cut(phase.range);
        assert_eq!(all.len(), 3);
        let february = windows.phase(&phase, all[1]).expect("a phase");
        assert_eq!(february.range, all[1]);
        assert!(february.windows.is_none());
        let job = february.job.as_ref().and_then(Job::command).expect("a job");
        assert_eq!(shell_words(&job.command), "load 2024-02-01 2024-02-29");
        assert_eq!(
            job.log,
            PathBuf::from("logs/plan_a_2024-02-01_2024-02-29.log")
        );
    }

    #[test]
    fn windows_that_make_no_sense_are_refused() {
        for (more, said) in [
            (
                "    job: {command: [load]}\n    windows: month\n",
                "the same command",
            ),
            ("    windows: month\n", "for a job with a command"),
            (
                &format!("{JOB}    windows: year\n"),
                "larger than its range",
            ),
            (&format!("{JOB}    windows: fortnight\n"), "is not a window"),
            (&format!("{JOB}    stop_after: 2\n"), "are for windows"),
            (
                &format!("{JOB}    windows: month\n    concurrency: 2\n    log: one.log\n"),
                "would write one log",
            ),
        ] {
            let refused = refused(more);
            assert!(refused.contains(said), "{more}: {refused}");
        }
        let in_env = "    job: {command: [load]}\n    env: {FROM: '{start}'}\n    windows: month\n";
        assert!(phase(in_env).is_ok());
    }

    #[test]
    fn windows_run_side_by_side_where_the_plan_says_so_and_each_has_its_log() {
        let of_plan = |log: &str| {
            let text = format!(
                "concurrency: 3\nrange: {{start: 2024-01-01, end: 2024-03-31}}\nphases:\n  - name: a\n    \
                 table: d.t\n    validate: [{{suite: s.yaml}}]\n    windows: month\n{JOB}{log}"
            );
            let plan = plan(&text).expect("a plan");
            plan.phases[0]
                .windows
                .as_ref()
                .map(|windows| windows.concurrency)
        };
        assert_eq!(of_plan(""), Some(3));
        assert_eq!(of_plan("    log: 'logs/{start}.log'\n"), Some(3));
        assert_eq!(of_plan("    log: logs/a.log\n"), Some(1));
    }

    #[test]
    fn a_retry_of_dates_needs_a_command_that_takes_them() {
        let with = |retries: &str, job: &str| {
            phase(&format!(
                "    job: {{command: {job}}}\n    retries: {{{retries}}}\n"
            ))
        };
        let shell = "[sh, -c, 'load']";
        let failed_dates = with("limit: 1, on: failed_dates", shell);
        assert!(
            failed_dates
                .expect_err("a shell string")
                .contains("shell string")
        );
        assert!(with("limit: 1, on: failed_dates", "[bash, -lc, load]").is_err());
        assert!(with("limit: 1, on: failed_dates", "[load]").is_ok());
        assert!(with("limit: 1", shell).is_ok());
        let own = with("limit: 1, command: [load, '{date}']", shell).expect("a plan");
        assert_eq!(own.retries.on, RetryOn::FailedDates);
        for command in ["[load]", "[load, '{start}']", "[load, '{date}', '{dates}']"] {
            let refused = with(&format!("limit: 1, command: {command}"), shell);
            assert!(
                refused.expect_err(command).contains("in one way"),
                "{command}"
            );
        }
    }

    #[test]
    fn what_a_plan_says_of_time_limits_is_taken_and_the_rest_has_defaults() {
        let given = phase(&format!(
            "{JOB}    on_timeout: kill\n    on_hang: kill\n    validate_timeout: 5m\n    timeout_hours: 2\n"
        ))
        .expect("a plan");
        assert_eq!(given.on_timeout, OnTimeout::Kill);
        assert_eq!(given.on_hang, OnHang::Kill);
        assert_eq!(given.validate_timeout, Seconds::new(300));
        assert_eq!(given.timeout, Seconds::new(7200));
        let silent = phase(JOB).expect("a plan");
        assert_eq!(silent.on_timeout, OnTimeout::Leave);
        assert_eq!(silent.on_hang, OnHang::Report);
        assert_eq!(silent.timeout, Seconds::new(12 * 3600));
        assert_eq!(silent.retries, Retries::default());
    }

    #[test]
    fn a_command_as_people_write_it_by_mistake_gets_the_right_words() {
        let text = refused("    job:\n      command: load --from {start}\n");
        assert!(text.contains("[load, --from, \"{start}\"]"), "{text}");
        let text = refused("    job: {command: [load, {start}]}\n");
        assert!(text.contains("write \"{start}\""), "{text}");
        let text = refused("    job: {command: [load, 7]}\n");
        assert!(text.contains("write \"7\""), "{text}");
    }
}
