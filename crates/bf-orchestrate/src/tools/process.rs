//! Running one of the tools: its documents are read and kept, its text is passed on.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bf_cli::text::printable;
use bf_cli::{Context, Failure};
use bf_contract::{Document, DocumentError, Exit, FailureReport, read_document};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// How long a tool that has had its time may take to end after SIGTERM.
const KILL_GRACE: Duration = Duration::from_secs(10);

/// How much is shown of a document that is passed over, in characters.
const PASSED_OVER: usize = 300;

/// A tool, how it is called, and where its documents are kept.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// The file that its standard output is appended to, as it was printed.
    pub keep_in: PathBuf,
    /// How long it may take; `None` for a tool that has a limit of its own.
    pub limit: Option<Duration>,
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
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        // A pid stays in the set only until it is reaped, so that it cannot be another process's.
        state.pids.iter().copied().for_each(terminate);
        self.stopping.notify_all();
    }

    /// Waits for `time`, or until [`stop`](Self::stop) is called: then true.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let (state, _) = self
            .stopping
            .wait_timeout_while(self.lock(), time, |state| !state.is_stopping)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_stopping
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(crate) fn is_stopping(&self) -> bool {
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

/// Takes what a tool printed.
type OnBytes<'a> = &'a mut dyn FnMut(Pipe, &[u8]) -> Result<(), Failure>;

impl Invocation {
    /// Runs the tool to its end. Every line of documents is kept first, and then handed to `on_line` and, read, to
    /// `on_document`; every line of text is handed to `on_text`. The tool inherits each of `inherit` under the same number.
    ///
    /// # Errors
    /// The tool could not be started, or what it printed could not be kept (exit 3).
    pub(crate) fn run(
        &self,
        running: &RunningTools,
        inherit: &[&File],
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
        let pipes = (child.stdout.take(), child.stderr.take());
        let mut documents = Lines::default();
        let mut text = Text::default();
        let mut said = None;
        let mut on_document_line = |line: &[u8]| -> Result<(), Failure> {
            keep.write_all(line)
                .or_could_not_check(|| format!("writing {}", self.keep_in.display()))?;
            on_line(line);
            // What is not a document is kept all the same; it can never make a pass.
            let passed_over = match read_document(&String::from_utf8_lossy(line)) {
                Ok(Document::Unknown(kind)) => format!("a document of type {kind:?}"),
                Ok(document) => {
                    if let Document::Failure(failure) = &document {
                        said = Some(failure_line(failure));
                    }
                    return on_document(document);
                }
                Err(error @ DocumentError::Malformed { .. }) => error.to_string(),
                Err(DocumentError::NotADocument(_)) => return Ok(()),
            };
            let program = self.program.display();
            on_text(&printable(
                &format!("{program}: passed over, as this version does not know it: {passed_over}"),
                PASSED_OVER,
            ));
            Ok(())
        };
        let outcome = self.read(&child, pipes, &mut |from, bytes| match from {
            Pipe::Stdout => documents.push(bytes, &mut on_document_line),
            Pipe::Stderr => {
                text.push(bytes, &on_text);
                Ok(())
            }
        });
        if outcome.is_err() {
            terminate(child.id());
        }
        running.lock().pids.remove(&child.id());
        let status = child
            .wait()
            .or_could_not_check(|| format!("waiting for {}", self.program.display()))?;
        let in_time = outcome?;
        // A line without an end is a document that was torn off, or the last word of a killed tool.
        documents.finish(&mut on_document_line)?;
        text.finish(&on_text);
        // Not every tool reports it when it is asked to end.
        let was_asked_to_end =
            status.signal() == Some(Signal::TERM.as_raw()) && running.is_stopping();
        let code = match in_time {
            _ if was_asked_to_end => Some(i32::from(Exit::Terminated.code())),
            InTime::Yes => status.code(),
            InTime::No => None,
        };
        let said = match (in_time, self.limit) {
            (InTime::No, Some(limit)) => Some(format!(
                "{} did not end within {}",
                self.program
                    .file_name()
                    .map(|name| name.to_string_lossy())
                    .unwrap_or_default(),
                bf_cli::text::duration(limit)
            )),
            _ => said,
        };
        Ok(ToolEnd { code, said })
    }

    /// Reads what the tool prints until it has ended: what a child that it left behind still writes is not waited
    /// for. Ends the tool if its time has passed.
    fn read(
        &self,
        child: &Child,
        (stdout, stderr): (
            Option<std::process::ChildStdout>,
            Option<std::process::ChildStderr>,
        ),
        on_bytes: OnBytes<'_>,
    ) -> Result<InTime, Failure> {
        let doing = || format!("reading from {}", self.program.display());
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::could_not_check(doing()))?;
        let ended = pidfd_open(pid, PidfdFlags::empty()).or_could_not_check(doing)?;
        let mut pipes: Vec<(Pipe, File)> = [
            stdout.map(|pipe| (Pipe::Stdout, OwnedFd::from(pipe))),
            stderr.map(|pipe| (Pipe::Stderr, OwnedFd::from(pipe))),
        ]
        .into_iter()
        .flatten()
        .map(|(from, pipe)| (from, File::from(pipe)))
        .collect();
        for (_, pipe) in &pipes {
            let flags = fcntl_getfl(pipe).or_could_not_check(doing)?;
            fcntl_setfl(pipe, flags | OFlags::NONBLOCK).or_could_not_check(doing)?;
        }
        let mut deadline = self.limit.map(|limit| Instant::now() + limit);
        let mut in_time = InTime::Yes;
        let mut has_ended = false;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let mut error = None;
            pipes.retain_mut(|(from, pipe)| {
                loop {
                    match pipe.read(&mut buffer) {
                        Ok(0) => return false,
                        Ok(bytes) => {
                            if let Err(failure) = on_bytes(*from, &buffer[..bytes]) {
                                error.get_or_insert(failure);
                                return false;
                            }
                        }
                        Err(why) if why.kind() == ErrorKind::WouldBlock => return true,
                        Err(why) if why.kind() == ErrorKind::Interrupted => {}
                        Err(_) => return false,
                    }
                }
            });
            if let Some(failure) = error {
                return Err(failure);
            }
            if has_ended {
                return Ok(in_time);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                let signal = match in_time {
                    InTime::Yes => Signal::TERM,
                    InTime::No => Signal::KILL,
                };
                // It is not reaped yet, so the pid is still its own.
                let _ = kill_process(pid, signal);
                in_time = InTime::No;
                deadline = Some(Instant::now() + KILL_GRACE);
                continue;
            }
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = vec![PollFd::new(&ended, PollFlags::IN)];
            fds.extend(
                pipes
                    .iter()
                    .map(|(_, pipe)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)),
            );
            match poll(&mut fds, left.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).or_could_not_check(doing),
            }
            // Whatever it wrote before its end is in the pipes by now: they are read once more.
            has_ended = !fds[0].revents().is_empty();
        }
    }

    /// Starts the tool, unless the run is about to end.
    fn spawn(&self, running: &RunningTools, inherit: &[&File]) -> Result<Option<Child>, Failure> {
        let doing = || format!("starting {}", self.program.display());
        // Tools are started one at a time, so that none inherits what is meant for another.
        let mut state = running.lock();
        if state.is_stopping {
            return Ok(None);
        }
        for file in inherit {
            fcntl_setfd(file, FdFlags::empty()).or_could_not_check(doing)?;
        }
        let child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        for file in inherit {
            fcntl_setfd(file, FdFlags::CLOEXEC).or_could_not_check(doing)?;
        }
        let child = child.or_could_not_check(doing)?;
        state.pids.insert(child.id());
        Ok(Some(child))
    }
}

#[derive(Debug, Clone, Copy)]
enum Pipe {
    Stdout,
    Stderr,
}

#[derive(Debug, Clone, Copy)]
enum InTime {
    Yes,
    No,
}

/// Bytes, line by line.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Hands on every whole line, with its end.
    fn push<E>(
        &mut self,
        mut bytes: &[u8],
        on_line: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(at + 1);
            if self.rest.is_empty() {
                on_line(line)?;
            } else {
                self.rest.extend_from_slice(line);
                on_line(&std::mem::take(&mut self.rest))?;
            }
            bytes = rest;
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on what is left, with a line end.
    fn finish<E>(&mut self, on_line: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.rest.is_empty() {
            return Ok(());
        }
        self.rest.push(b'\n');
        on_line(&std::mem::take(&mut self.rest))
    }
}

/// The text of a tool.
#[derive(Debug, Default)]
struct Text(Lines);

impl Text {
    fn push(&mut self, bytes: &[u8], on_text: &impl Fn(&str)) {
        let Ok(()) = self.0.push(bytes, &mut |line: &[u8]| hear(line, on_text));
    }

    fn finish(&mut self, on_text: &impl Fn(&str)) {
        let Ok(()) = self.0.finish(&mut |line: &[u8]| hear(line, on_text));
    }
}

fn hear(line: &[u8], on_text: &impl Fn(&str)) -> Result<(), std::convert::Infallible> {
    on_text(String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']));
    Ok(())
}

/// A failure on one line, as a person reads it.
pub(crate) fn failure_line(failure: &FailureReport) -> String {
    printable(
        &format!("{}: {}", failure.tool, failure.message),
        usize::MAX,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limit: Option<Duration>) -> (ToolEnd, Vec<String>, Duration) {
        let folder = tempfile::tempdir().expect("a folder");
        let keep_in = folder.path().join("documents.ndjson");
        let invocation = Invocation {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            keep_in: keep_in.clone(),
            limit,
        };
        let began = Instant::now();
        let lines = Mutex::new(Vec::new());
        let end = invocation
            .run(
                &RunningTools::default(),
                &[],
                |_| {},
                |_| Ok(()),
                |line| lines.lock().expect("lines").push(line.to_owned()),
            )
            .expect("it runs");
        let took = began.elapsed();
        let mut lines = lines.into_inner().expect("lines");
        lines.push(std::fs::read_to_string(keep_in).expect("kept"));
        (end, lines, took)
    }

    #[test]
    fn what_a_tool_prints_is_kept_and_its_text_is_passed_on() {
        let (end, lines, _) = run(
            "echo doc; printf half; echo one >&2; echo two >&2; exit 3",
            None,
        );
        assert_eq!((end.code, end.said), (Some(3), None));
        assert_eq!(lines, ["one", "two", "doc\nhalf\n"]);
    }

    #[test]
    fn a_child_that_a_tool_leaves_behind_holds_nothing_up() {
        let (end, lines, took) = run("sleep 30 & echo said >&2", None);
        assert_eq!((end.code, lines[0].as_str()), (Some(0), "said"));
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn a_tool_that_takes_too_long_is_ended_and_has_no_code() {
        let (end, _, took) = run("exec sleep 30", Some(Duration::from_millis(100)));
        assert_eq!(end.code, None);
        assert!(
            end.said
                .is_some_and(|said| said.contains("did not end within"))
        );
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
