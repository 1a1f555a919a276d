//! A phase and its job as they are run for one window.

use bf_contract::DateRange;

use super::model::{Job, PhasePlan, Windows};
use super::placeholder::{fill_env, fill_path, fill_words};

impl Windows {
    /// The phase as it is run for one window.
    ///
    /// # Errors
    /// A word of the job looks like a placeholder and is not one. A plan that was resolved has none.
    pub(crate) fn phase(&self, phase: &PhasePlan, window: DateRange) -> Result<PhasePlan, String> {
        Ok(PhasePlan {
            range: window,
            job: Some(filled(&self.job, window)?),
            windows: None,
            ..phase.clone()
        })
    }
}

/// The job with a range's dates in it.
///
/// # Errors
/// As [`fill_words`].
pub(crate) fn filled(job: &Job, range: DateRange) -> Result<Job, String> {
    let Job::Command(template) = job else {
        return Ok(job.clone());
    };
    let mut command = template.clone();
    command.command = fill_words(&template.command, range)?;
    command.restart_command = fill_words(&template.restart_command, range)?;
    command.env = fill_env(&template.env, range)?;
    command.log = fill_path(&template.log, range)?;
    Ok(Job::Command(command))
}
