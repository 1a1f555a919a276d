//! The stub: the process that becomes the job. It waits until its pid is on the disk, writes down that it
//! goes, and executes the program; whoever dies before that leaves no job behind.
//!
//! It talks to the shim through its standard input (a socket), has the log as standard output and the
//! locked record as standard error. The program gets none of these but the log.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use bf_cli::Failure;
use bf_contract::Exit;
use chrono::Utc;

use crate::args::Args;
use crate::launch::record::{Step, append};

/// What the shim sends once the pid is recorded.
pub(crate) const GO: u8 = b'G';
/// What the stub answers once it has written down that it goes; what follows is the reason why it could not.
pub(crate) const RELEASED: &str = "R";

/// Runs as the stub. Comes back only where no job was started.
///
/// # Errors
/// None: the shim is told.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned().map(File::from) else {
        return Ok(Exit::CouldNotCheck);
    };
    let mut go = [0];
    if (&socket).read_exact(&mut go).is_err() || go != [GO] {
        return Ok(Exit::CouldNotCheck); // the shim is gone
    }
    if let Err(error) = execute(args, &socket) {
        let _ = (&socket).write_all(error.to_string().as_bytes());
    }
    Ok(Exit::CouldNotCheck)
}

/// Becomes the program; comes back only with the reason why not.
fn execute(args: &Args, mut socket: &File) -> io::Result<()> {
    let record = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let log = io::stdout().as_fd().try_clone_to_owned()?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if let Some(cwd) = &args.cwd {
        std::env::set_current_dir(cwd)?;
    }
    append(&record, &Step::Released { at: Utc::now() })?;
    let error = match socket.write_all(RELEASED.as_bytes()) {
        Ok(()) => Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::from(log))
            .exec(),
        // A job that nothing waits for is not begun.
        Err(_) => io::Error::other("its shim was killed"),
    };
    let step = Step::NotStarted {
        at: Utc::now(),
        reason: error.to_string(),
    };
    append(&record, &step)?;
    Err(error)
}
