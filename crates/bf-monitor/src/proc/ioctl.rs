//! The only unsafe code: one ioctl that no library has yet, and a descriptor that was handed down.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::io::FdFlags;
use rustix::ioctl::{Updater, opcode};

/// `struct pidfd_info` in its first published form, the 64 bytes of `PIDFD_INFO_SIZE_VER0`: later kernels
/// only append to it. Source: include/uapi/linux/pidfd.h.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    /// In: what is asked for. Out: what is told; only these fields mean anything.
    mask: u64,
    cgroupid: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    ruid: u32,
    rgid: u32,
    euid: u32,
    egid: u32,
    suid: u32,
    sgid: u32,
    fsuid: u32,
    fsgid: u32,
    /// A wait status, as wait(2) gives it.
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

/// `PIDFD_INFO_EXIT`: the exit status. Set in the answer from Linux 6.15 on, once the process was reaped.
const INFO_EXIT: u64 = 1 << 3;
/// `PIDFD_GET_INFO`: `_IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info)`, since Linux 6.13.
const GET_INFO: rustix::ioctl::Opcode = opcode::read_write::<PidfdInfo>(0xFF, 11);

/// Asks a pidfd how its process ended; works for processes of any user.
///
/// `Ok(None)`: the kernel does not know yet, or will never tell. Until the process was reaped the call
/// succeeds with an exit code of 0, so only the returned mask decides.
///
/// # Errors
/// `ENOTTY` and `EINVAL` on kernels without the call, `ESRCH` after the reap on kernels that keep no
/// record of the exit (before 6.15).
pub(crate) fn exit_status(pidfd: BorrowedFd<'_>) -> rustix::io::Result<Option<ExitStatus>> {
    let mut info = PidfdInfo {
        mask: INFO_EXIT,
        ..PidfdInfo::default()
    };
    // SAFETY: the opcode carries the size of `PidfdInfo`, which has the layout of the kernel's struct; the
    // kernel reads the mask and writes at most that many bytes. On any other kind of descriptor the opcode
    // is unknown, which is an error.
    unsafe { rustix::ioctl::ioctl(pidfd, Updater::<GET_INFO, PidfdInfo>::new(&mut info)) }?;
    Ok((info.mask & INFO_EXIT != 0).then(|| ExitStatus::from_raw(info.exit_code)))
}

/// Keeps a descriptor that this process was started with open here and closed in every program that it
/// starts from now on.
///
/// # Errors
/// There is no such descriptor.
pub(crate) fn keep_from_children(number: RawFd) -> rustix::io::Result<()> {
    if number <= 2 {
        return Err(rustix::io::Errno::BADF);
    }
    // SAFETY: the number is not -1, and the descriptor is only borrowed for this call, which fails with
    // EBADF if there is none. Nothing in this process closes descriptors that it was started with.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(descriptor.as_fd(), FdFlags::CLOEXEC)
}
