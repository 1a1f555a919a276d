//! `--doctor`: which ways of learning how a process ended work on this machine. Nothing is inferred from a
//! version: each way is tried on a process that ends in a known way.

use std::io;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bf_cli::text::Mark;
use bf_cli::{Failure, Output};
use bf_contract::{Capability, CapabilityType, Exit, Schema};

use crate::args::Role;
use crate::launch::record::Record;
use crate::launch::shim;
use crate::proc::{self, Cgroup, Found, Life, Process, ZombieStatus};
use bf_logtail::Wake;

/// How the probe ends: with a code that no way of not knowing looks like.
const PROBE: Exit = Exit::TimedOut;
/// How long the probe may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs as the probe.
///
/// # Errors
/// None.
pub(crate) fn probe() -> Result<Exit, Failure> {
    Ok(PROBE)
}

fn capability(name: &str, outcome: Result<String, String>) -> Capability {
    Capability {
        kind: CapabilityType,
        schema: Schema,
        name: name.to_owned(),
        works: outcome.is_ok(),
        detail: outcome.unwrap_or_else(|why| why),
    }
}

/// Tries everything and says what works. Success where the end of a process that bf-monitor did not start
/// can be learnt, by the kernel or by the process table.
///
/// # Errors
/// Whoever reads the documents went away (exit 3).
pub(crate) fn run(mut output: Output) -> Result<Exit, Failure> {
    let kernel = sysinfo::System::kernel_version().unwrap_or_else(|_| "kernel unknown".to_owned());
    let style = output.style();
    output.text(style.bold(&format!(
        "How a process ended, most certain source first ({kernel})"
    )))?;
    let sources = [
        capability("child", child().map_err(plain)),
        capability("pidfd", pidfd().map_err(plain)),
        capability("zombie", zombie().map_err(plain)),
        capability("record", record().map_err(plain)),
    ];
    let signs = [
        capability("identity", identity()),
        capability("cpu_time", cpu_time()),
        capability("io", io_bytes()),
        capability("oom_kills", oom_kills()),
        capability("inotify", inotify().map_err(plain)),
    ];
    let knows_ends = sources
        .iter()
        .any(|source| source.works && matches!(source.name.as_str(), "pidfd" | "zombie"));
    say(&mut output, &sources)?;
    output.text(style.bold("What else can be seen"))?;
    say(&mut output, &signs)?;
    Ok(if knows_ends {
        Exit::Success
    } else {
        Exit::CouldNotCheck
    })
}

fn say(output: &mut Output, capabilities: &[Capability]) -> Result<(), Failure> {
    let style = output.style();
    for capability in capabilities {
        output.document(capability)?;
        let mark = if capability.works {
            Mark::Pass
        } else {
            Mark::Warn
        };
        output.text(format!(
            "  {} {:<9}  {}",
            style.mark(mark),
            capability.name,
            capability.detail
        ))?;
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn plain(error: io::Error) -> String {
    error.to_string()
}

/// A process that ends with [`PROBE`] at once.
fn start_probe() -> io::Result<(Child, Process)> {
    let mut child = shim::self_command()
        .arg(Role::Probe.flag())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    match Process::find(u64::from(child.id())) {
        Found::Process(process) => Ok((child, process)),
        _ => {
            child.wait()?;
            Err(io::Error::other("a child of one's own cannot be found"))
        }
    }
}

fn is_probes(code: Option<i32>) -> bool {
    code == Some(i32::from(PROBE.code()))
}

fn child() -> io::Result<String> {
    let (mut child, _) = start_probe()?;
    if is_probes(child.wait()?.code()) {
        Ok("a job that bf-monitor starts (-- CMD): its shim is told".to_owned())
    } else {
        Err(io::Error::other(
            "a child's exit code was not the one it had",
        ))
    }
}

fn pidfd() -> io::Result<String> {
    let (mut child, process) = start_probe()?;
    child.wait()?;
    match process.exit_status() {
        Some(status) if is_probes(status.code()) => {
            Ok("any process of any user: the kernel keeps how it ended".to_owned())
        }
        Some(_) => Err(io::Error::other("the kernel told another exit code")),
        None => Err(io::Error::other(
            "this kernel does not keep how a process ended (Linux 6.15 and later do)",
        )),
    }
}

fn zombie() -> io::Result<String> {
    let (mut child, process) = start_probe()?;
    let since = Instant::now();
    while process.life() == Life::Running && since.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = process.zombie_status();
    child.wait()?;
    match status {
        ZombieStatus::Known(status) if is_probes(status.code()) => Ok(if proc::can_trace_all() {
            "a process of any user that its parent has not asked after".to_owned()
        } else {
            "a process of this user that its parent has not asked after; not those of others"
                .to_owned()
        }),
        ZombieStatus::Known(_) => Err(io::Error::other("the process table told another exit code")),
        ZombieStatus::Hidden | ZombieStatus::None => Err(io::Error::other(
            "the process table hides how a process ended",
        )),
    }
}

/// Tries the lock that a record depends on, where temporary files are.
fn record() -> io::Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.job");
    let (first, locked) = Record::open(&path)?;
    let (_second, locked_twice) = Record::open(&path)?;
    drop(first);
    if locked && !locked_twice {
        Ok("a job that bf-monitor started, after bf-monitor itself was killed".to_owned())
    } else {
        Err(io::Error::other("files cannot be locked here"))
    }
}

fn identity() -> Result<String, String> {
    match Process::find(u64::from(std::process::id())) {
        Found::Process(process) => {
            let identity = process.identity();
            match (&identity.boot_id, identity.start_ticks, identity.pidfd_inode) {
                (Some(_), Some(_), Some(_)) => {
                    Ok("boot, pid, start time and pidfd tell a process from every other".to_owned())
                }
                (Some(_), Some(_), None) => Ok(
                    "boot, pid and start time tell a process from every other (no pidfd inodes: Linux 6.9 and later have them)"
                        .to_owned(),
                ),
                _ => Err("the start time of a process cannot be read: is /proc mounted?".to_owned()),
            }
        }
        _ => Err("this very process cannot be found: is /proc mounted?".to_owned()),
    }
}

fn cpu_time() -> Result<String, String> {
    match proc::usage(std::process::id()).cpu_ticks {
        Some(total) if total.complete => {
            Ok("CPU time of a job and what it started: a job that hangs is told".to_owned())
        }
        _ => Err("CPU times cannot be read: nothing will be called hung".to_owned()),
    }
}

fn io_bytes() -> Result<String, String> {
    match proc::usage(std::process::id()).io_bytes {
        Some(total) if total.complete && proc::can_trace_all() => {
            Ok("bytes read and written, of any user's processes".to_owned())
        }
        Some(total) if total.complete => {
            Ok("bytes read and written, of this user's processes only".to_owned())
        }
        _ => Err("bytes read and written cannot be read".to_owned()),
    }
}

fn oom_kills() -> Result<String, String> {
    Cgroup::of(std::process::id())
        .map(|_| "kills for want of memory are counted by the control group".to_owned())
        .ok_or_else(|| {
            "no control group counts kills for want of memory: a SIGKILL has no reason".to_owned()
        })
}

fn inotify() -> io::Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.log");
    std::fs::write(&path, "one\n")?;
    let wake = Wake::new(&path).ok_or_else(|| {
        io::Error::other("no watch on a file can be had: logs are read once a poll")
    })?;
    std::fs::write(&path, "two\n")?;
    if wake.is_woken_within(PATIENCE) {
        Ok("a growing or rotated log wakes bf-monitor".to_owned())
    } else {
        Err(io::Error::other(
            "a watch on a file says nothing: logs are read once a poll",
        ))
    }
}
