//! What must be there before anything is watched, so that nobody finds out at four in the morning.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use bf_cli::config::Config;
use bf_cli::{Context, Failure};

use crate::plan::{Job, Plan};
use crate::program::find_program;
use crate::siblings::Siblings;

/// Finds every tool of the run and the program of every job that it would start, and looks whether the logs
/// that are there already can be read.
///
/// # Errors
/// A program is missing (exit 2), or a log cannot be read (exit 3); nothing was started.
pub fn check(plan: &Plan, config: &Config) -> Result<Siblings, Failure> {
    for phase in &plan.phases {
        let Some(job) = phase.job.as_ref().and_then(Job::command) else {
            if let Some(job) = &phase.job {
                check_log(&phase.name, job.log())?;
            }
            continue;
        };
        if job.log.exists() && !job.log.is_file() {
            return Err(Failure::usage(format!(
                "phase {}: its log {} is no regular file",
                phase.name,
                job.log.display()
            ))
            .hint("nothing was started; phase2.log in the config names the log"));
        }
        let program = job.command.first().map_or("", String::as_str);
        if find_program(program, job.cwd.as_deref()).is_none() {
            let place = match &job.cwd {
                Some(cwd) => format!(" (seen from {})", cwd.display()),
                None => String::new(),
            };
            return Err(Failure::usage(format!(
                "phase {}: its program {program} does not exist or cannot be executed{place}",
                phase.name
            ))
            .hint("nothing was started; set phase2.command (and phase2.cwd) in the config"));
        }
    }
    Siblings::find(plan, config)
}

/// A log that is not there yet may still be written; one that is there must be a file that can be read.
fn check_log(phase: &str, log: &Path) -> Result<(), Failure> {
    let doing = || format!("phase {phase}: reading its log {}", log.display());
    let hint = "nothing was started; give the file that the job writes its output to";
    let refuse =
        |what: &str| Err(Failure::could_not_check(format!("{}: {what}", doing())).hint(hint));
    match std::fs::metadata(log) {
        Ok(metadata) if metadata.is_dir() => refuse("Is a directory"),
        Ok(metadata) if !metadata.is_file() => refuse("Is no regular file"),
        Ok(_) => File::open(log)
            .map(|_| ())
            .or_could_not_check(doing)
            .map_err(|failure| failure.hint(hint)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error)
            .or_could_not_check(doing)
            .map_err(|failure| failure.hint(hint)),
    }
}
