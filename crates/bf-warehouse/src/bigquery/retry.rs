//! What to do after a fault, and how long to wait before it.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::settings::Pace;

/// What to do after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the same request again.
    Again,
    /// The job is lost; the query needs a new one.
    NewJob,
    /// Give up: the next answer would be the same.
    GiveUp,
}

/// Decides by the reason, and by the status only where BigQuery gives no reason or one that is not known
/// here. The order matters: `bytesBilledLimitExceeded` arrives as HTTP 500, `rateLimitExceeded` as 403.
///
/// Source: "Error table" of BigQuery's REST documentation.
pub(super) fn after(reason: Option<&str>, status: u16) -> Next {
    match reason.unwrap_or_default() {
        "backendError" | "internalError" | "rateLimitExceeded" => Next::Again,
        "jobBackendError" | "jobInternalError" | "jobRateLimitExceeded" => Next::NewJob,
        "accessDenied"
        | "authError"
        | "billingNotEnabled"
        | "billingTierLimitExceeded"
        | "blocked"
        | "bytesBilledLimitExceeded"
        | "duplicate"
        | "invalid"
        | "invalidQuery"
        | "invalidUser"
        | "notFound"
        | "notImplemented"
        | "quotaExceeded"
        | "resourceInUse"
        | "resourcesExceeded"
        | "responseTooLarge"
        | "stopped"
        | "tableUnavailable" => Next::GiveUp,
        _ if matches!(status, 429 | 500 | 502 | 503 | 504) => Next::Again,
        _ => Next::GiveUp,
    }
}

/// The delays before a request is repeated: each twice the one before, up to a longest, a part of it by
/// chance so that many clients do not come back at the same moment.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
    left: u32,
}

impl Backoff {
    /// The delays of `pace`.
    pub(super) fn new(pace: &Pace) -> Self {
        Self {
            next: pace.base_delay,
            longest: pace.longest_delay,
            left: pace.retries,
        }
    }

    /// The next delay, between half and the whole of its step; `None` when all repetitions are used up.
    pub(super) fn delay(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        Some(self.step())
    }

    /// The next delay, for waiting that only a deadline ends.
    pub(super) fn step(&mut self) -> Duration {
        let step = self.next.min(self.longest);
        self.next = step.saturating_mul(2);
        step.div_f64(2.0).mul_f64(1.0 + chance())
    }
}

/// A number from 0 to 1, different with every call.
fn chance() -> f64 {
    f64::from(u32::try_from(random() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// 64 bits that no other call gets: the standard library keys each hasher anew.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::settings::Pace;
    use super::{Backoff, Next, after};

    #[test]
    fn the_reason_decides_before_the_status() {
        assert_eq!(after(Some("bytesBilledLimitExceeded"), 500), Next::GiveUp);
        assert_eq!(after(Some("rateLimitExceeded"), 403), Next::Again);
        assert_eq!(after(Some("quotaExceeded"), 429), Next::GiveUp);
        assert_eq!(after(Some("jobBackendError"), 503), Next::NewJob);
        assert_eq!(after(Some("accessDenied"), 503), Next::GiveUp);
    }

    #[test]
    fn without_a_known_reason_the_status_decides() {
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(after(None, status), Next::Again, "{status}");
            assert_eq!(after(Some("badGateway"), status), Next::Again, "{status}");
        }
        for status in [400, 401, 403, 404, 501] {
            assert_eq!(after(None, status), Next::GiveUp, "{status}");
        }
    }

    #[test]
    fn delays_double_from_one_second_to_thirty_two_and_end() {
        let mut backoff = Backoff::new(&Pace::default());
        for step in [1, 2, 4, 8, 16, 32].map(Duration::from_secs) {
            let delay = backoff.delay().expect("a delay");
            assert!(delay >= step / 2 && delay <= step, "{delay:?} of {step:?}");
        }
        assert_eq!(backoff.delay(), None);
        assert!(backoff.step() <= Duration::from_secs(32));
    }
}
