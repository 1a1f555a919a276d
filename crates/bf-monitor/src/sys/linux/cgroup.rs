//! What the control group of a process knows of kills for want of memory.

use std::path::PathBuf;

/// The control group that a process was in.
#[derive(Debug, Clone)]
pub struct Cgroup {
    events: PathBuf,
    at_first: u64,
}

impl Cgroup {
    /// The group of a process, with its counters as they are now; `None` where there is no cgroup v2 with
    /// memory accounting.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let events = PathBuf::from("/sys/fs/cgroup")
            .join(path)
            .join("memory.events");
        let mut group = Self {
            events,
            at_first: 0,
        };
        group.at_first = group.count()?;
        Some(group)
    }

    /// Kills for want of memory since [`Cgroup::of`], whomever they hit; `None` where they can no longer be read.
    #[must_use]
    pub fn oom_kills(&self) -> Option<u64> {
        self.count()?.checked_sub(self.at_first)
    }

    /// The field `oom_kill` of `memory.events`. Source: Documentation/admin-guide/cgroup-v2.rst.
    fn count(&self) -> Option<u64> {
        let text = std::fs::read_to_string(&self.events).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }
}
