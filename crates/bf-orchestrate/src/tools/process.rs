//! Running one of the tools: its documents are read and kept, its text is passed on.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bf_cli::text::printable;
use bf_cli::{Context, Failure};
use bf_contract::{Document, DocumentError, Exit, FailureReport, read_document};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};

/// How much is shown of a document that is passed over, in characters.
const PASSED_OVER: usize = 300;

/// A tool, how it is called, and where its documents are kept.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The file that its standard output is appended to, as it was printed.
    pub keep_in: PathBuf,
}

/// How a tool ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolEnd {
    /// Its exit code; `None` where a signal killed it that was not this run's.
    pub code: Option<i32>,
    /// Why it could not do its work, if it reported a failure.
    pub said: Option<String>,
}

/// The tools that are running, so that they can be told to end.
#[derive(Debug, Default)]
pub(crate) struct RunningTools {
    state: Mutex<State>,
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pids: BTreeSet<u32>,
    is_stopping: bool,
}

impl RunningTools {
    /// Asks every running tool to end (SIGTERM) and lets no other start. Jobs are not tools: they go on.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        // A pid stays in the set only until it is reaped, so that it cannot be another process's.
        state.pids.iter().copied().for_each(terminate);
        self.stopping.notify_all();
    }

    /// Waits for `time`, or until [`stop`](Self::stop) is called: then true.
    pub fn pause(&self, time: Duration) -> bool {
        let (state, _) = self
            .stopping
            .wait_timeout_while(self.lock(), time, |state| !state.is_stopping)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_stopping
    }

    /// Whether [`stop`](Self::stop) was called.
    fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself meanwhile.
        let _ = kill_process(pid, Signal::TERM);
    }
}

impl Invocation {
    /// Runs the tool to its end. Every line of documents is kept first, and then handed to `on_line` and, read, to
    /// `on_document`; every line of text is handed to `on_text`. The tool inherits `inherit` under the same number.
    ///
    /// # Errors
    /// The tool could not be started, or what it printed could not be kept (exit 3).
    pub fn run(
        &self,
        running: &RunningTools,
        inherit: Option<&File>,
        on_line: impl Fn(&[u8]),
        mut on_document: impl FnMut(Document) -> Result<(), Failure>,
        on_text: impl Fn(&str) + Sync,
    ) -> Result<ToolEnd, Failure> {
        let mut keep = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.keep_in)
            .or_could_not_check(|| format!("writing {}", self.keep_in.display()))?;
        let Some(mut child) = self.spawn(running, inherit)? else {
            return Ok(ToolEnd {
                code: Some(i32::from(Exit::Terminated.code())),
                said: None,
            });
        };
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();

        let mut said = None;
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            if let Some(stderr) = stderr {
                scope.spawn(|| pass_on_text(stderr, &on_text));
            }
            let mut on_document = |document| {
                if let Document::Failure(failure) = &document {
                    said = Some(failure_line(failure));
                }
                on_document(document)
            };
            if let Some(stdout) = stdout {
                outcome =
                    self.read_documents(stdout, &mut keep, &on_line, &mut on_document, &on_text);
            }
            if outcome.is_err() {
                terminate(child.id());
            }
        });
        running.lock().pids.remove(&child.id());
        let status = child
            .wait()
            .or_could_not_check(|| format!("waiting for {}", self.program.display()))?;
        outcome?;
        keep.sync_data()
            .or_could_not_check(|| format!("writing {}", self.keep_in.display()))?;
        // Not every tool has a word to say when it is asked to end.
        let was_asked_to_end =
            status.signal() == Some(Signal::TERM.as_raw()) && running.is_stopping();
        let code = if was_asked_to_end {
            Some(i32::from(Exit::Terminated.code()))
        } else {
            status.code()
        };
        Ok(ToolEnd { code, said })
    }

    /// Starts the tool, unless the run is about to end.
    fn spawn(
        &self,
        running: &RunningTools,
        inherit: Option<&File>,
    ) -> Result<Option<Child>, Failure> {
        let doing = || format!("starting {}", self.program.display());
        // Tools are started one at a time, so that none inherits what is meant for another.
        let mut state = running.lock();
        if state.is_stopping {
            return Ok(None);
        }
        if let Some(file) = inherit {
            fcntl_setfd(file, FdFlags::empty()).or_could_not_check(doing)?;
        }
        let child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        if let Some(file) = inherit {
            fcntl_setfd(file, FdFlags::CLOEXEC).or_could_not_check(doing)?;
        }
        let child = child.or_could_not_check(doing)?;
        state.pids.insert(child.id());
        Ok(Some(child))
    }

    fn read_documents(
        &self,
        stdout: impl Read,
        keep: &mut File,
        on_line: &impl Fn(&[u8]),
        on_document: &mut impl FnMut(Document) -> Result<(), Failure>,
        on_text: &impl Fn(&str),
    ) -> Result<(), Failure> {
        for line in BufReader::new(stdout).split(b'\n') {
            let mut line =
                line.or_could_not_check(|| format!("reading from {}", self.program.display()))?;
            line.push(b'\n');
            keep.write_all(&line)
                .or_could_not_check(|| format!("writing {}", self.keep_in.display()))?;
            on_line(&line);
            // What is not a document is kept all the same; it can never make a pass.
            let passed_over = match read_document(&String::from_utf8_lossy(&line)) {
                Ok(Document::Unknown(kind)) => format!("a document of type {kind:?}"),
                Ok(document) => {
                    on_document(document)?;
                    continue;
                }
                Err(error @ DocumentError::Malformed { .. }) => error.to_string(),
                Err(DocumentError::NotADocument(_)) => continue,
            };
            let program = self.program.display();
            on_text(&printable(
                &format!("{program}: passed over, as this version does not know it: {passed_over}"),
                PASSED_OVER,
            ));
        }
        Ok(())
    }
}

/// A failure on one line, as a person reads it.
pub(crate) fn failure_line(failure: &FailureReport) -> String {
    printable(
        &format!("{}: {}", failure.tool, failure.message),
        usize::MAX,
    )
}

/// Hands on each line of text.
fn pass_on_text(stderr: impl Read, on_text: &impl Fn(&str)) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        on_text(String::from_utf8_lossy(&line).trim_end_matches('\r'));
    }
}
