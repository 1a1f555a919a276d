//! A folder of its own for each test, with the tools, a warehouse and real jobs in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub mod require;

pub use require::{python, seed, skip};

/// The folder that the tools under test were built into.
pub fn bin_dir() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_bf-orchestrate"))
        .parent()
        .expect("a binary lies in a folder")
        .to_owned()
}

/// How long a test waits for something that must happen. It bounds a hang; it asserts no speed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder in which one test works, with nothing of the caller's environment.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path below it.
    pub fn join(&self, relative: &str) -> PathBuf {
        self.path().join(relative)
    }

    /// Writes a file, with the folders that it needs.
    pub fn write(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.join(relative);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A file's text.
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.join(relative))
            .unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// A call of a tool (`bf-…`) in this folder.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(bin_dir().join(tool));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = vec![bin_dir()];
        folders.extend(std::env::split_paths(&path));
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::join_paths(folders).expect("a PATH"))
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .stdin(Stdio::null());
        command
    }

    /// The same, ready for assert_cmd.
    pub fn tool(&self, tool: &str) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.command(tool))
    }

    /// Starts a real job in the background, its output appended to `log`.
    pub fn start_job(&self, log: &str, args: &[&str]) -> Job {
        let log = self.write(log, "");
        let log = fs::File::options().append(true).open(log).expect("a log");
        let child = self
            .command("bf-sample-job")
            .args(args)
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("the sample job starts");
        Job(child)
    }

    /// Runs a real job to its end.
    pub fn run_job(&self, log: &str, args: &[&str]) {
        self.start_job(log, args).wait();
    }
}

/// A job in the background. It is killed when a test forgets it.
pub struct Job(Child);

impl Job {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end.
    pub fn wait(&mut self) {
        self.0.wait().expect("a job can be waited for");
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `happened` says so.
pub fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The documents on a tool's standard output.
pub fn documents(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).expect("documents are UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The one document on a tool's standard output.
pub fn document(stdout: &[u8]) -> Value {
    let mut documents = documents(stdout);
    assert_eq!(documents.len(), 1, "{documents:#?}");
    documents.remove(0)
}

/// The failure on a tool's standard output, which has nothing else on it.
pub fn failure(output: &std::process::Output) -> Value {
    let document = document(&output.stdout);
    assert_eq!(document["type"], "failure", "{document}");
    let code = output.status.code().map(Value::from);
    assert_eq!(Some(&document["exit_code"]), code.as_ref(), "{document}");
    document
}

/// A pseudo-random sequence, so that a failure can be told with its seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        // Knuth's constants for a linear congruential generator, from MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
