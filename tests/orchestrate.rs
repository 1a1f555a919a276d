//! bf-orchestrate over the real tools, real jobs and a real warehouse.

mod crash;
mod disasters;
mod documented;
mod earlier_version;
mod golden;
mod once;
mod plans;
mod reach;
mod refusals;
mod rig;
mod shop;
mod stop;
mod views;
mod windows;

use rustix::process::{Pid, Signal, kill_process};

/// Whether the journal of the one run of a rig has these words in it.
fn journal_says(rig: &rig::Rig, words: &str) -> bool {
    let runs = std::fs::read_dir(rig.sandbox.join(".bf/runs")).ok();
    let run = runs.and_then(|mut runs| runs.next()?.ok());
    let journal =
        run.and_then(|run| std::fs::read_to_string(run.path().join("journal.ndjson")).ok());
    journal.is_some_and(|text| text.contains(words))
}

/// Sends a signal to a process that is there.
fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("it can be signalled");
}

/// Sends a signal to a process that may have ended.
fn signal_if_there(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = kill_process(pid.expect("a pid"), signal);
}
