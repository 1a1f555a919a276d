//! CPU time and I/O of a process and its live descendants.

use std::collections::HashSet;

use super::stat::Stat;
use super::{Total, Usage};

/// A tree larger than this is not walked any further; what was not seen is unknown.
const MOST_PROCESSES: usize = 4_096;

/// Sums up what a process and its live descendants have used.
pub(crate) fn usage(pid: u32) -> Usage {
    let (tree, whole) = tree(pid);
    let mut usage = Usage::default();
    for &pid in &tree {
        match Stat::of(pid) {
            Ok(stat) => {
                add(&mut usage.cpu_ticks, stat.cpu_ticks);
                if pid == tree[0] {
                    usage.is_stopped = matches!(stat.state, b'T' | b't');
                } else {
                    usage.descendants.push((pid, stat.start_ticks));
                }
            }
            // Ended in between: not counted as still.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(_) => mark_incomplete(&mut usage.cpu_ticks),
        }
        match io_bytes(pid) {
            Ok(bytes) => add(&mut usage.io_bytes, bytes),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                mark_incomplete(&mut usage.io_bytes);
            }
            Err(_) => {}
        }
    }
    if !whole {
        mark_incomplete(&mut usage.cpu_ticks);
        mark_incomplete(&mut usage.io_bytes);
    }
    usage
}

fn add(total: &mut Option<Total>, amount: u64) {
    let total = total.get_or_insert(Total {
        sum: 0,
        complete: true,
    });
    total.sum = total.sum.wrapping_add(amount);
}

/// Marks that something is missing from a sum. A sum that nothing was added to stays unknown.
fn mark_incomplete(total: &mut Option<Total>) {
    if let Some(total) = total {
        total.complete = false;
    }
}

/// The process and its live descendants, and whether that is all of them.
fn tree(root: u32) -> (Vec<u32>, bool) {
    let (mut tree, mut seen) = (vec![root], HashSet::from([root]));
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        next += 1;
        let Some(children) = children(pid) else {
            return by_parents(root);
        };
        for child in children {
            if tree.len() >= MOST_PROCESSES {
                return (tree, false);
            }
            if seen.insert(child) {
                tree.push(child);
            }
        }
    }
    (tree, true)
}

/// The live children of a process, of all its threads; `None` where the kernel does not list them
/// (`CONFIG_PROC_CHILDREN`). Source: proc_pid_task(5).
fn children(pid: u32) -> Option<Vec<u32>> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Some(Vec::new()); // it ended in between
    };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        match std::fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(
                list.split_ascii_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if thread.path().join("stat").exists() {
                    return None;
                }
            }
            Err(_) => {}
        }
    }
    Some(children)
}

/// The same from the parents of all processes, where children are not listed.
fn by_parents(root: u32) -> (Vec<u32>, bool) {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let Ok(mut system) = System::new() else {
        return (vec![root], false);
    };
    system.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing().without_tasks(),
    );
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        next += 1;
        for (child, process) in system.processes() {
            let is_child = process
                .parent()
                .is_some_and(|parent| parent.as_u32() == pid);
            if is_child && !tree.contains(&child.as_u32()) && tree.len() < MOST_PROCESSES {
                tree.push(child.as_u32());
            }
        }
    }
    let whole = tree.len() < MOST_PROCESSES;
    (tree, whole)
}

/// Bytes that a process read and wrote through system calls, pipes and files alike: fields `rchar` and
/// `wchar` of proc_pid_io(5).
fn io_bytes(pid: u32) -> std::io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let figure = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok(figure("rchar:").wrapping_add(figure("wchar:")))
}
