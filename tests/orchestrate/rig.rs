//! Two short phases on the sample job, and ways to run them.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Job, Sandbox, document};

/// Thirteen days of one season: games on every day, so that a date without rows is a hole.
pub const PHASE1: (&str, &str) = ("2024-01-02", "2024-01-14");
/// The player table's dates, within phase 1's.
pub const PHASE2: (&str, &str) = ("2024-01-05", "2024-01-11");

/// A folder with a warehouse, a config and a place for logs.
pub struct Rig {
    pub sandbox: Sandbox,
}

impl Rig {
    /// A rig whose phase 2 is run with these further arguments.
    pub fn new(phase2_args: &[&str]) -> Self {
        let rig = Self {
            sandbox: Sandbox::new(),
        };
        rig.sandbox
            .tool("bf-sample-job")
            .arg("init")
            .assert()
            .success();
        rig.configure(phase2_args, "");
        rig
    }

    /// Writes the config: thresholds for a few days, a quick poll, and the sample job as phase 2.
    pub fn configure(&self, phase2_args: &[&str], more: &str) {
        let mut words = vec![
            "bf-sample-job",
            "player-summary",
            "--start-date",
            "{start}",
            "--end-date",
            "{end}",
            "--parallel",
            "--workers",
            "4",
            "--no-resume",
        ];
        words.extend(phase2_args);
        let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let config = format!(
            "team_offense:\n  min_games: 50\nplayer_game_summary:\n  min_records: 500\n\
             polling:\n  interval_seconds: 0.1\n  progress_update_interval: 1\n\
             phase2:\n  command: [{}]\n  env: {{}}\n{more}",
            words.join(", ")
        );
        self.sandbox
            .write("config/backfill_thresholds.yaml", &config);
    }

    /// Starts phase 1 with these further arguments.
    pub fn start_phase1(&self, args: &[&str]) -> Job {
        let mut all = vec![
            "team-offense",
            "--start-date",
            PHASE1.0,
            "--end-date",
            PHASE1.1,
            "--no-resume",
        ];
        all.extend(args);
        self.sandbox.start_job("logs/phase1.log", &all)
    }

    /// A call of bf-orchestrate with the documented flags.
    pub fn orchestrate(&self, pid: u32) -> Command {
        let mut command = self.sandbox.command("bf-orchestrate");
        command
            .arg("--phase1-pid")
            .arg(pid.to_string())
            .args(["--phase1-log", "logs/phase1.log"])
            .arg("--phase1-dates")
            .arg(format!("{} {}", PHASE1.0, PHASE1.1))
            .arg("--phase2-dates")
            .arg(format!("{} {}", PHASE2.0, PHASE2.1));
        command
    }

    /// Runs phase 1 in the background with these faults, and bf-orchestrate on it.
    pub fn run(&self, phase1_args: &[&str]) -> Ran {
        let mut job = self.start_phase1(phase1_args);
        let mut orchestrate = self.orchestrate(job.pid());
        // Reaps phase 1 as the shell that started it would.
        let reaper = std::thread::spawn(move || job.wait());
        let output = orchestrate.output().expect("it runs");
        reaper.join().expect("phase 1 was waited for");
        Ran::from(output)
    }
}

/// What a run of bf-orchestrate came to.
pub struct Ran {
    pub code: Option<i32>,
    pub report: Value,
    pub text: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            report: document(&output.stdout),
            text: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// A phase of the report.
    pub fn phase(&self, index: usize) -> &Value {
        &self.report["phases"][index]
    }

    /// The statuses of all phases.
    pub fn statuses(&self) -> Vec<&str> {
        let phases = self.report["phases"].as_array().expect("phases");
        phases
            .iter()
            .map(|phase| phase["status"].as_str().expect("a status"))
            .collect()
    }
}
