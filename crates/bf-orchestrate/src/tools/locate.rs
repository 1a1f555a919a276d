//! Where the other tools are.

use std::path::{Path, PathBuf};

use bf_cli::{Failure, find_sibling};
use bf_config::Config;

use crate::plan::Plan;

/// The tools that a run starts.
#[derive(Debug, Clone)]
pub(crate) struct Siblings {
    pub monitor: PathBuf,
    pub parse_log: PathBuf,
    /// bf-notify, if the config names someone to tell.
    pub notify: Option<PathBuf>,
    /// bf-report; `None` if it is not installed: a run does without.
    pub report: Option<PathBuf>,
    /// The validators, by file name.
    pub validators: Vec<(String, PathBuf)>,
}

impl Siblings {
    /// Finds every tool that `plan` and `config` need: in `BF_BIN_DIR` where that is set, else beside this program,
    /// else on PATH.
    ///
    /// # Errors
    /// One of them is nowhere: usage (exit 2).
    pub(crate) fn find(plan: &Plan, config: &Config) -> Result<Self, Failure> {
        let mut validators: Vec<(String, PathBuf)> = Vec::new();
        for validator in plan.phases.iter().flat_map(|phase| &phase.validate) {
            let name = &validator.program;
            if !validators.iter().any(|(known, _)| known == name) {
                validators.push((name.clone(), find_sibling(name)?));
            }
        }
        Ok(Self {
            monitor: find_sibling("bf-monitor")?,
            parse_log: find_sibling("bf-parse-log")?,
            notify: match config.notify.is_empty() {
                true => None,
                false => Some(find_sibling("bf-notify")?),
            },
            report: find_sibling("bf-report").ok(),
            validators,
        })
    }

    /// The path of a validator of the plan.
    pub(crate) fn validator(&self, name: &str) -> Option<&Path> {
        self.validators
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, path)| path.as_path())
    }
}
