//! Where the other tools are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bf_cli::Failure;
use bf_config::Config;

use crate::plan::Plan;
use crate::tools::program::{find_on_path, is_program};

/// The tools that a run starts.
#[derive(Debug, Clone)]
pub(crate) struct Siblings {
    /// bf-monitor.
    pub monitor: PathBuf,
    /// bf-parse-log.
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
    pub fn find(plan: &Plan, config: &Config) -> Result<Self, Failure> {
        let mut validators: Vec<(String, PathBuf)> = Vec::new();
        for validator in plan.phases.iter().flat_map(|phase| &phase.validate) {
            let name = &validator.program;
            if !validators.iter().any(|(known, _)| known == name) {
                validators.push((name.clone(), find(name)?));
            }
        }
        Ok(Self {
            monitor: find("bf-monitor")?,
            parse_log: find("bf-parse-log")?,
            notify: match config.notify.is_empty() {
                true => None,
                false => Some(find("bf-notify")?),
            },
            report: find("bf-report").ok(),
            validators,
        })
    }

    /// The path of a validator of the plan.
    pub fn validator(&self, name: &str) -> Option<&Path> {
        self.validators
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, path)| path.as_path())
    }
}

/// Finds one tool.
///
/// # Errors
/// It is nowhere: usage (exit 2).
pub(crate) fn find(name: &str) -> Result<PathBuf, Failure> {
    if let Some(folder) = std::env::var_os("BF_BIN_DIR").filter(|folder| !folder.is_empty()) {
        let path = Path::new(&folder).join(name);
        return if is_program(&path) {
            Ok(path)
        } else {
            Err(
                Failure::usage(format!("there is no program {}", path.display()))
                    .hint("BF_BIN_DIR must name the folder of all bf tools"),
            )
        };
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(|folder| folder.join(name)))
        .filter(|path| is_program(path));
    beside
        .or_else(|| find_on_path(OsStr::new(name)))
        .ok_or_else(|| {
            Failure::usage(format!("the tool {name} was not found")).hint(
                "install all bf tools into one folder (cargo install --path .), or set BF_BIN_DIR",
            )
        })
}
