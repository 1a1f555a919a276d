//! SIGINT, SIGTERM and SIGHUP as something that a tool waits for, beside its other events.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bf_contract::Exit;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::{Context, Failure};

/// What asked a tool to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: Ctrl-C.
    Int,
    /// SIGTERM: a service manager, `kill`.
    Term,
    /// SIGHUP: the terminal went away.
    Hangup,
}

impl Interrupt {
    /// The code to end with.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Int => Exit::Interrupted,
            Self::Term | Self::Hangup => Exit::Terminated,
        }
    }

    /// The signal's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

/// The interrupts of this process, from [`Interrupts::install`] on. A descriptor of it becomes readable
/// when one has arrived, so that it can be polled beside others.
#[derive(Debug)]
pub struct Interrupts {
    wake: UnixStream,
    last: Arc<AtomicUsize>,
}

impl Interrupts {
    /// Takes over SIGINT and SIGTERM, and SIGHUP unless the process was told to ignore it (nohup). A write
    /// beyond the file size limit (`ulimit -f`) is an error of that write from then on, not the end of the
    /// process; a child has its own way with it.
    ///
    /// # Errors
    /// The process has no descriptors left.
    pub fn install() -> Result<Self, Failure> {
        let doing = || "installing the signal handlers".to_owned();
        let (wake, notify) = UnixStream::pair().or_could_not_check(doing)?;
        wake.set_nonblocking(true).or_could_not_check(doing)?;
        let last = Arc::new(AtomicUsize::new(0));
        let mut signals = vec![SIGINT, SIGTERM];
        if !hangup_is_ignored() {
            signals.push(SIGHUP);
        }
        // The first Ctrl-C ends the tool in good order; a second one ends it at once.
        let is_second = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&is_second))
            .or_could_not_check(doing)?;
        signal_hook::flag::register(SIGINT, is_second).or_could_not_check(doing)?;
        for signal in signals {
            // The flag is set before the wake-up is sent: handlers run in the order of registration.
            #[allow(clippy::cast_sign_loss)] // signal numbers are positive
            signal_hook::flag::register_usize(signal, Arc::clone(&last), signal as usize)
                .or_could_not_check(doing)?;
            let notify = notify.try_clone().or_could_not_check(doing)?;
            signal_hook::low_level::pipe::register(signal, notify).or_could_not_check(doing)?;
        }
        // The flag is of no use: that there is a handler is all.
        signal_hook::flag::register(SIGXFSZ, Arc::default()).or_could_not_check(doing)?;
        Ok(Self { wake, last })
    }

    /// The interrupt that has arrived, if one has.
    #[must_use]
    pub fn pending(&self) -> Option<Interrupt> {
        match i32::try_from(self.last.load(Ordering::SeqCst)).ok()? {
            SIGINT => Some(Interrupt::Int),
            SIGTERM => Some(Interrupt::Term),
            SIGHUP => Some(Interrupt::Hangup),
            _ => None,
        }
    }

    /// Sleeps until an interrupt arrives, at most `limit`.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> Option<Interrupt> {
        if self.pending().is_none() {
            let mut fds = [rustix::event::PollFd::new(
                &self.wake,
                rustix::event::PollFlags::IN,
            )];
            let limit = rustix::event::Timespec {
                tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(limit.subsec_nanos()),
            };
            // An error is an early return; the caller's loop asks again.
            let _ = rustix::event::poll(&mut fds, Some(&limit));
            let _ = (&self.wake).read(&mut [0; 16]);
        }
        self.pending()
    }
}

impl AsFd for Interrupts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// Whether SIGHUP is ignored, as it is under nohup: then it must stay so. Source: `SigIgn` in
/// proc_pid_status(5), a mask with the first signal in its lowest bit.
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let mask = status
                .lines()
                .find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        })
        .is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
