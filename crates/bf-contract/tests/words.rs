//! Every word of every enum, both ways. A variant that is missing here does not compile.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use bf_contract::{
    CheckStatus, Comparison, DayStatus, DeliveryStatus, Document, DoubtKind, ErrorClass,
    ExitSource, LedgerStatus, Level, LogState, NotificationEvent, PhaseStatus, PhaseStep,
    ProcessEventKind, RunState, Verdict, read_document,
};

/// A test that each variant has its word, that each word is read, and what a word of a newer bf is read as.
macro_rules! keeps_its_words {
    ($test:ident: $words:ident { $($variant:ident = $word:literal),+ $(,)? } else $newer:expr) => {
        #[test]
        fn $test() {
            let word = |variant: $words| match variant {
                $($words::$variant => $word),+
            };
            for variant in [$($words::$variant),+] {
                let quoted = format!("\"{}\"", word(variant));
                assert_eq!(serde_json::to_string(&variant).expect("a word"), quoted);
                if quoted != "\"unknown\"" {
                    let read: $words = serde_json::from_str(&quoted).expect(&quoted);
                    assert_eq!(read, variant);
                }
            }
            let newer = serde_json::from_str::<$words>("\"of_tomorrow\"").ok();
            assert_eq!(newer, $newer);
        }
    };
}

keeps_its_words!(log_states: LogState {
    Running = "running", Completed = "completed", Interrupted = "interrupted", Refused = "refused",
    DryRun = "dry_run", Empty = "empty", Unknown = "unknown",
} else Some(LogState::Unknown));

keeps_its_words!(doubts: DoubtKind {
    UndatedFailure = "undated_failure", SummaryDisagrees = "summary_disagrees", TwoJobs = "two_jobs",
    FallingOrder = "falling_order", UnreadableFigure = "unreadable_figure",
    UnreadableDate = "unreadable_date", OtherDialect = "other_dialect", UnreadErrors = "unread_errors",
    OwnValidationFailed = "own_validation_failed",
    Unknown = "unknown",
} else Some(DoubtKind::Unknown));

keeps_its_words!(error_classes: ErrorClass {
    Quota = "quota", RateLimit = "rate_limit", Serialization = "serialization", Schema = "schema",
    NoData = "no_data", Timeout = "timeout", Other = "other",
} else Some(ErrorClass::Other));

keeps_its_words!(ledger_statuses: LedgerStatus {
    Success = "success", Failed = "failed", Skipped = "skipped", InProgress = "in_progress",
    Interrupted = "interrupted", DryRun = "dry_run", Unknown = "unknown",
} else Some(LedgerStatus::Unknown));

keeps_its_words!(process_events: ProcessEventKind {
    Started = "started", Attached = "attached", Progress = "progress", Quiet = "quiet",
    Stalled = "stalled", Hung = "hung", LogRotated = "log_rotated", LogTruncated = "log_truncated",
    Exited = "exited", TimedOut = "timed_out", Lost = "lost", Unknown = "unknown",
} else Some(ProcessEventKind::Unknown));

keeps_its_words!(exit_sources: ExitSource {
    Child = "child", Pidfd = "pidfd", Zombie = "zombie", Record = "record", Log = "log",
    Unknown = "unknown",
} else Some(ExitSource::Unknown));

// A config file holds levels and events, too, and there a word that is not known is an error.
keeps_its_words!(levels: Level {
    Critical = "critical", Normal = "normal", Warning = "warning", Info = "info", Off = "off",
    Unknown = "unknown",
} else None);

keeps_its_words!(notification_events: NotificationEvent {
    RunStarted = "run_started", PhaseStarted = "phase_started", PhaseEnded = "phase_ended",
    GateFailed = "gate_failed", CouldNotCheck = "could_not_check", Quiet = "quiet",
    Stalled = "stalled", Hung = "hung", Interrupted = "interrupted", RunFinished = "run_finished",
    Test = "test", Unknown = "unknown",
} else None);

keeps_its_words!(check_statuses: CheckStatus {
    Pass = "pass", Warn = "warn", Fail = "fail", Error = "error", Skipped = "skipped",
    Unknown = "unknown",
} else Some(CheckStatus::Unknown));

keeps_its_words!(verdicts: Verdict {
    Pass = "pass", Warn = "warn", Error = "error", Fail = "fail", Unknown = "unknown",
} else Some(Verdict::Unknown));

keeps_its_words!(comparisons: Comparison {
    AtLeast = ">=", AtMost = "<=", Exactly = "==", Unknown = "unknown",
} else Some(Comparison::Unknown));

keeps_its_words!(day_statuses: DayStatus {
    Ok = "ok", Failed = "failed", Missing = "missing", Fewer = "fewer", More = "more",
    Skipped = "skipped", NothingExpected = "nothing_expected", NotJudged = "not_judged",
    Unknown = "unknown",
} else Some(DayStatus::Unknown));

keeps_its_words!(phase_statuses: PhaseStatus {
    Passed = "passed", Warned = "warned", Failed = "failed", CouldNotCheck = "could_not_check",
    NotStarted = "not_started", Interrupted = "interrupted", Unknown = "unknown",
} else Some(PhaseStatus::Unknown));

keeps_its_words!(run_states: RunState {
    Live = "live", Finished = "finished", Interrupted = "interrupted", Abandoned = "abandoned",
    Unreadable = "unreadable", Unknown = "unknown",
} else Some(RunState::Unknown));

keeps_its_words!(phase_steps: PhaseStep {
    Waiting = "waiting", Watching = "watching", Judging = "judging", Done = "done",
    Unknown = "unknown",
} else Some(PhaseStep::Unknown));

keeps_its_words!(delivery_statuses: DeliveryStatus {
    Delivered = "delivered", Reachable = "reachable", Failed = "failed", Unknown = "unknown",
} else Some(DeliveryStatus::Unknown));

#[test]
fn only_two_doubts_are_failures() {
    assert!(DoubtKind::UndatedFailure.is_failure());
    assert!(DoubtKind::SummaryDisagrees.is_failure());
    assert!(!DoubtKind::TwoJobs.is_failure());
    assert!(!DoubtKind::FallingOrder.is_failure());
    assert!(!DoubtKind::Unknown.is_failure());
}

#[test]
fn a_level_that_is_not_known_counts() {
    let counting = [
        Level::Critical,
        Level::Normal,
        Level::Warning,
        Level::Unknown,
    ];
    assert!(counting.into_iter().all(Level::counts));
    assert!(!Level::Info.counts() && !Level::Off.counts());
}

#[test]
fn verdicts_go_from_good_to_bad() {
    let sorted = [
        Verdict::Pass,
        Verdict::Warn,
        Verdict::Unknown,
        Verdict::Error,
        Verdict::Fail,
    ];
    assert!(sorted.is_sorted());
}

#[test]
fn a_check_of_a_newer_bf_is_never_a_pass() {
    let golden = include_str!("golden/validation_report.json");
    let newer = golden
        .replace(r#""status": "fail""#, r#""status": "probably""#)
        .replace(r#""level": "critical""#, r#""level": "vital""#)
        .replace(r#""op": ">=""#, r#""op": "~""#);
    let Ok(Document::ValidationReport(report)) = read_document(&newer) else {
        panic!("it is read");
    };
    let check = &report.checks[0];
    assert_eq!(check.status, CheckStatus::Unknown);
    assert_eq!(check.level, Level::Unknown);
    assert_eq!(
        check.threshold.map(|threshold| threshold.op),
        Some(Comparison::Unknown)
    );
    assert_eq!(Verdict::of(&report.checks), Verdict::Error);
}

#[test]
fn an_event_of_a_newer_bf_is_read_in_every_document_that_has_one() {
    let newer = include_str!("golden/notification.json").replace("gate_failed", "gate_wobbled");
    assert!(
        matches!(read_document(&newer), Ok(Document::Notification(document)) if document.event == NotificationEvent::Unknown)
    );
    let newer = include_str!("golden/delivery.json").replace("gate_failed", "gate_wobbled");
    assert!(
        matches!(read_document(&newer), Ok(Document::Delivery(document)) if document.event == Some(NotificationEvent::Unknown))
    );
    let none = include_str!("golden/delivery.json").replace("\"gate_failed\"", "null");
    assert!(
        matches!(read_document(&none), Ok(Document::Delivery(document)) if document.event.is_none())
    );
}
