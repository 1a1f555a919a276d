//! Exactly once, also where bf itself was killed, stopped, or lost its files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use super::rig::Ran;
use crate::support::{Sandbox, wait_until};

/// A job of three dates that says who it is, and waits in the middle until there is a file `go`.
const JOB: &str = "#!/bin/sh
echo \"$1\" >> starts
echo \"Processing day 1/3: 2024-01-01\"; echo \"  ✓ Success: 1 records\"
echo \"Processing day 2/3: 2024-01-02\"; echo \"  ✓ Success: 1 records\"
echo $$ > pid
while [ ! -e go ]; do sleep 0.05; done
echo \"Processing day 3/3: 2024-01-03\"; echo \"  ✓ Success: 1 records\"
echo \"DAY-BY-DAY BACKFILL SUMMARY:\"
echo \"  Total days: 3\"
echo \"  Successful days: 3\"
echo \"  Failed days: 0\"
";

/// Two tables that are as they should be, a job, and a plan of two phases.
struct Shop {
    sandbox: Sandbox,
}

impl Shop {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.join("warehouse")).expect("a folder");
        let db = Connection::open(sandbox.join("warehouse/shop.db")).expect("a database");
        for table in ["orders", "orders2"] {
            db.execute_batch(&format!(
                "CREATE TABLE {table} (d TEXT, k INTEGER);
                 INSERT INTO {table} VALUES ('2024-01-01', 1), ('2024-01-02', 1), ('2024-01-03', 1);"
            ))
            .expect("valid SQL");
            let suite = format!(
                "suite: {table}\ntable: shop.{table}\ndate_column: d\nprimary_key: [d, k]\nchecks:\n  \
                 - {{name: rows, level: critical, row_count: {{}}, at_least: 3}}\n"
            );
            sandbox.write(&format!("{table}.yaml"), &suite);
        }
        let config = "polling: {interval_seconds: 0.1, progress_update_interval: 1000}\n";
        sandbox.write("config/backfill_thresholds.yaml", config);
        let job = sandbox.write("job.sh", JOB);
        fs::set_permissions(job, fs::Permissions::from_mode(0o755)).expect("executable");
        let shop = Self { sandbox };
        shop.plan("");
        shop
    }

    /// Writes the plan, with something more in its first phase.
    fn plan(&self, more: &str) {
        let phase = |name: &str, table: &str, more: &str| {
            format!(
                "  - name: {name}\n    table: shop.{table}\n    validate: [{{suite: {table}.yaml}}]\n{more}"
            )
        };
        let job = |name: &str| format!("    job: {{command: [./job.sh, {name}]}}\n");
        let one = phase("one", "orders", &(job("one") + more));
        let two = phase("two", "orders2", &(job("two") + "    needs: [one]\n"));
        let range = "range: {start: 2024-01-01, end: 2024-01-03}";
        let plan = format!("name: two\n{range}\nphases:\n{one}{two}");
        self.sandbox.write("plan.yaml", &plan);
    }

    fn call(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command("bf-orchestrate");
        command.args(args);
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.call(args).output().expect("it runs")
    }

    fn spawn(&self, args: &[&str]) -> Child {
        let mut call = self.call(args);
        call.stdout(Stdio::piped()).stderr(Stdio::piped());
        call.spawn().expect("it starts")
    }

    /// Starts the plan, and waits until its first job runs and is known.
    fn begun(&self) -> Child {
        let run = self.spawn(&["run", "plan.yaml"]);
        self.wait_for_job();
        run
    }

    fn wait_for_job(&self) {
        wait_until("the job runs", || {
            self.sandbox.join("pid").exists() && self.journal().contains("job_seen")
        });
    }

    /// Kills an orchestrator and the tools that it runs, as a machine that runs out of memory does.
    fn kill(&self, mut run: Child) {
        let tools = children(run.id());
        run.kill().expect("it lives");
        run.wait().expect("it is gone");
        for pid in tools {
            send(pid, Signal::KILL);
        }
    }

    fn run_dir(&self) -> Option<PathBuf> {
        let mut runs: Vec<PathBuf> = fs::read_dir(self.sandbox.join(".bf/runs"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        runs.sort();
        runs.pop()
    }

    fn journal(&self) -> String {
        let run = self.run_dir();
        let text = run.and_then(|run| fs::read_to_string(run.join("journal.ndjson")).ok());
        text.unwrap_or_default()
    }

    fn go(&self) {
        self.sandbox.write("go", "");
    }

    fn starts(&self) -> String {
        fs::read_to_string(self.sandbox.join("starts")).unwrap_or_default()
    }

    fn job_pid(&self) -> u32 {
        let text = self.sandbox.read("pid");
        text.trim().parse().expect("a pid")
    }
}

fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may be gone already.
    let _ = kill_process(pid.expect("a pid"), signal);
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_environment_of_a_job_is_in_no_command_line_and_its_run_directory_is_private() {
    let shop = Shop::new();
    shop.plan("    env: {DB_PASSWORD: s3cr3t-0815}\n");
    let job = JOB.replace(
        "echo $$ > pid\n",
        "echo \"$DB_PASSWORD\" > seen\necho $$ > pid\n",
    );
    shop.sandbox.write("job.sh", &job);
    let run = shop.begun();
    let mut checked = 0;
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        if let Ok(command) = fs::read(entry.path().join("cmdline")) {
            let command = String::from_utf8_lossy(&command).into_owned();
            assert!(!command.contains("s3cr3t-0815"), "{command}");
            checked += usize::from(command.contains("bf-monitor"));
        }
    }
    assert!(checked > 0);
    assert_eq!(shop.sandbox.read("seen"), "s3cr3t-0815\n");
    let mode = fs::metadata(shop.run_dir().expect("a run")).expect("a folder");
    assert_eq!(mode.permissions().mode() & 0o777, 0o700);
    shop.go();
    let ended = Ran::from(run.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

#[test]
fn a_job_whose_files_are_damaged_or_gone_is_watched_and_not_started_again() {
    type Damage = fn(&PathBuf, &PathBuf);
    let damages: [(&str, Damage); 4] = [
        ("both gone", |state, record| {
            fs::remove_file(state).expect("a state");
            fs::remove_file(record).expect("a record");
        }),
        ("record empty", |_, record| {
            fs::write(record, "").expect("writable")
        }),
        ("record truncated", |_, record| {
            let text = fs::read(record).expect("a record");
            fs::write(record, &text[..60]).expect("writable");
        }),
        ("state garbage", |state, _| {
            fs::write(state, "{\"x").expect("writable")
        }),
    ];
    for (name, damage) in damages {
        let shop = Shop::new();
        let run = shop.begun();
        let attempt = shop.run_dir().expect("a run").join("one");
        let state = attempt.join("monitor_state.json");
        wait_until("the state is kept", || state.exists());
        shop.kill(run);
        damage(&state, &attempt.join("monitor_state.json.job"));
        let resumed = shop.spawn(&["resume"]);
        wait_until("the run is resumed", || {
            shop.journal().contains("run_resumed")
        });
        shop.go();
        let ended = Ran::from(resumed.wait_with_output().expect("it ends"));
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.text);
        assert_eq!(shop.starts(), "one\ntwo\n", "{name}");
    }
}

#[test]
fn a_plan_that_forgets_a_running_job_is_refused() {
    let shop = Shop::new();
    let run = shop.begun();
    shop.kill(run);
    let plan = shop.sandbox.read("plan.yaml");
    let renamed = plan
        .replace("name: one", "name: uno")
        .replace("needs: [one]", "needs: [uno]");
    shop.sandbox.write("plan.yaml", &renamed);
    let refused = shop.output(&["run", "plan.yaml", "--accept-changed-plan"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let pid = shop.job_pid().to_string();
    assert!(text(&refused).contains(&pid), "{}", text(&refused));
    assert_eq!(shop.starts(), "one\n");
    shop.go();
    shop.sandbox.write("plan.yaml", &plan);
    let resumed = Ran::from(shop.output(&["run", "plan.yaml"]));
    assert_eq!(resumed.code, Some(0), "{}", resumed.text);
}
