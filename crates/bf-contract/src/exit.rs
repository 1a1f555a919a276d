//! How a tool ends. Written once, here, for every tool.

/// The exit codes of all bf tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Did the work; the verdict is pass or warn.
    Success,
    /// Did the work; the verdict is fail: the data is bad, the job failed.
    Failed,
    /// Usage or configuration error; nothing was started.
    Usage,
    /// Could not check: warehouse unreachable, log unreadable, exit status unknown and nothing else decides.
    CouldNotCheck,
    /// Timed out or hung.
    TimedOut,
    /// Interrupted by SIGINT.
    Interrupted,
    /// Interrupted by SIGTERM.
    Terminated,
}

impl Exit {
    /// Every way to end, with its code: the table of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::CouldNotCheck,
        Self::TimedOut,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the process exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CouldNotCheck => 3,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Reads a tool's exit code. A code that the contract does not have is `None`: whoever asked cannot
    /// tell what the tool saw, and that is never a pass.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|exit| i32::from(exit.code()) == code)
    }

    /// The worse of two ends: a failure is worse than what could not be checked.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        if other.badness() > self.badness() {
            other
        } else {
            self
        }
    }

    const fn badness(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::CouldNotCheck => 1,
            Self::Usage => 2,
            Self::TimedOut => 3,
            Self::Failed => 4,
            Self::Interrupted | Self::Terminated => 5,
        }
    }

    /// True only where the next step may follow.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
