//! What must be there before anything is watched, so that nobody finds out at four in the morning.

use bf_cli::Failure;
use bf_cli::config::Config;

use crate::plan::{Job, Plan};
use crate::program::find_program;
use crate::siblings::Siblings;

/// Finds every tool of the run and the program of every job that it would start.
///
/// # Errors
/// One of them is missing: nothing was started (exit 2).
pub fn check(plan: &Plan, config: &Config) -> Result<Siblings, Failure> {
    for phase in &plan.phases {
        let Some(job) = phase.job.as_ref().and_then(Job::command) else {
            continue;
        };
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
