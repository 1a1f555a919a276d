//! What to do after a failed attempt, and how long to wait before the next one.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first step of the delays.
const FIRST_STEP: Duration = Duration::from_secs(1);

/// No step is longer.
const LONGEST_STEP: Duration = Duration::from_secs(30);

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// One line, without any secret.
    pub reason: String,
    /// Whether another attempt may help.
    pub again: Again,
}

/// Whether another attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// No: the answer would be the same.
    Never,
    /// Yes, after the next delay.
    Later,
    /// Yes, after the time that the server asks for.
    After(Duration),
}

impl Fault {
    /// A fault that stays.
    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            again: Again::Never,
        }
    }

    /// A fault that may pass.
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            again: Again::Later,
        }
    }
}

/// The text of a system error without its number.
pub(crate) fn without_number(text: &str) -> &str {
    text.split_once(" (os error ")
        .map_or(text, |(words, _)| words)
}

/// The delays between the attempts: each step twice the one before, up to a longest, a part of it by chance
/// so that many runs do not come back at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    step: Duration,
    left: u32,
}

impl Backoff {
    /// So many repetitions.
    pub(crate) fn new(retries: u32) -> Self {
        Self {
            step: FIRST_STEP,
            left: retries,
        }
    }

    /// The delay before the next attempt; none where the fault stays, all repetitions are used up, or the
    /// attempt would come after `remaining` has passed.
    pub(crate) fn delay(&mut self, again: Again, remaining: Duration) -> Option<Duration> {
        let delay = match again {
            Again::Never => return None,
            Again::Later => self.step.div_f64(2.0).mul_f64(1.0 + chance()),
            Again::After(time) => time,
        };
        self.left = self.left.checked_sub(1)?;
        self.step = self.step.saturating_mul(2).min(LONGEST_STEP);
        (delay < remaining).then_some(delay)
    }
}

/// A number from 0 to 1, different with every call: the standard library keys each hasher anew.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Again, Backoff};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn delays_double_from_one_second_to_thirty_and_end() {
        let mut backoff = Backoff::new(6);
        for step in [1, 2, 4, 8, 16, 30].map(Duration::from_secs) {
            let delay = backoff.delay(Again::Later, LONG).expect("a delay");
            assert!(delay >= step / 2 && delay <= step, "{delay:?} of {step:?}");
        }
        assert_eq!(backoff.delay(Again::Later, LONG), None);
    }

    #[test]
    fn the_server_says_when_within_the_deadline() {
        let wish = Duration::from_secs(77);
        let delay = |remaining| Backoff::new(1).delay(Again::After(wish), remaining);
        assert_eq!(delay(LONG), Some(wish));
        assert_eq!(delay(wish), None);
    }

    #[test]
    fn what_stays_is_not_repeated() {
        assert_eq!(Backoff::new(5).delay(Again::Never, LONG), None);
        assert_eq!(Backoff::new(0).delay(Again::Later, LONG), None);
    }
}
