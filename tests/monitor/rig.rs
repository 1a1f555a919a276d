//! Shell jobs that end when they are told to, and bf-monitor on them.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use serde_json::Value;

use crate::support::{Sandbox, documents, wait_until};

/// What every job may call: waits for a file, and ends with the test's folder.
const PRELUDE: &str = "wait_for() { \
     until [ -e \"$1\" ]; do [ -e bf.yaml ] || exit 99; sleep 0.02; done; }\n";

/// A folder with a config that polls often.
pub struct Rig {
    pub sandbox: Sandbox,
    calls: Cell<usize>,
}

impl Rig {
    pub fn new() -> Self {
        let rig = Self {
            sandbox: Sandbox::new(),
            calls: Cell::new(0),
        };
        rig.configure("");
        rig
    }

    /// Writes the config with these further sections.
    pub fn configure(&self, more: &str) {
        let polling = "polling:\n  interval_seconds: 0.2\n  progress_update_interval: 1\n";
        self.sandbox.write("bf.yaml", &format!("{polling}{more}"));
    }

    /// A job's program text, as `job.sh` and as an argument of `sh -c`.
    pub fn script(&self, text: &str) -> String {
        let text = format!("{PRELUDE}{text}");
        self.sandbox.write("job.sh", &text);
        text
    }

    /// A program beside the job, `worker.sh`, that may wait for files, too. It notes its pid in `worker.pid`.
    pub fn worker(&self, text: &str) {
        let text = format!("{PRELUDE}echo $$ > worker.tmp; mv worker.tmp worker.pid\n{text}");
        self.sandbox.write("worker.sh", &text);
    }

    /// The pid of the worker, once it is there.
    pub fn worker_pid(&self) -> u32 {
        self.wait_for("worker.pid");
        let pid = self.sandbox.read("worker.pid");
        pid.trim().parse().expect("a pid")
    }

    /// Starts a job that is no child of any bf-monitor, in a process group of its own. Its output goes to
    /// `run.log`, appended.
    pub fn job(&self, text: &str) -> Shell {
        Shell::start(&mut self.shell(text))
    }

    /// The same, not started yet.
    pub fn shell(&self, text: &str) -> Command {
        let log = self.sandbox.join("run.log");
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("a log");
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.script(text)])
            .current_dir(self.sandbox.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .process_group(0);
        command
    }

    /// A call of bf-monitor.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command("bf-monitor");
        command.args(["--config", "bf.yaml"]).args(args);
        command
    }

    /// Starts bf-monitor in the background.
    pub fn start(&self, args: &[&str]) -> Monitor {
        self.start_command(self.command(args))
    }

    /// The same for a call that was built elsewhere.
    pub fn start_command(&self, mut command: Command) -> Monitor {
        let call = self.calls.replace(self.calls.get() + 1);
        let stdout = self.sandbox.join(&format!("events-{call}.ndjson"));
        let stderr = self.sandbox.join(&format!("text-{call}.txt"));
        let child = command
            .stdout(File::create(&stdout).expect("a file"))
            .stderr(File::create(&stderr).expect("a file"))
            .spawn()
            .expect("bf-monitor starts");
        Monitor {
            child,
            stdout,
            stderr,
        }
    }

    /// Runs bf-monitor to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.start(args).end()
    }

    /// Runs a script as the first process of a pid namespace of its own; `None`, said loudly, where that is
    /// not allowed.
    pub fn in_pid_namespace(&self, script: &str) -> Option<Shell> {
        let unshare = |script: &str| {
            let mut command = Command::new("unshare");
            command
                .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
                .args(["sh", "-c", script])
                .current_dir(self.sandbox.path())
                .process_group(0);
            command
        };
        let can = unshare("true")
            .status()
            .is_ok_and(|status| status.success());
        if !can {
            crate::support::skip("unshare may make no pid namespace here");
            return None;
        }
        Some(Shell::start(&mut unshare(script)))
    }

    /// What a script noted of a run of bf-monitor, as `NAME.ndjson`, `NAME.txt` and `NAME.code`.
    pub fn ran(&self, name: &str) -> Ran {
        Ran {
            code: self
                .sandbox
                .read(&format!("{name}.code"))
                .trim()
                .parse()
                .ok(),
            events: events(self.sandbox.read(&format!("{name}.ndjson")).as_bytes()),
            text: self.sandbox.read(&format!("{name}.txt")),
        }
    }

    /// Lets go a job that waits for this file.
    pub fn touch(&self, name: &str) {
        self.sandbox.write(name, "");
    }

    /// Waits until a file is there.
    pub fn wait_for(&self, name: &str) {
        wait_until(&format!("{name} is there"), || {
            self.sandbox.join(name).exists()
        });
    }
}

/// A job. What is left of its process group is killed when a test ends.
pub struct Shell {
    pid: u32,
    child: Option<Child>,
}

impl Shell {
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("a shell starts");
        Self {
            pid: child.id(),
            child: Some(child),
        }
    }

    pub fn pid(&self) -> String {
        self.pid.to_string()
    }

    /// Asks after its end as soon as it comes, as the shell that started it would.
    pub fn reap_in_background(&mut self) {
        let mut child = self.child.take().expect("nobody asked yet");
        std::thread::spawn(move || child.wait());
    }

    pub fn is_running(&self) -> bool {
        is_running(self.pid)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // After the reap the pid may be another's: then only the job's own script ends it, with the folder.
        if let Some(child) = &mut self.child {
            let _ = kill_process_group(pid(self.pid), Signal::KILL);
            let _ = child.wait();
        }
    }
}

/// Whether a process is there and no zombie.
pub fn is_running(number: u32) -> bool {
    test_kill_process(pid(number)).is_ok() && state(number).is_some_and(|state| state != "Z")
}

/// The state letter of a process, by proc_pid_stat(5).
pub fn state(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').next().map(str::to_owned)
}

/// The arguments of a call that starts this script as a job and keeps a state.
pub fn starting(script: &str) -> [&str; 8] {
    [
        "--log",
        "run.log",
        "--state",
        "run.state",
        "--",
        "sh",
        "-c",
        script,
    ]
}

/// The arguments of a call that watches a process and keeps a state.
pub fn watching(pid: &str) -> [&str; 6] {
    ["--pid", pid, "--log", "run.log", "--state", "run.state"]
}

pub fn pid(number: u32) -> Pid {
    let number = i32::try_from(number).expect("a pid");
    Pid::from_raw(number).expect("a pid")
}

/// A bf-monitor in the background.
pub struct Monitor {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Monitor {
    /// The events that were written whole so far.
    pub fn events(&self) -> Vec<Value> {
        let text = fs::read(&self.stdout).expect("events");
        let whole = text.iter().rposition(|&byte| byte == b'\n');
        events(&text[..whole.map_or(0, |at| at + 1)])
    }

    /// What it said to people so far.
    pub fn text(&self) -> String {
        fs::read_to_string(&self.stderr).expect("text")
    }

    /// Waits for an event.
    pub fn wait_for(&self, event: &str) {
        wait_until(&format!("{event} is said"), || {
            self.events().iter().any(|seen| seen["event"] == event)
        });
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(pid(self.child.id()), signal).expect("it can be signalled");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it. It may have ended before.
    pub fn kill(mut self) -> Ran {
        self.child.kill().expect("it can be killed");
        self.end()
    }

    pub fn end(mut self) -> Ran {
        let status = self.child.wait().expect("it can be waited for");
        Ran {
            code: status.code(),
            events: self.events(),
            text: self.text(),
        }
    }
}

/// The events among the documents: a failure is a document of its own.
fn events(text: &[u8]) -> Vec<Value> {
    let documents = documents(text).into_iter();
    documents
        .filter(|document| document["type"] == "process_event")
        .collect()
}

/// What a run of bf-monitor came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub text: String,
}

impl Ran {
    pub fn names(&self) -> Vec<&str> {
        let events = self.events.iter();
        events
            .map(|event| event["event"].as_str().expect("a name"))
            .collect()
    }

    pub fn said(&self, event: &str) -> bool {
        self.names().contains(&event)
    }

    /// The last event, which tells the end.
    pub fn exited(&self) -> &Value {
        let last = self.events.last().unwrap_or_else(|| panic!("{self:#?}"));
        assert_eq!(last["event"], "exited", "{self:#?}");
        last
    }

    /// Code, signal and source of the end.
    pub fn end(&self) -> (Option<i64>, Option<i64>, &str) {
        let exit = &self.exited()["exit"];
        let source = exit["source"].as_str().expect("a source");
        (exit["code"].as_i64(), exit["signal"].as_i64(), source)
    }
}

/// A log of so many days of January 2024 as the sequential jobs write it, finished or broken off.
pub fn log_of(days: u32, is_whole: bool) -> String {
    let range = format!("2024-01-01 to 2024-01-{days:02}");
    let mut log = format!(
        "INFO:__main__:  Date range: {range}\n\
         INFO:__main__:Starting day-by-day analytics backfill from {range}\n"
    );
    for day in 1..=days {
        log += &format!("INFO:__main__:Processing day {day}/{days}: 2024-01-{day:02}\n");
        log += "INFO:__main__:  ✓ Success: 16 records\n";
    }
    if is_whole {
        log += "INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:\n";
    }
    log
}

/// The pid of the job that a run of bf-monitor told of.
pub fn job_pid(events: &[Value]) -> u32 {
    let pid = events[0]["process"]["pid"].as_u64().expect("a pid");
    u32::try_from(pid).expect("a pid")
}

/// Whether this test may run programs as another user, and the tools can be reached from there.
pub fn can_be_nobody(rig: &Rig) -> bool {
    let can = as_nobody(rig.command(&["--version"]))
        .output()
        .is_ok_and(|output| output.status.success());
    if !can {
        crate::support::skip("setpriv cannot run bf-monitor as another user here");
    }
    can
}

/// The same call by the user nobody.
pub fn as_nobody(call: Command) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(call.get_program())
        .args(call.get_args())
        .current_dir("/");
    command
}
