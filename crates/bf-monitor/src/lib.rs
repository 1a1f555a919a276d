//! bf-monitor: a process and its log, watched until both are finished.
//!
//! It answers one question, also for a process that nobody wrapped: how did the job end? What the process
//! did and what its log claims are judged together, and an end that nobody saw is never a success. It
//! watches (`--pid`) or starts and watches (`-- CMD`); what it sees goes out as `process_event` documents.
//!
//! # Who is who
//! A process is its boot, pid, start time and pidfd inode together, so that a pid which was given to
//! another process is never taken for the job. Once a process is held by its pidfd nothing can be mistaken
//! for it any more.
//!
//! # How an end is known
//! The most certain source that there is, named in `exit.source`:
//!
//! | source | whose word it is | when |
//! |---|---|---|
//! | `child` | the keeper's, which waited for its child | this bf-monitor started the job |
//! | `pidfd` | the kernel's, kept with the pidfd (Linux ≥ 6.15) | it was attached to while it lived |
//! | `zombie` | the process table's | its parent does not ask, and this user may see it |
//! | `record` | the keeper's, in the job record | it ended while no bf-monitor watched |
//! | `log` | the log's, which says that the job completed | nothing of the above |
//! | `unknown` | nobody's | not even that |
//!
//! `bf-monitor --doctor` tries these on the machine at hand.
//!
//! # Starting a job exactly once
//! Three processes take part, all of them this program:
//!
//! ```text
//!  bf-monitor ──spawns──> keeper (a session of its own) ──spawns──> gate ──executes──> the job (same pid)
//!       └── watches                 └── waits, writes down the end     └── writes down that it goes
//! ```
//!
//! With `--state FILE` two files tell everything. `FILE` is the watcher's: the process, the place in the
//! log with the parser's memory of the same moment, the rate; it is replaced as a whole (written beside,
//! synced, renamed) at every look, and only saves work. `FILE.job` is the job record, and decides: JSON
//! lines that are only appended, each synced before what it stands for is done. (Without `--state` the
//! record is `LOG.job`, and stands for the log's latest job only: a finished one gives way to the next, and
//! a running one refuses it.)
//!
//! | moment | last line of `FILE.job` | a crash here leaves | the same call again |
//! |---|---|---|---|
//! | bf-monitor looked for the program and opened the log | (none) | no job | starts it |
//! | it wrote down what is to be started | `intended` | no job | starts it |
//! | the keeper has the gate's pid and start time on the disk | `recorded` | no job: the gate's pipe closes and it ends | starts it |
//! | the gate is told to go, and wrote that down | `released` | a recorded job | attaches to it; where it is gone, says so (`unknown`, or `log`) |
//! | the program could not be executed | `not_started` | no job | starts it |
//! | the keeper saw the end | `exited` | a recorded end | reports that end (`record`), starts nothing |
//!
//! The record is locked (flock) by the starter, the keeper and the gate together, who inherit one open
//! file; the job itself does not hold it. So whoever gets the lock knows that none of the three lives, and
//! that the last line is the last word. The second of two calls made at the same time waits for the first
//! one's start and then attaches. A state file stands for one job for ever: another command, log or
//! working directory with the same file is refused (exit 2). A record of an earlier boot whose job had not
//! ended is not started again either: it is reported as unknown, with that reason.
//!
//! | the second call finds | first event | last event | exit code |
//! |---|---|---|---|
//! | nothing released | `started` | as ever | as ever |
//! | the job running | `attached` | as ever; `exit.source` is `pidfd`, else `record` | as ever |
//! | the job over, its end recorded | | `exited`, `exit.source` `record` | that of the table below |
//! | the job gone, no end recorded | | `exited`, `exit.source` `log` or `unknown` | 0 where its log completed, else 3 |
//!
//! The job gets the log as standard output and error (appended; the run begins at the byte that
//! `log_summary.log.from_byte` says), `/dev/null` as standard input, a process group of its own in the
//! keeper's session, and the caller's environment with `--env` on top. `--inherit-fd N` names an open
//! descriptor of the caller, such as a lock: the keeper holds it until the job is over, and the job does not
//! get it. It is the caller's to make it inheritable (no `FD_CLOEXEC`).
//!
//! Signals: SIGINT, SIGTERM and SIGHUP end bf-monitor with a last `lost` event and leave the job alone, as
//! does a reader that goes away (exit 3). The keeper survives SIGTERM, so that stopping a whole control
//! group still gets the job's end recorded.
//!
//! # The verdict
//! | process | log | exit |
//! |---|---|---|
//! | code ≠ 0, or a signal | any | 1 |
//! | code 0 | completed, or none given | 0 |
//! | code 0 | a known dialect without its end, refused, a dry run | 1 |
//! | code 0 | empty, or no known dialect | 3 |
//! | unknown | completed | 0 |
//! | unknown | anything else | 3 |
//!
//! A log that was last written to before the process started is an earlier run's: it is read from its end
//! on. So is a run that is over already when the watching begins, where times cannot tell whose it is (too
//! close to the process's start, or a server's clock). The last word waits until nobody writes the log any more: a process that outlives the job in its
//! process group, or as its descendant, and has the log open, is waited for.
//!
//! # Rotation
//! Files are told apart by device, inode and time of birth, and a place in one by how it begins and what stands
//! right before it. A renamed file is held and read to its end; files that came and went between two looks are
//! those beside the log (`LOG.1`, `LOG-20260103`) that were not there at the last one. A log that was copied and
//! cut goes on in its copy. Nobody can tell apart copies that are equal to the last byte, nor find what was
//! compressed before it was read: where lines may be lost the event says so.
//!
//! # What is whose
//! [`Args`] and [`run()`] are the tool. Inside, `sys` is all that asks the operating system (Linux in one
//! module), `log` follows and parses, `subject` finds out what is watched, `start`, `keeper`, `gate` and
//! `record` are the protocol above, `watch` is the loop; `verdict`, `silence`, `rate` and `words` are plain
//! functions of what was seen.

#![deny(missing_docs)]

mod args;
mod doctor;
mod earlier;
mod gate;
mod keeper;
mod log;
mod rate;
mod record;
mod report;
mod run;
mod settings;
mod silence;
mod start;
mod state;
mod subject;
mod sys;
mod verdict;
mod watch;
mod words;

pub use args::{Args, OnHang, Progress, Role};
pub use run::run;
