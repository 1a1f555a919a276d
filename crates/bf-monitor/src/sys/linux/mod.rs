//! Linux: pidfds, `/proc` and control groups.

mod cgroup;
mod clock;
mod ioctl;
mod process;
mod stat;
mod usage;

pub use cgroup::Cgroup;
pub use clock::keeps_our_time;
pub use ioctl::keep_from_children;
pub use process::Process;
pub use stat::{boot_id, may_see_everything, monotonic};
pub use usage::{group_members, is_running, open_files, signal_group_of, usage};
