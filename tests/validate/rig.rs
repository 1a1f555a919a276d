//! A warehouse of its own for each test, copied from one that the sample job filled once, and what a
//! validator says of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Sandbox, document, failure};

/// The documented range of the team table.
pub const TEAM: [&str; 2] = ["2021-10-19", "2026-01-02"];
/// The documented range of the player table.
pub const PLAYER: [&str; 2] = ["2024-05-01", "2026-01-02"];
/// A month in the middle of a season, which is enough for most.
pub const MONTH: [&str; 2] = ["2024-12-01", "2024-12-31"];

const TEAM_TABLE: &str = "team_offense_game_summary";
const FILES: [&str; 6] = [
    "warehouse/nba_analytics.db",
    "warehouse/nba_reference.db",
    "team.log",
    "player.log",
    "team.ndjson",
    "player.ndjson",
];

/// The folder that every test's warehouse is copied from.
fn base() -> &'static Path {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate");
        fs::create_dir_all(&all).expect("a folder");
        for left in fs::read_dir(&all).expect("a folder").flatten() {
            // What an earlier run of the tests left, unless it still runs.
            if !Path::new("/proc").join(left.file_name()).exists() {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let sandbox = Sandbox::new();
        sandbox.tool("bf-sample-job").arg("init").assert().success();
        let dates = |range: [&'static str; 2]| ["--start-date", range[0], "--end-date", range[1]];
        sandbox.run_job("team.log", &[&["team-offense"], &dates(TEAM)[..]].concat());
        let player = [&["player-summary", "--parallel"], &dates(PLAYER)[..]].concat();
        sandbox.run_job("player.log", &player);
        for name in ["team", "player"] {
            let ledger = sandbox
                .tool("bf-parse-log")
                .args(["--ledger", &format!("{name}.log")])
                .output()
                .expect("it runs");
            fs::write(sandbox.join(&format!("{name}.ndjson")), ledger.stdout).expect("writable");
        }
        fs::create_dir_all(folder.join("warehouse")).expect("a folder");
        for file in FILES {
            fs::copy(sandbox.join(file), folder.join(file)).expect("a copy");
        }
        folder
    })
}

/// A folder with a clean warehouse over the documented ranges, and the logs of the jobs that filled it.
pub struct Rig {
    pub sandbox: Sandbox,
}

impl Rig {
    /// A clean one.
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir_all(sandbox.join("warehouse")).expect("a folder");
        for file in FILES {
            fs::copy(base().join(file), sandbox.join(file)).expect("a copy");
        }
        Self { sandbox }
    }

    /// One that these statements were run on.
    pub fn spoilt(sql: &str) -> Self {
        let rig = Self::new();
        rig.sql(sql);
        rig
    }

    /// Runs the jobs of phase 4 over these dates, and those before them that it reads; the last one's log is
    /// `phase4.log`.
    pub fn precompute(&self, [start, end]: [&str; 2]) {
        let defense = [
            "team-defense",
            "--start-date",
            "2024-10-20",
            "--end-date",
            end,
        ];
        self.sandbox.run_job("defense.log", &defense);
        for job in [
            "team-defense-zones",
            "player-shot-zones",
            "composite-factors",
        ] {
            let args = [job, "--start-date", start, "--end-date", end];
            self.sandbox.run_job("before.log", &args);
        }
        let args = ["daily-cache", "--start-date", start, "--end-date", end];
        self.sandbox.run_job("phase4.log", &args);
    }

    /// Runs statements on another dataset.
    pub fn sql_on(&self, dataset: &str, sql: &str) {
        let path = self.sandbox.join(&format!("warehouse/{dataset}.db"));
        let connection = Connection::open(path).expect("a database");
        connection.execute_batch(sql).expect("valid SQL");
    }

    /// The report of a suite of `config/suites`.
    pub fn suite(&self, name: &str, range: [&str; 2], args: &[&str]) -> Report {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/suites/{name}.yaml"));
        let file = file.to_str().expect("UTF-8");
        self.report(
            "bf-validate",
            &[&["--suite", file], &range[..], args].concat(),
        )
    }

    /// A suite of `config/suites`, changed by replacing a text in it, as `own.yaml`.
    pub fn own_suite(&self, name: &str, from: &str, to: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/suites/{name}.yaml"));
        let text = fs::read_to_string(file).expect("a suite");
        assert!(text.contains(from), "{name} has no {from}");
        self.sandbox.write("own.yaml", &text.replacen(from, to, 1));
    }

    /// A connection to the dataset of the two tables.
    pub fn connection(&self) -> Connection {
        Connection::open(self.sandbox.join("warehouse/nba_analytics.db")).expect("a database")
    }

    /// Runs statements on it.
    pub fn sql(&self, sql: &str) {
        self.connection().execute_batch(sql).expect("valid SQL");
    }

    /// Makes the team table one that takes anything, as tables made by a loader do.
    pub fn loosen(&self) {
        self.sql(&format!(
            "CREATE TABLE loose AS SELECT * FROM {TEAM_TABLE}; DROP TABLE {TEAM_TABLE};
             ALTER TABLE loose RENAME TO {TEAM_TABLE};"
        ));
    }

    /// The team validator's report.
    pub fn team(&self, range: [&str; 2], args: &[&str]) -> Report {
        self.report("bf-validate-team-offense", &[&range[..], args].concat())
    }

    /// The player validator's report.
    pub fn player(&self, range: [&str; 2], args: &[&str]) -> Report {
        self.report("bf-validate-player-summary", &[&range[..], args].concat())
    }

    /// What a validator says that says something.
    pub fn report(&self, tool: &str, args: &[&str]) -> Report {
        let output = self
            .sandbox
            .command(tool)
            .args(args)
            .output()
            .expect("it runs");
        Report::of(&output)
    }

    /// A validator's exit code and complaint, where it has no report to give.
    pub fn refusal(&self, tool: &str, args: &[&str]) -> (i32, String) {
        let output = self
            .sandbox
            .command(tool)
            .args(args)
            .output()
            .expect("it runs");
        failure(&output);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code().expect("an exit code"), text)
    }

    /// The documents of a log, kept as `FILE.ndjson`.
    pub fn parse(&self, log: &str) -> String {
        let output = self
            .sandbox
            .command("bf-parse-log")
            .args(["--ledger", log])
            .stderr(Stdio::null())
            .output()
            .expect("it runs");
        let name = format!("{log}.ndjson");
        fs::write(self.sandbox.join(&name), output.stdout).expect("writable");
        name
    }

    /// The same documents with the log summary changed.
    pub fn retell(&self, documents: &str, change: impl Fn(&mut Value)) -> String {
        let text = self.sandbox.read(documents);
        let lines = text.lines().map(|line| {
            let mut value: Value = serde_json::from_str(line).expect("JSON");
            if value["type"] == "log_summary" {
                change(&mut value);
            }
            format!("{value}\n")
        });
        let text: String = lines.collect();
        self.sandbox.write("retold.ndjson", &text);
        "retold.ndjson".to_owned()
    }
}

/// What a validator said.
pub struct Report {
    pub code: i32,
    pub text: String,
    pub document: Value,
}

impl Report {
    /// What a tool printed.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            text: String::from_utf8_lossy(&output.stderr).into_owned(),
            document: document(&output.stdout),
        }
    }

    /// One check.
    pub fn check(&self, name: &str) -> &Value {
        let checks = self.document["checks"].as_array().expect("checks");
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no check {name}: {}", self.text))
    }

    /// A check's status.
    pub fn status(&self, name: &str) -> &str {
        self.check(name)["status"].as_str().expect("a status")
    }

    /// A check's message.
    pub fn message(&self, name: &str) -> &str {
        self.check(name)["message"].as_str().expect("a message")
    }

    /// The dates of a check's evidence.
    pub fn dates(&self, name: &str) -> Vec<&str> {
        texts(&self.check(name)["evidence"]["dates"])
    }

    /// The dates to repeat.
    pub fn rerun(&self) -> Vec<&str> {
        texts(&self.document["rerun"]["dates"])
    }

    /// The names of the checks with a status.
    pub fn with(&self, status: &str) -> Vec<&str> {
        let checks = self.document["checks"].as_array().expect("checks");
        let with = checks.iter().filter(|check| check["status"] == status);
        with.filter_map(|check| check["name"].as_str()).collect()
    }

    /// The verdict and the exit code that goes with it.
    #[track_caller]
    pub fn ends(&self, verdict: &str, code: i32) -> &Self {
        assert_eq!(self.document["verdict"], verdict, "{}", self.text);
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    /// These checks failed, and no others did.
    #[track_caller]
    pub fn fails_only(&self, names: &[&str]) -> &Self {
        self.ends("fail", 1);
        let (mut failed, mut names) = (self.with("fail"), names.to_vec());
        failed.sort_unstable();
        names.sort_unstable();
        assert_eq!(failed, names, "{}", self.text);
        assert!(self.with("error").is_empty(), "{}", self.text);
        self
    }

    /// Nothing is wrong, and nothing even looks as if it were.
    #[track_caller]
    pub fn is_clean(&self) -> &Self {
        self.ends("pass", 0);
        for status in ["warn", "error", "fail"] {
            assert!(self.with(status).is_empty(), "{}", self.text);
        }
        assert!(self.document["rerun"].is_null());
        self
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}
