//! The `duckdb` program: started once, fed with statements, read line by line.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::answer;
use super::fault;
use super::source::Source;
use crate::{Options, Rows, WarehouseError};

/// Names the program; `duckdb` of the PATH without it.
const VARIABLE: &str = "BF_DUCKDB";

/// How often an interrupt is looked for.
const POLL: Duration = Duration::from_millis(50);

/// What a line begins with that ends an answer. Rows are JSON and begin otherwise.
const END: &str = "bf-end-";

/// Nothing is fetched or written, and a time without a zone is UTC.
const SETTINGS: &str = ".mode jsonlines\n\
    SET autoinstall_known_extensions = false;\n\
    SET TimeZone = 'UTC';\n\
    SET enable_progress_bar = false;\n";

/// A program that runs.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    answers: u64,
    version: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it.
    ///
    /// # Errors
    /// There is no such program, or it does not open the file.
    pub(super) fn start(
        source: &Source,
        options: &Options,
        deadline: Instant,
    ) -> Result<Self, WarehouseError> {
        source.check()?;
        let name = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "duckdb".into());
        let mut command = Command::new(&name);
        // Its own settings file could print, attach or load anything.
        command.args(["-init", "/dev/null", "-batch", "-jsonlines"]);
        if let Some(file) = source.file() {
            command.arg("-readonly").arg(file);
        }
        command.stdin(Stdio::piped());
        // Errors come in between the answers that they belong to.
        let (reader, writer) = std::io::pipe().map_err(|error| fault::no_start(&name, &error))?;
        let errors = writer.try_clone();
        let errors = errors.map_err(|error| fault::no_start(&name, &error))?;
        command.stdout(writer).stderr(errors);
        let mut child = command
            .spawn()
            .map_err(|error| fault::no_start(&name, &error))?;
        // The ends of the pipe that the child has are not ours to keep: without them its end is seen.
        drop(command);
        let input = child.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let Some(input) = input else {
            return Err(fault::ended(&[]));
        };
        let mut program = Self {
            child,
            input,
            lines,
            answers: 0,
            version: String::new(),
        };
        program.exchange(SETTINGS, options, deadline)?;
        let version = program.run("SELECT version() AS version", options, deadline)?;
        let version = version.rows.first().and_then(|row| row.first()).cloned();
        program.version = version.map_or_else(String::new, |version| version.to_string());
        Ok(program)
    }

    /// What a person should know of it.
    pub(super) fn note(&self) -> String {
        format!("DuckDB {}", self.version)
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// It refuses the statement, an interrupt, or the deadline.
    pub(super) fn run(
        &mut self,
        sql: &str,
        options: &Options,
        deadline: Instant,
    ) -> Result<Rows, WarehouseError> {
        let lines = self.exchange(&format!("{sql};\n"), options, deadline)?;
        answer::rows(&lines)
    }

    /// Sends text and returns the lines that come back.
    fn exchange(
        &mut self,
        text: &str,
        options: &Options,
        deadline: Instant,
    ) -> Result<Vec<String>, WarehouseError> {
        self.answers += 1;
        let end = format!("{END}{}", self.answers);
        let sent = self
            .input
            .write_all(format!("{text}\n.print {end}\n").as_bytes())
            .and_then(|()| self.input.flush());
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(POLL) {
                Ok(line) if line == end => return Ok(lines),
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return Err(fault::ended(&lines)),
                Err(RecvTimeoutError::Timeout) if options.is_interrupted() => {
                    return Err(WarehouseError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                    let limit = options.deadline.unwrap_or(Options::DEFAULT_DEADLINE);
                    return Err(WarehouseError::TimedOut(format!(
                        "duckdb did not answer within {} s",
                        limit.as_secs_f64()
                    )));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            // The program is gone; what it printed before comes first.
            if sent.is_err() && self.child.try_wait().is_ok_and(|status| status.is_some()) {
                lines.extend(self.lines.try_iter());
                return Err(fault::ended(&lines));
            }
        }
    }
}
