//! bf-monitor: a process and its log, watched until both are finished. Linux only.
//!
//! It answers one question, also for a process that it did not start: how did the job end? What the process
//! did and what its log claims are judged together, and an end that was not seen is never a success by itself. It
//! watches (`--pid`) or starts and watches (`-- CMD`); what it sees goes out as `process_event` documents.
//!
//! # Process identity
//! A process is its boot, pid, start time and pidfd inode together, so that a pid which was given to
//! another process is never taken for the job. Once a process is held by its pidfd nothing can be mistaken
//! for it any more.
//!
//! # How an end is known
//! The most certain source that there is, named in `exit.source`:
//!
//! | source | where it comes from | when |
//! |---|---|---|
//! | `child` | the shim, which waited for its child | this bf-monitor started the job |
//! | `pidfd` | the kernel, which keeps it with the pidfd (Linux ≥ 6.15) | it was attached to while it lived |
//! | `zombie` | the process table | its parent does not ask, and this user may see it |
//! | `record` | the shim, in the job record | it ended while no bf-monitor watched |
//! | `log` | the log, which says how the job came out | nothing of the above |
//! | `unknown` | | not even that |
//!
//! `bf-monitor --doctor` tries these on this machine.
//!
//! # What is of the job
//! Its process group (and session, if it leads one), its descendants, and what carries its mark, the environment
//! variable `BF_JOB` of a started job. The shim is the subreaper of the job, so that a worker in a session of its own
//! stays its descendant; the descendants of a process that is only watched are remembered while it lives. These
//! processes are waited for and signalled, each by pid and start time; others that have the log open are named and left
//! alone. If something of the job lives on after its process ended and the log completed, that is a warning; if the log
//! did not complete, it is waited for until the log is quiet (`hang: quiet:`), and the exit code is 3. `alive` of the
//! last event names what lives on. A `/proc` that cannot be read is reported and decides nothing.
//!
//! # Starting a job exactly once
//! Three processes take part, all of them this program:
//!
//! ```text
//!  bf-monitor ──spawns──> shim (a session of its own) ──spawns──> stub ──executes──> the job (same pid)
//!       └── watches                └── waits, records the end       └── records that it goes
//! ```
//!
//! With `--state FILE` two files hold everything. `FILE` is the watcher's: the process, the place in the
//! log with the parser's memory of the same moment, the rate; it is replaced as a whole (written beside,
//! synced, renamed) at every pass, and only saves work. `FILE.job` is the job record, and decides: JSON
//! lines that are only appended, each synced before what it announces is done. (Without `--state` the
//! record is `LOG.job`, and is of the log's latest job only: a finished one gives way to the next, and
//! a running one refuses it.)
//!
//! | moment | last line of `FILE.job` | a crash here leaves | the same call again |
//! |---|---|---|---|
//! | bf-monitor found the program and opened the log | (none) | no job | starts it |
//! | it wrote down what is to be started | `intended` | no job | starts it |
//! | the shim has the stub's pid and start time on the disk | `recorded` | no job: the stub's pipe closes and it ends | starts it |
//! | the stub is told to go, and wrote that down | `released` | a recorded job | attaches to it; if it is gone, says so (`unknown`, or `log`) |
//! | the program could not be executed | `not_started` | no job | starts it |
//! | the shim saw the end | `exited` | a recorded end | reports that end (`record`), starts nothing |
//!
//! The record is locked (flock) by the starter, the shim and the stub together, who inherit one open
//! file; the job itself does not hold it. The shim holds it until the last process of the job has ended. So whoever
//! gets the lock knows that none of them lives, and that the last line is final. The second of two calls made at
//! the same time waits for the first one's start and then attaches. A state file is of one job for ever: another
//! command, log or working directory with the same file is refused (exit 2). A record of an earlier boot whose job
//! had not ended is not started again either: it is reported as unknown, with that reason.
//!
//! | the second call finds | first event | last event | exit code |
//! |---|---|---|---|
//! | nothing released | `started` | as ever | as ever |
//! | the job running | `attached` | as ever; `exit.source` is `pidfd`, else `record` | as ever |
//! | the job ended, its end recorded | | `exited`, `exit.source` `record` | that of the table below |
//! | the job gone, no end recorded | | `exited`, `exit.source` `log` or `unknown` | that of the table below |
//!
//! The job gets the log as standard output and error (appended; the run begins at the byte that
//! `log_summary.log.from_byte` says), `/dev/null` as standard input, a process group of its own in the
//! shim's session, and the caller's environment with `--env` on top. `--inherit-fd N` names an open
//! descriptor of the caller, such as a lock: the shim holds it as long as anything of the job runs, and the job does
//! not get it. The caller has to make it inheritable (no `FD_CLOEXEC`).
//!
//! Signals: SIGINT, SIGTERM and SIGHUP end bf-monitor with a last `lost` event and leave the job alone, as
//! does a reader that goes away (exit 3). The shim survives SIGTERM, so that stopping a whole control
//! group still gets the job's end recorded.
//!
//! # The verdict
//! | process | log | exit |
//! |---|---|---|
//! | code ≠ 0, or a signal | any | 1 |
//! | code 0 | none given | 0 |
//! | code 0 | completed, no date unaccounted for, no doubt that is a failure, the rate reached | 0 |
//! | code 0 | completed, but not all of that | 1 |
//! | code 0 | in doubt whose lines they are | 3 |
//! | code 0 | a known dialect without its end, refused, a dry run | 1 |
//! | code 0 | empty, or no known dialect | 3 |
//! | unknown | completed, and all of that, and how many dates there are is known | 0 |
//! | unknown | completed, more dates failed than the rate allows | 1 |
//! | unknown | anything else | 3 |
//! | any, and something of the job lives on | completed | as above, with a warning |
//! | any, and something of the job lives on | not completed, or none given | 3 |
//!
//! The rate is `--min-success-rate`, else that of the config's section for the log's job, else 100. With `--judge
//! process` the code is about the process alone: a known exit decides, else whether the log completed.
//!
//! A log that was last written to before the process started is an earlier run's: it is read from its end
//! on. So is a run that has ended already when the watching begins, if timestamps cannot tell whose it is (too
//! close to the process's start, or a server's clock).
//!
//! # Rotation
//! See the crate `bf-logtail`. `--save-ledger` writes what all files of a rotated log said; `--after` continues the
//! log of an earlier attempt.
//!
//! # Modules
//! [`Args`] and [`run()`] are the tool. `target` finds out what is watched; `launch` is the protocol above; `proc` is
//! all that asks the kernel; `watch` is the loop over `job` (with `exit`), `log` and `stall`; `verdict`, `rate` and
//! `words` are plain functions of what was seen.

mod args;
mod doctor;
mod earlier;
mod exit;
mod job;
mod launch;
mod log;
mod proc;
mod rate;
mod report;
mod run;
mod settings;
mod stall;
mod state;
mod tail;
mod target;
mod verdict;
mod watch;
mod words;

pub use args::{Args, Judge, OnHang, Progress, Role};
pub use run::run;
