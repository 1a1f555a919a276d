//! The files that processes have open.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::stat;

/// A file that a process has open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    /// The number of the descriptor.
    pub(crate) descriptor: u32,
    pub(crate) file: (u64, u64),
    /// Whether it is a regular file.
    pub(crate) is_regular: bool,
    /// Where the link points.
    pub(crate) path: PathBuf,
    /// Whether it is open for writing.
    pub(crate) writable: bool,
}

/// The files that a process has open; `None` where this user may not see them. Source: proc_pid_fd(5).
pub(crate) fn open_files(pid: u32) -> Option<Vec<OpenFile>> {
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

/// The processes that have a file open for writing, other than `except`; those that may not be seen are left out.
pub(crate) fn log_writers(file: (u64, u64), except: &[u32]) -> Vec<u32> {
    let writes = |pid: &u32| {
        open_files(*pid)
            .is_some_and(|files| files.iter().any(|open| open.writable && open.file == file))
    };
    let pids = stat::pids().unwrap_or_default();
    pids.into_iter()
        .filter(|pid| !except.contains(pid))
        .filter(writes)
        .collect()
}
