//! Follows one log file exactly: whole lines, each once and in order, over rotation and truncation.
//!
//! Files are told apart by device, inode and time of birth, and a place in one by how it begins and by the bytes
//! right before it. A renamed file stays open and is read to its end. Files that came and went between two passes
//! are found beside the log (`LOG.1`, `LOG-20260103`). A log that was copied and truncated continues in its copy.
//! Copies that are equal to the last byte cannot be told apart, and what was compressed before it was read is
//! lost: where lines may be missing, the [`Change`] says so.
//!
//! [`Follower`] reads, [`Wake`] waits, and [`Tail`] is the two together. Only speed depends on the watch.

mod follower;
mod place;
mod siblings;
mod source;
mod tail;
mod wake;

pub use follower::{Change, Follower};
pub use place::{FileId, Place, Sample};
pub use siblings::{SavedSibling, SiblingStatus};
pub use tail::Tail;
pub use wake::Wake;
