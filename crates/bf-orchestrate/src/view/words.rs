//! One word for one state, in every view.

use bf_cli::text::Mark;
use bf_contract::{Phase, PhaseStatus, Verdict};

/// What a phase came to in words, and the mark that goes with it.
pub(crate) fn phase_words(phase: &Phase) -> (Mark, &'static str) {
    if phase.downgraded {
        return (Mark::Warn, "FAILED, A WARNING BY THE PLAN");
    }
    status_words(phase.status)
}

/// A verdict in words, and the mark that goes with it.
pub(crate) fn verdict_words(verdict: Verdict) -> (Mark, &'static str) {
    match verdict {
        Verdict::Pass => status_words(PhaseStatus::Passed),
        Verdict::Warn => status_words(PhaseStatus::Warned),
        Verdict::Fail => status_words(PhaseStatus::Failed),
        Verdict::Error | Verdict::Unknown => status_words(PhaseStatus::CouldNotCheck),
    }
}

/// A status in words, the same everywhere, and the mark that goes with it.
pub(crate) fn status_words(status: PhaseStatus) -> (Mark, &'static str) {
    match status {
        PhaseStatus::Passed => (Mark::Pass, "PASSED"),
        PhaseStatus::Warned => (Mark::Warn, "WARNED"),
        PhaseStatus::Failed => (Mark::Fail, "FAILED"),
        PhaseStatus::CouldNotCheck | PhaseStatus::Unknown => (Mark::Error, "COULD NOT CHECK"),
        PhaseStatus::NotStarted => (Mark::Skipped, "NOT STARTED"),
        PhaseStatus::Interrupted => (Mark::Error, "INTERRUPTED"),
    }
}
