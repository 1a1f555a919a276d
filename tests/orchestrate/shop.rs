//! A small shop: two tables, a job that waits for a word in its middle, and a plan of two phases.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Sandbox, bin_dir, wait_until};

/// A job of three dates that says who it is, and waits in the middle until there is a file `go`.
pub const JOB: &str = "#!/bin/sh
echo \"$1\" >> starts
# first
echo \"Processing day 1/3: 2024-01-01\"; echo \"  ✓ Success: 1 records\"
echo \"Processing day 2/3: 2024-01-02\"; echo \"  ✓ Success: 1 records\"
# middle
echo $$ > pid
while [ ! -e go ]; do sleep 0.05; done
echo \"Processing day 3/3: 2024-01-03\"; echo \"  ✓ Success: 1 records\"
echo \"DAY-BY-DAY BACKFILL SUMMARY:\"
echo \"  Total days: 3\"
echo \"  Successful days: 3\"
echo \"  Failed days: 0\"
";

/// Two tables that are as they should be, a job, and a plan of two phases.
pub struct Shop {
    pub sandbox: Sandbox,
}

impl Shop {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.join("warehouse")).expect("a folder");
        let db = Connection::open(sandbox.join("warehouse/shop.db")).expect("a database");
        for table in ["orders", "orders2", "orders3"] {
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
        let shop = Self { sandbox };
        shop.configure("");
        shop.job("", "");
        shop.plan("");
        shop
    }

    /// Writes the config: polls often, and something more.
    pub fn configure(&self, more: &str) {
        let polling = "polling: {interval_seconds: 0.1, progress_update_interval: 1000}\n";
        self.sandbox.write(
            "config/backfill_thresholds.yaml",
            &format!("{polling}{more}"),
        );
    }

    /// Writes the job with something before its first date, and something after its second.
    pub fn job(&self, first: &str, middle: &str) {
        let job = JOB
            .replace("# first\n", first)
            .replace("# middle\n", middle);
        let job = self.sandbox.write("job.sh", &job);
        fs::set_permissions(job, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// Writes the plan, with something more in its first phase.
    pub fn plan(&self, more: &str) {
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

    pub fn call(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command("bf-orchestrate");
        command.args(args);
        command
    }

    pub fn output(&self, args: &[&str]) -> Output {
        self.call(args).output().expect("it runs")
    }

    /// A call with other tools.
    pub fn call_with(&self, tools: &Path, args: &[&str]) -> Command {
        let mut call = self.call(args);
        call.env("BF_BIN_DIR", tools);
        call
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        spawn(self.call(args))
    }
}

pub fn spawn(mut call: Command) -> Child {
    call.stdout(Stdio::piped()).stderr(Stdio::piped());
    call.spawn().expect("it starts")
}

impl Shop {
    /// Starts the plan, and waits until its first job runs and is known.
    pub fn begun(&self) -> Child {
        let run = self.spawn(&["run", "plan.yaml"]);
        self.wait_for_job();
        run
    }

    pub fn wait_for_job(&self) {
        wait_until("the job runs", || {
            self.sandbox.join("pid").exists() && self.journal().contains("job_seen")
        });
    }

    /// Kills an orchestrator and the tools that it runs, as a machine that runs out of memory does.
    pub fn kill(&self, mut run: Child) {
        let tools = children(run.id());
        run.kill().expect("it lives");
        run.wait().expect("it is gone");
        for pid in tools {
            send(pid, Signal::KILL);
        }
    }

    /// See [`tools`].
    pub fn tools(&self, scripts: &[(&str, &str)]) -> PathBuf {
        tools(&self.sandbox, scripts)
    }

    /// The table of the first phase.
    pub fn table(&self) -> Connection {
        Connection::open(self.sandbox.join("warehouse/shop.db")).expect("a database")
    }

    pub fn run_dir(&self) -> Option<PathBuf> {
        let mut runs: Vec<PathBuf> = fs::read_dir(self.sandbox.join(".bf/runs"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        runs.sort();
        runs.pop()
    }

    pub fn journal(&self) -> String {
        let run = self.run_dir();
        let text = run.and_then(|run| fs::read_to_string(run.join("journal.ndjson")).ok());
        text.unwrap_or_default()
    }

    pub fn go(&self) {
        self.sandbox.write("go", "");
    }

    pub fn starts(&self) -> String {
        fs::read_to_string(self.sandbox.join("starts")).unwrap_or_default()
    }

    pub fn job_pid(&self) -> u32 {
        let text = self.sandbox.read("pid");
        text.trim().parse().expect("a pid")
    }
}

pub fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may be gone already.
    let _ = kill_process(pid.expect("a pid"), signal);
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder of the tools in which some are scripts. `REAL` in them is the folder of the real ones.
pub fn tools(sandbox: &Sandbox, scripts: &[(&str, &str)]) -> PathBuf {
    let folder = sandbox.join("tools");
    fs::create_dir_all(&folder).expect("a folder");
    for tool in fs::read_dir(bin_dir()).expect("the tools").flatten() {
        let name = tool.file_name();
        if name.to_string_lossy().starts_with("bf-") {
            let _ = symlink(tool.path(), folder.join(name));
        }
    }
    for (name, text) in scripts {
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        let real = bin_dir().display().to_string();
        fs::write(&path, format!("#!/bin/sh\n{}", text.replace("REAL", &real))).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    folder
}
