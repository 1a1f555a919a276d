//! One run of a program with the notification on its standard input.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use bf_cli::text::{printable, without_urls};
use rustix::fs::{Access, MemfdFlags, access, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use crate::retry::{Fault, without_number};

/// So much of the end of a program's standard error is looked at for its last line, in bytes.
const TAIL: u64 = 4_096;

/// A shorter value of the environment, in bytes, is no secret, and may stand anywhere in a line.
const SHORTEST_SECRET: usize = 8;

/// Runs the program once. Dropping the future ends it and what it started.
///
/// # Errors
/// It cannot be started, or did not end with code 0.
pub(crate) async fn attempt(command: &[String], document: &[u8]) -> Result<(), Fault> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Fault::lasting("command has no program"));
    };
    let failed = |doing: &str, error: &Error| {
        let error_text = error.to_string();
        let words = without_number(&error_text);
        let reason = format!("{doing} {}: {words}", printable(program, 200));
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => Fault::lasting(reason),
            _ => Fault::passing(reason),
        }
    };
    // Files in memory, not pipes: a program that does not read, or leaves a child behind that holds its
    // standard error, cannot block anything.
    let stdin = in_memory(document).map_err(|error| failed("the input of", &error))?;
    let mut stderr = in_memory(&[]).map_err(|error| failed("the output of", &error))?;
    let child_stderr = stderr
        .try_clone()
        .map_err(|error| failed("the output of", &error))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(child_stderr)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed("starting", &error))?;
    let mut group = Group(
        child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
    );
    let status = child
        .wait()
        .await
        .map_err(|error| failed("waiting for", &error))?;
    group.0 = None;
    if status.success() {
        return Ok(());
    }
    let ended = describe(status);
    Err(Fault::passing(match last_line(&mut stderr) {
        Some(line) => format!("{ended}: {line}"),
        None => ended,
    }))
}

/// Where the program is, as it would be found when it is started.
///
/// # Errors
/// One line: it is not there, or cannot be executed.
pub(crate) fn find(program: &str) -> Result<PathBuf, String> {
    let is_executable = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = if program.contains('/') {
        Some(Path::new(program).to_owned()).filter(is_executable)
    } else {
        std::env::split_paths(&path)
            .map(|directory| directory.join(program))
            .find(is_executable)
    };
    found.ok_or_else(|| format!("the program {} is not found", printable(program, 200)))
}

/// A process group that is killed when nothing waits for it any longer.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// A file in memory, to be read from its beginning.
fn in_memory(bytes: &[u8]) -> Result<File, Error> {
    let mut file = File::from(memfd_create("bf-notify", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// The last line that says anything, safe to show.
fn last_line(file: &mut File) -> Option<String> {
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(printable(&hide_environment(without_urls(line)), 200))
}

/// A program has its secrets from the environment, and may print one that it complains about. Paths are no
/// secrets, and often what the complaint is about.
fn hide_environment(line: String) -> String {
    std::env::vars_os()
        .filter_map(|(_, value)| value.into_string().ok())
        .filter(|value| value.len() >= SHORTEST_SECRET && !value.starts_with('/'))
        .fold(line, |line, value| line.replace(&value, "***"))
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "its end is not known".to_owned(),
    }
}
