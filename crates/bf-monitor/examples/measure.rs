//! Measures what waits for a process: how long after its end that is told, and what the waiting costs.
//! Called by scripts/bench-monitor.
//!
//! `measure latency RUNS LABEL PROGRAM ARG…` and `measure idle SECONDS LABEL PROGRAM ARG…` print one row of
//! a table. `PID` and `LOG` among the arguments stand for the process that is waited for and for its log.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What starting up costs is no cost of waiting.
const WARM_UP: Duration = Duration::from_secs(5);

fn main() -> Outcome<()> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [what, number, label, command @ ..] = &words[..] else {
        return Err("usage: measure latency|idle NUMBER LABEL PROGRAM ARG…".into());
    };
    let number: u32 = number.to_string_lossy().parse()?;
    let label = label.to_string_lossy();
    match what.to_str() {
        Some("latency") => latency(number, &label, command),
        Some("idle") => idle(u64::from(number), &label, command),
        _ => Err("latency or idle".into()),
    }
}

/// The row of a waiter's latency: from the reap of the process to the line that says so.
fn latency(runs: u32, label: &str, command: &[OsString]) -> Outcome<()> {
    let mut taken = Vec::new();
    for run in 0..runs {
        // Spread over the second, so that no run meets the beat of a poll.
        let lifetime = Duration::from_millis(400 + u64::from(run) * 37 % 1_000);
        taken.push(one_latency(lifetime, command)?);
    }
    taken.sort_unstable();
    let at = |share: usize| taken[(taken.len() - 1) * share / 100];
    println!(
        "{label:<34} {runs:>5} {:>12} {:>12} {:>12}",
        milliseconds(at(50)),
        milliseconds(at(99)),
        milliseconds(at(100))
    );
    Ok(())
}

fn one_latency(lifetime: Duration, command: &[OsString]) -> Outcome<Duration> {
    let mut job = start_job()?;
    let mut waiter = start_waiter(command, job.id(), Path::new("/dev/null"), Stdio::piped())?;
    let stdout = waiter.stdout.take().ok_or("no pipe")?;
    let told = std::thread::spawn(move || {
        // The moment of the last line, which is the one that tells the end.
        let mut last = None;
        for line in BufReader::new(stdout).lines() {
            if line.is_ok_and(|line| line.contains("exited")) {
                last = Some(Instant::now());
            }
        }
        last
    });
    std::thread::sleep(lifetime);
    job.kill()?;
    // Over, and not reaped yet: the clock starts with the reap.
    waitid(
        WaitId::Pid(pid_of(&job)?),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )?;
    let reaped = Instant::now();
    job.wait()?;
    waiter.wait()?;
    let told = told
        .join()
        .map_err(|_| "the reader failed")?
        .ok_or("the waiter never said that the process exited")?;
    Ok(told.saturating_duration_since(reaped))
}

/// The row of what waiting costs, made up to an hour.
fn idle(seconds: u64, label: &str, command: &[OsString]) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("idle.log");
    fs::write(&log, "INFO:__main__:Processing day 1/2: 2024-01-01\n")?;
    let mut job = start_job()?;
    let mut waiter = start_waiter(command, job.id(), &log, Stdio::null())?;
    std::thread::sleep(WARM_UP);
    let before = Cost::of(waiter.id())?;
    std::thread::sleep(Duration::from_secs(seconds));
    let after = Cost::of(waiter.id())?;
    kill_process_group(pid_of(&waiter)?, Signal::KILL)?;
    waiter.wait()?;
    job.kill()?;
    job.wait()?;

    #[allow(clippy::cast_precision_loss)]
    let an_hour = |figure: u64| figure as f64 * 3600.0 / seconds as f64;
    println!(
        "{label:<34} {seconds:>4}s {:>9.3}s {:>12.0} {:>9.1} MiB",
        an_hour(after.cpu_nanoseconds - before.cpu_nanoseconds) / 1e9,
        an_hour(after.wake_ups - before.wake_ups),
        after.resident_mib
    );
    Ok(())
}

/// What a process has cost so far.
struct Cost {
    cpu_nanoseconds: u64,
    wake_ups: u64,
    resident_mib: f64,
}

impl Cost {
    /// Sums over the threads of a process, and over its children that are over. Sources: proc_pid_stat(5),
    /// proc_pid_status(5), Documentation/scheduler/sched-stats.rst.
    fn of(pid: u32) -> Outcome<Self> {
        let (mut cpu, mut wake_ups) = (0, 0);
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?.path();
            let statistics = fs::read_to_string(thread.join("schedstat"))?;
            let on_cpu = statistics.split(' ').next().ok_or("no schedstat")?;
            cpu += on_cpu.parse::<u64>()?;
            wake_ups += figure(&thread.join("status"), "voluntary_ctxt_switches:")?;
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
        for field in [16, 17] {
            let ticks: u64 = fields.get(field - 2).ok_or("a short stat")?.parse()?;
            cpu += ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second();
        }
        #[allow(clippy::cast_precision_loss)]
        let resident = figure(Path::new(&format!("/proc/{pid}/status")), "VmRSS:")? as f64 / 1024.0;
        Ok(Self {
            cpu_nanoseconds: cpu,
            wake_ups,
            resident_mib: resident,
        })
    }
}

/// The number behind a name in a status file.
fn figure(path: &Path, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(path)?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    let number = rest.and_then(|rest| rest.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("no {name}"))?.parse()?)
}

fn start_job() -> Outcome<Child> {
    Ok(Command::new("sleep").arg("100000").spawn()?)
}

fn start_waiter(command: &[OsString], pid: u32, log: &Path, stdout: Stdio) -> Outcome<Child> {
    let (program, arguments) = command.split_first().ok_or("no program")?;
    let arguments = arguments.iter().map(|argument| {
        let text = argument.to_string_lossy();
        OsString::from(
            text.replace("PID", &pid.to_string())
                .replace("LOG", &log.to_string_lossy()),
        )
    });
    Ok(Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?)
}

fn pid_of(child: &Child) -> Outcome<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?).ok_or("no pid")?)
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
