//! CPU time and I/O of a process and its live descendants, and the files that it has open.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::super::{Total, Usage};
use super::stat::Stat;

/// A tree larger than this is not walked any further; what was not seen is unknown.
const MOST_PROCESSES: usize = 4_096;

/// Sums up what a process and its live descendants have used.
#[must_use]
pub fn usage(pid: u32) -> Usage {
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
            // Ended in between: nothing that stands still.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(_) => spoil(&mut usage.cpu_ticks),
        }
        match io_bytes(pid) {
            Ok(bytes) => add(&mut usage.io_bytes, bytes),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                spoil(&mut usage.io_bytes);
            }
            Err(_) => {}
        }
    }
    if !whole {
        spoil(&mut usage.cpu_ticks);
        spoil(&mut usage.io_bytes);
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
fn spoil(total: &mut Option<Total>) {
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

/// Whether the process with this pid and start time still runs.
#[must_use]
pub fn is_running(pid: u32, start_ticks: u64) -> bool {
    Stat::of(pid).is_ok_and(|stat| stat.start_ticks == start_ticks && stat.state != b'Z')
}

/// The members of a process group that still run, as pid and start time. Whether there are any is one
/// system call; only where there are, all processes are looked at.
#[must_use]
pub fn group_members(group: u32) -> Vec<(u32, u64)> {
    let id = i32::try_from(group).ok().and_then(Pid::from_raw);
    let Some(id) = id else {
        return Vec::new();
    };
    if test_kill_process_group(id) == Err(rustix::io::Errno::SRCH) {
        return Vec::new();
    }
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, Stat::of(pid).ok()?)))
        .filter(|(_, stat)| stat.group == group && stat.state != b'Z')
        .map(|(pid, stat)| (pid, stat.start_ticks))
        .collect()
}

/// Signals what is left of a process group whose leader is gone. Its number is nobody else's as long as it has
/// members: look for those first.
///
/// # Errors
/// It has none, or they are another user's.
pub fn signal_group_of(leader: u32, signal: Signal) -> std::io::Result<()> {
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    let group = group.ok_or(std::io::ErrorKind::NotFound)?;
    Ok(kill_process_group(group, signal)?)
}

/// A file that a process has open.
#[derive(Debug)]
pub struct OpenFile {
    /// The number of the descriptor.
    pub descriptor: u32,
    /// Device and inode.
    pub file: (u64, u64),
    /// Whether it is a regular file.
    pub is_regular: bool,
    /// Where the link points.
    pub path: PathBuf,
    /// Whether it is open for writing.
    pub writable: bool,
}

/// The files that a process has open; `None` where this user may not see them. Source: proc_pid_fd(5).
#[must_use]
pub fn open_files(pid: u32) -> Option<Vec<OpenFile>> {
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).ok()?.flatten() {
        let link = entry.path();
        let name = entry.file_name();
        let Some(descriptor) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let (Ok(path), Ok(metadata)) = (std::fs::read_link(&link), std::fs::metadata(&link)) else {
            continue;
        };
        // The owner's write bit of the link itself says how the file was opened.
        let writable = std::fs::symlink_metadata(&link).is_ok_and(|link| link.mode() & 0o200 != 0);
        files.push(OpenFile {
            descriptor,
            file: (metadata.dev(), metadata.ino()),
            is_regular: metadata.is_file(),
            path,
            writable,
        });
    }
    Some(files)
}
