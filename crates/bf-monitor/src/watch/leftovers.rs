//! Processes that outlive the watched one and still write its log, and logs that are another's.

use std::time::Duration;

use bf_cli::Failure;
use bf_contract::LogState;

use super::Watch;
use bf_parse_log::LogEnd;

use crate::log::Log;
use crate::sys;

/// Between two looks at what is left.
pub const PAUSE: Duration = Duration::from_secs(1);

impl Watch {
    /// Whether the log has its last word: nobody writes it any more, or it says itself that it is over, or
    /// it has been silent for long.
    pub(super) fn is_all_over(&mut self, now: Duration) -> Result<bool, Failure> {
        let Some(log) = &self.log else {
            return Ok(true);
        };
        let mut left = self.usage.descendants.clone();
        if let (true, Some(identity)) = (self.leads_group, &self.identity) {
            left.extend(sys::group_members(identity.pid));
            left.sort_unstable();
            left.dedup();
        }
        let writers = writers(&left, log.log.file());
        if writers.is_empty() {
            return Ok(true);
        }
        self.read_log(now)?;
        let completed = self
            .summary(LogEnd::StillWritten)
            .is_some_and(|summary| summary.state == LogState::Completed);
        let limits = self.settings.limits(self.rate.median_gap());
        let silent = self
            .log
            .as_ref()
            .is_none_or(|log| log.silent_for(now) >= limits.quiet);
        if completed || silent {
            return Ok(true);
        }
        if !std::mem::replace(&mut self.said.leftovers, true) {
            let pids: Vec<String> = writers.iter().map(u32::to_string).collect();
            self.reporter.warn(&format!(
                "{} is over, and what it started still writes its log (pid {}); waiting for that",
                self.job_in_words(),
                pids.join(", ")
            ))?;
        }
        Ok(false)
    }
}

/// Those of the processes that are still alive and have the file open for writing.
fn writers(processes: &[(u32, u64)], file: Option<(u64, u64)>) -> Vec<u32> {
    let Some(file) = file else {
        return Vec::new();
    };
    processes
        .iter()
        .filter(|&&(pid, start)| sys::is_running(pid, start))
        .map(|&(pid, _)| pid)
        .filter(|&pid| {
            sys::open_files(pid)
                .is_some_and(|files| files.iter().any(|open| open.writable && open.file == file))
        })
        .collect()
}

/// What is wrong where a process does not have the given log open and its output goes to another file.
pub fn another_log(pid: u32, log: &Log) -> Option<String> {
    let files = sys::open_files(pid)?;
    let given = log.file_at_path();
    if given.is_some_and(|given| files.iter().any(|open| open.file == given)) {
        return None;
    }
    let stdout = files.iter().find(|open| open.descriptor == 1)?;
    stdout.is_regular.then(|| {
        format!(
            "the output of process {pid} goes to {}, and the log that is read is {}",
            stdout.path.display(),
            log.path().display()
        )
    })
}
