//! The job of a phase: its command, its windows and its retries.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use bf_contract::DateRange;

use super::Wrong;
use crate::plan::file::{JobFile, PhaseFile, PlanFile, RetriesFile};
use crate::plan::model::{Command, Job, Retries, RetryOn, Windows};
use crate::plan::placeholder::{fill_env, fill_path, fill_words, has_dates};
use crate::plan::window_size::WindowSize;

pub(super) fn windows(
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

pub(super) fn retries(retries: &RetriesFile, job: Option<&Job>) -> Result<Retries, Wrong> {
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

pub(super) fn job(
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
