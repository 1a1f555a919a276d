//! The mark that a run puts on its jobs, and what carries it now. Linux: proc(5).
//!
//! A job and whatever it starts inherit an environment variable that names the run, the unit and the attempt. It is
//! evidence of its own: it is there although bf-monitor's state is lost, and although a process left its parent,
//! its group and its session. A process that clears its environment, or is another user's, is not found by it.

use std::fs;

use crate::store::journal::UnitName;
use crate::store::proc::{self, Stat};

/// The variable.
pub(crate) const VARIABLE: &str = "BF_RUN";

/// The mark of an attempt: the value of the variable.
pub(crate) fn of_attempt(run_uuid: &str, unit: UnitName<'_>, earlier_attempts: u32) -> String {
    format!("{}{}", of_unit(run_uuid, unit), earlier_attempts + 1)
}

/// What the marks of all attempts at a unit begin with.
pub(crate) fn of_unit(run_uuid: &str, unit: UnitName<'_>) -> String {
    let window = match unit.window {
        Some(window) => format!("{}_{}", window.start, window.end),
        None => String::new(),
    };
    format!("{}{}/{window}/", of_run(run_uuid), unit.phase)
}

/// What every mark of a run begins with.
pub(crate) fn of_run(run_uuid: &str) -> String {
    format!("{run_uuid}/")
}

/// A process that carries a mark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Marked {
    pub pid: u32,
    /// When it started, in clock ticks after boot: with the pid it is this process and no other.
    pub start_ticks: u64,
    pub mark: String,
    pub command: String,
}

/// The living processes whose mark begins so.
pub(crate) fn living(prefix: &str) -> Vec<Marked> {
    let pids = proc::pids().into_iter();
    let mut found: Vec<Marked> = pids.filter_map(|pid| marked(pid, prefix)).collect();
    found.sort();
    found
}

/// Processes as a message names them.
pub(crate) fn in_words(processes: &[Marked]) -> String {
    const MOST: usize = 5;
    let mut words: Vec<String> = processes
        .iter()
        .take(MOST)
        .map(|one| {
            format!(
                "pid {} ({})",
                one.pid,
                bf_cli::text::printable(&one.command, 60)
            )
        })
        .collect();
    if processes.len() > MOST {
        words.push(format!("{} more", processes.len() - MOST));
    }
    words.join(", ")
}

fn marked(pid: u32, prefix: &str) -> Option<Marked> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mark = environment.split(|byte| *byte == 0).find_map(|variable| {
        let value = variable
            .strip_prefix(VARIABLE.as_bytes())?
            .strip_prefix(b"=")?;
        value.starts_with(prefix.as_bytes()).then_some(value)
    })?;
    let stat = Stat::of(pid).filter(|stat| !stat.has_ended)?;
    Some(Marked {
        pid,
        mark: String::from_utf8_lossy(mark).into_owned(),
        start_ticks: stat.start_ticks,
        command: bf_cli::text::printable(&proc::command_of(pid), 120),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_found_by_its_mark_as_long_as_it_lives() {
        let unit = UnitName {
            phase: "load",
            window: None,
        };
        let uuid = format!("test-{}", std::process::id());
        let mut child = Command::new("cat")
            .env(VARIABLE, of_attempt(&uuid, unit, 0))
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        let found = living(&of_unit(&uuid, unit));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].pid, found[0].command.as_str()),
            (child.id(), "cat")
        );
        assert_eq!(living(&of_run(&uuid)), found);
        let other = UnitName {
            phase: "loader",
            ..unit
        };
        assert!(living(&of_unit(&uuid, other)).is_empty());
        child.kill().expect("it lives");
        child.wait().expect("it is gone");
        assert!(living(&of_run(&uuid)).is_empty());
    }
}
