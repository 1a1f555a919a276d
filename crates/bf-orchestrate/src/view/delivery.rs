//! Handing notifications to bf-notify, one process each, in order, without ever waiting for one.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bf_cli::{Context, Failure};
use bf_contract::Notification;

/// How long the end of a run waits for what is still to be delivered. A bf-notify that takes longer goes on
/// by itself until its own deadline.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a notification waits for the one before it.
const IN_ORDER: Duration = Duration::from_secs(5);

/// A queue of notifications, and the thread that hands them to bf-notify.
pub(crate) struct Notifier {
    queue: Mutex<Option<Sender<Notification>>>,
    outcome: Mutex<Receiver<u32>>,
    log: PathBuf,
}

impl Notifier {
    /// Starts the thread. `log` takes what bf-notify says of each delivery.
    ///
    /// # Errors
    /// The log cannot be written (exit 3).
    pub(super) fn start(program: &Path, config: &Path, log: PathBuf) -> Result<Self, Failure> {
        let said = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .or_could_not_check(|| format!("writing {}", log.display()))?;
        let (queue, notifications) = channel();
        let (done, outcome) = channel();
        let (program, config) = (program.to_owned(), config.to_owned());
        std::thread::spawn(move || {
            let undelivered = hand_out(notifications, &program, &config, &said);
            // Nothing waits any more if the run has ended meanwhile.
            let _ = done.send(undelivered);
        });
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            outcome: Mutex::new(outcome),
            log,
        })
    }

    /// Puts a notification into the queue.
    pub(super) fn send(&self, notification: Notification) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            // The thread ends only after the queue.
            let _ = queue.send(notification);
        }
    }

    /// Waits a limited time for what is still in the queue.
    ///
    /// # Errors
    /// One line that says what was not delivered, and where bf-notify says why.
    pub(super) fn finish(&self) -> Result<(), String> {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.log.display();
        match outcome.recv_timeout(PATIENCE) {
            Ok(0) => Ok(()),
            Ok(count) => Err(format!(
                "{count} notifications did not reach everybody: see {log}"
            )),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "notifications are still under way, and go on without this run: see {log}"
            )),
            Err(RecvTimeoutError::Disconnected) => {
                Err(format!("the notifications were lost: see {log}"))
            }
        }
    }
}

/// Starts a delivery for each notification, in order: the next one waits a little for the one before, so
/// that they arrive in order, but not for one that hangs. Returns how many did not reach everybody.
fn hand_out(
    notifications: Receiver<Notification>,
    program: &Path,
    config: &Path,
    said: &File,
) -> u32 {
    std::thread::scope(|scope| {
        let mut deliveries = Vec::new();
        for notification in notifications {
            let (done, is_done) = channel::<()>();
            deliveries.push(scope.spawn(move || {
                let delivered = deliver(program, config, said, &notification);
                drop(done);
                delivered
            }));
            let _ = is_done.recv_timeout(IN_ORDER);
        }
        let outcomes = deliveries.into_iter().map(|delivery| delivery.join());
        let undelivered = outcomes.filter(|outcome| !matches!(outcome, Ok(true)));
        u32::try_from(undelivered.count()).unwrap_or(u32::MAX)
    })
}

/// Whether bf-notify delivered it to everybody who wants it.
fn deliver(program: &Path, config: &Path, said: &File, notification: &Notification) -> bool {
    let delivered = || -> std::io::Result<bool> {
        let mut child = Command::new(program)
            .arg("--config")
            .arg(config)
            .args(["--format", "json", "--color", "never"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(said.try_clone()?)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&serde_json::to_vec(notification)?)?;
        }
        Ok(child.wait()?.success())
    };
    match delivered() {
        Ok(delivered) => delivered,
        Err(error) => {
            let mut said = said;
            // The log is the only place that is left to say it.
            let _ = writeln!(
                said,
                "bf-orchestrate: running {}: {error}",
                program.display()
            );
            false
        }
    }
}
