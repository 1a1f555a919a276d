//! bf-orchestrate over the real tools, real jobs and a real warehouse.

mod crash;
mod disasters;
mod documented;
mod plans;
mod refusals;
mod rig;

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to a process that is there.
fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("it can be signalled");
}
