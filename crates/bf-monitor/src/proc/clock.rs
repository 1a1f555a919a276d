//! Whose clock the times of a file are by.

use std::fs::File;

/// File systems that stamp their files by this machine's clock. Those of a network, and all that are not known,
/// may have a server's. Source: include/uapi/linux/magic.h and the file systems' own headers.
const OURS: [u64; 10] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0x0102_1994, // tmpfs
    0x794C_7630, // overlayfs
    0xF2F5_2010, // F2FS
    0x2FC1_2FC1, // ZFS
    0xCA45_1A4E, // bcachefs
    0x4D44,      // FAT
    0x2011_BAB0, // exFAT
];

/// Whether the times of a file can be compared with those of this machine's processes.
pub(crate) fn has_local_timestamps(file: &File) -> bool {
    rustix::fs::fstatfs(file)
        .ok()
        .and_then(|mount| u64::try_from(mount.f_type).ok())
        .is_some_and(|kind| OURS.contains(&kind))
}
