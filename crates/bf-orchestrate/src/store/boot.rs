//! Which boot this is, and which process a pid means now. Linux: proc(5).

use bf_contract::ProcessIdentity;

/// The running boot's id; `None` where the system has none to read.
pub(crate) fn current() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Whether `process` belongs to a boot that is known to be over.
pub(crate) fn is_over_for(process: &ProcessIdentity) -> bool {
    match (&process.boot_id, current()) {
        (Some(then), Some(now)) => *then != now,
        _ => false,
    }
}

/// Whether that very process is still there, and no other that was given its pid. A zombie is over.
pub(crate) fn is_alive(process: &ProcessIdentity) -> bool {
    if is_over_for(process) {
        return false;
    }
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)) else {
        return false;
    };
    // The second field is the name in parentheses, which may hold anything; the state follows it.
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return false;
    };
    let fields: Vec<&str> = rest.split(' ').collect();
    let is_zombie = matches!(fields.first(), Some(&"Z" | &"X"));
    // Field 22 of the whole line: the start time in clock ticks after boot.
    let start_ticks = fields.get(19).and_then(|field| field.parse::<u64>().ok());
    !is_zombie && start_ticks.is_some() && start_ticks == process.start_ticks
}
