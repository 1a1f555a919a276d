//! `/proc/PID/stat`, and the clocks that its figures are in.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The fields of `/proc/PID/stat` that are used here. Source: proc_pid_stat(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Field 3: `R`, `S`, `D`, `Z` …
    pub(crate) state: u8,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    /// Field 9, `PF_KTHREAD`: a thread of the kernel's own. Source: include/linux/sched.h.
    pub(crate) is_kernel_thread: bool,
    /// Fields 14 to 17: clock ticks of the process and of its children that were waited for.
    pub(crate) cpu_ticks: u64,
    pub(crate) threads: u64,
    /// Field 22: clock ticks after boot.
    pub(crate) start_ticks: u64,
    /// Field 35. The address is hidden nowadays, but a sleeping single-threaded process shows 1 to whoever
    /// may trace it and 0 to everybody else: the sign that field 52 is not merely blanked out.
    pub(crate) may_be_traced: bool,
    /// Field 52: a wait status; 0 for whoever may not trace the process.
    pub(crate) exit_status: i32,
}

impl Stat {
    /// Reads the entry of a process.
    ///
    /// # Errors
    /// `NotFound` if there is no such process, or where /proc hides it (hidepid).
    pub(crate) fn of(pid: u32) -> std::io::Result<Self> {
        let line = std::fs::read(format!("/proc/{pid}/stat"))?;
        Self::parse(&line).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    }

    /// Reads a line. The second field is the program's name in brackets and may itself hold brackets,
    /// spaces and newlines, so counting begins behind the last bracket.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let after_name = line.iter().rposition(|&byte| byte == b')')? + 1;
        let rest = std::str::from_utf8(line.get(after_name..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // `fields[0]` is field 3.
        let field = |number: usize| fields.get(number - 3).copied();
        let count = |number: usize| field(number)?.parse::<u64>().ok();
        Some(Self {
            state: *field(3)?.as_bytes().first()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            is_kernel_thread: count(9)? & 0x0020_0000 != 0,
            // The times of waited-for children are signed in the documentation; they never are below 0.
            cpu_ticks: count(14)? + count(15)? + count(16)? + count(17)?,
            threads: count(20)?,
            start_ticks: count(22)?,
            may_be_traced: count(35).is_some_and(|channel| channel != 0),
            exit_status: field(52).and_then(|text| text.parse().ok()).unwrap_or(0),
        })
    }

    /// Whether it has ended. A leader that ended before its threads is shown as a zombie, too, and lives.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, b'X' | b'x') || self.state == b'Z' && self.threads <= 1
    }

    /// How a zombie ended; `None` where a 0 may only mean that this user may not see it.
    pub(crate) fn zombie_exit(&self) -> Option<ExitStatus> {
        (self.exit_status != 0 || self.may_be_traced)
            .then(|| ExitStatus::from_raw(self.exit_status))
    }
}

/// The pids of all processes that may be seen.
///
/// # Errors
/// `/proc` cannot be read.
pub(crate) fn pids() -> std::io::Result<Vec<u32>> {
    let entries = std::fs::read_dir("/proc")?;
    let pids: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    // This very process is always there: without it, this is not a proc file system.
    if pids.contains(&std::process::id()) {
        Ok(pids)
    } else {
        Err(std::io::Error::other("/proc does not list the processes"))
    }
}

/// The entries of all processes that may be seen. One that ends meanwhile is left out.
///
/// # Errors
/// `/proc` cannot be read.
pub(crate) fn table() -> std::io::Result<Vec<(u32, Stat)>> {
    let pids = pids()?.into_iter();
    Ok(pids
        .filter_map(|pid| Some((pid, Stat::of(pid).ok()?)))
        .collect())
}

/// Whether this user may see how the processes of every user ended, as root may: whether the process with
/// pid 1 shows what it shows only to those who may trace it.
pub(crate) fn can_trace_all() -> bool {
    std::fs::read_link("/proc/1/exe").is_ok()
}

/// The id of this boot: start times and pids mean nothing across two of them.
pub(crate) fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Clock ticks in a second: the unit of start times and CPU times.
pub(crate) fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second().max(1)
}

/// Time since boot, suspended time included: the clock of the start times.
pub(crate) fn elapsed_since_boot() -> Duration {
    clock(ClockId::Boottime)
}

/// Time that this machine was awake since boot. Not set by anybody, and the same for all processes of one
/// boot, so that it can be kept in a file.
pub(crate) fn monotonic() -> Duration {
    clock(ClockId::Monotonic)
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::Stat;

    const ZOMBIE: &str = "16743 (sh) Z 16697 16581 9270 0 -1 4227084 61 0 0 0 1 2 3 4 20 0 1 0 130758 0 0 \
        18446744073709551615 0 0 0 0 0 0 0 0 65538 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 1792";

    #[test]
    fn the_fields_are_counted_behind_the_last_bracket_of_the_name() {
        let plain = Stat::parse(ZOMBIE.as_bytes()).expect("a stat line");
        let tricky = ZOMBIE.replace("(sh)", "(a) Z 1 (b\n)");
        assert_eq!(Stat::parse(tricky.as_bytes()), Some(plain));
        assert_eq!(
            (plain.state, plain.parent, plain.start_ticks),
            (b'Z', 16697, 130_758)
        );
        assert_eq!(plain.cpu_ticks, 10);
    }

    #[test]
    fn a_zombie_of_which_nothing_may_be_seen_has_no_exit_status() {
        let mine = Stat::parse(ZOMBIE.as_bytes()).expect("a stat line");
        assert_eq!(mine.zombie_exit().and_then(|exit| exit.code()), Some(7));

        let clean = ZOMBIE.replace(" 1792", " 0");
        let clean = Stat::parse(clean.as_bytes()).expect("a stat line");
        assert_eq!(clean.zombie_exit().and_then(|exit| exit.code()), Some(0));

        let hidden = ZOMBIE.replace(" 1792", " 0").replace("65538 1", "65538 0");
        let hidden = Stat::parse(hidden.as_bytes()).expect("a stat line");
        assert_eq!(hidden.zombie_exit(), None);
    }

    #[test]
    fn a_cut_line_is_no_stat_line() {
        assert_eq!(Stat::parse(b"16743 (sh"), None);
        assert_eq!(Stat::parse(b"16743 (sh) Z 1 2"), None);
    }
}
