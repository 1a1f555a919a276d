//! The job that starts when phase 1 has passed its gate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The phase 2 job: an argument list, never a shell string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phase2 {
    /// The program and its arguments; `{start}` and `{end}` are the range's.
    pub command: Vec<String>,
    /// The same job, resuming, for a person to run after a crash.
    pub restart_command: Vec<String>,
    /// Environment variables on top of the inherited ones.
    pub env: BTreeMap<String, String>,
    /// The working directory; the current one if it is not given.
    pub cwd: Option<PathBuf>,
    /// The log that the job's output is appended to, relative to the current directory.
    pub log: PathBuf,
}

impl Default for Phase2 {
    fn default() -> Self {
        let program = [
            ".venv/bin/python",
            "backfill_jobs/analytics/player_game_summary/player_game_summary_analytics_backfill.py",
            "--start-date",
            "{start}",
            "--end-date",
            "{end}",
            "--parallel",
            "--workers",
            "15",
        ]
        .map(str::to_owned);
        let mut command = program.to_vec();
        command.push("--no-resume".to_owned());
        Self {
            command,
            restart_command: program.to_vec(),
            env: BTreeMap::from([("PYTHONPATH".to_owned(), ".".to_owned())]),
            cwd: None,
            log: PathBuf::from("logs/player_game_summary_backfill_phase2.log"),
        }
    }
}
