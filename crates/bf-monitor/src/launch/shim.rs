//! The shim: the job's parent, which waits and records how the job ended.
//!
//! It adopts what the job's processes leave behind, in whatever session that runs, and lives until the last of them
//! has ended: as long as it does, the record stays locked, and so does what it was told to hold.
//!
//! It lives in a session of its own, so that neither the end of the terminal nor that of bf-monitor
//! reaches it or the job. What it needs it is given as its three streams: the locked job record as
//! standard input, a pipe to bf-monitor as standard output, the log as standard error.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use bf_cli::{Failure, Interrupts};
use bf_contract::{Exit, ProcessIdentity};
use chrono::Utc;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};

use crate::args::{Args, Role};
use crate::launch::exec_stub;
use crate::launch::record::{Exited, Recorded, Step, append};
use crate::proc::{self, Cgroup, Found, Process};

/// Runs as the shim.
///
/// # Errors
/// None that anybody reads: what goes wrong is told to bf-monitor through the pipe.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if let Err(error) = keep(args) {
        tell(&not_started(error.to_string()));
    }
    Ok(Exit::Success)
}

fn keep(args: &Args) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    // A handler, not "ignore": what is ignored would be ignored by the job, too. SIGTERM to a whole
    // control group must not keep the job's end from being written down.
    let _interrupts = Interrupts::install().map_err(io::Error::other)?;
    for &number in &args.inherit_fd {
        proc::keep_from_children(number)?;
    }
    let record = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let log = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let cgroup = Cgroup::of(std::process::id());

    let (mut stub, theirs) = UnixStream::pair()?;
    let mut child = spawn_stub(args, theirs, &log, &record)?;
    let job = identity(child.id());
    let recorded = Recorded {
        at: Utc::now(),
        job,
        shim: identity(std::process::id()),
    };
    // Whatever fails from here on closes the socket, and the stub ends without having executed anything.
    append(&record, &Step::Recorded(recorded.clone()))?;
    stub.write_all(&[exec_stub::GO])?;
    stub.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stub.read_to_string(&mut answer)?;
    drop(stub);

    match answer.strip_prefix(exec_stub::RELEASED) {
        Some("") => tell(&Step::Recorded(recorded)),
        Some(reason) => {
            let _ = child.wait();
            tell(&not_started(reason.to_owned()));
            return Ok(());
        }
        None => {
            let status = child.wait()?;
            let reason = if answer.is_empty() {
                format!("the process that was to become the job ended first ({status})")
            } else {
                answer
            };
            tell(&not_started(reason));
            return Ok(());
        }
    }
    drop(log);
    let _ = detach();
    wait_for(&child, &record, cgroup.as_ref())
}

/// Starts the stub, in a process group that the job then leads.
fn spawn_stub(args: &Args, socket: UnixStream, log: &File, record: &File) -> io::Result<Child> {
    let mut stub = self_command();
    stub.arg(Role::ExecStub.flag());
    if let Some(cwd) = &args.cwd {
        stub.arg("--cwd").arg(cwd);
    }
    stub.arg("--").args(&args.command);
    stub.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(record.try_clone()?))
        .process_group(0)
        .spawn()
}

/// This very program, even where its file was replaced meanwhile.
pub(crate) fn self_command() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("bf-monitor");
    command
}

/// Lets go of the folder and the log, so that a shim never is what keeps a disk busy.
fn detach() -> io::Result<()> {
    std::env::set_current_dir("/")?;
    let null = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stderr(null)?;
    Ok(())
}

/// Waits for the job, records its end, and waits for what it left behind.
fn wait_for(child: &Child, record: &File, cgroup: Option<&Cgroup>) -> io::Result<()> {
    let job = Pid::from_child(child);
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == job => {
                let exited = Step::Exited(Exited {
                    at: Utc::now(),
                    wait_status: status.as_raw(),
                    oom_kills: cgroup.and_then(Cgroup::oom_kills),
                });
                // bf-monitor first: syncing takes longer than it should have to wait.
                tell(&exited);
                append(record, &exited)?;
                // bf-monitor learns that nothing more is said.
                let null = File::options().write(true).open("/dev/null")?;
                rustix::stdio::dup2_stdout(null)?;
            }
            Ok(_) | Err(Errno::INTR) => {}
            // No child is left.
            Err(_) => return Ok(()),
        }
    }
}

fn identity(pid: u32) -> ProcessIdentity {
    match Process::find(u64::from(pid)) {
        Found::Process(process) => process.identity().clone(),
        _ => ProcessIdentity {
            pid,
            start_ticks: None,
            boot_id: proc::boot_id(),
            pidfd_inode: None,
        },
    }
}

fn not_started(reason: String) -> Step {
    Step::NotStarted {
        at: Utc::now(),
        reason,
    }
}

/// Tells bf-monitor, where it still lives.
fn tell(step: &Step) {
    if let Ok(mut line) = serde_json::to_vec(step) {
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
    }
}
