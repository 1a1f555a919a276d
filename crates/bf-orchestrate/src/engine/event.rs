//! What happens in a run, for everyone who hears of it.

use std::time::Duration;

use bf_config::Loaded;
use bf_contract::{DateRange, Exit, Phase, ProcessEvent, RunReport};

use crate::plan::Plan;
use crate::store::journal::UnitName;
use crate::store::run_dir::RunDir;
use crate::store::state::{Judgement, RunState};

/// Something that happens in a run.
pub(crate) enum RunEvent<'a> {
    /// The run begins, or is resumed.
    RunStarted {
        run_dir: &'a RunDir,
        plan: &'a Plan,
        loaded: &'a Loaded,
        /// How far it had come, if it is resumed.
        resumed: Option<&'a RunState>,
    },
    /// A command of `preflight:` has passed.
    PreflightPassed { name: &'a str, took: Duration },
    /// A tool printed a document.
    Document(&'a [u8]),
    /// A tool wrote a line for people.
    Text {
        phase: Option<&'a str>,
        line: &'a str,
    },
    /// A job's process is known.
    JobSeen {
        unit: UnitName<'a>,
        event: &'a ProcessEvent,
    },
    /// bf-monitor reported an event of a job's process.
    Process {
        unit: UnitName<'a>,
        event: &'a ProcessEvent,
    },
    /// bf-monitor has ended: the job is not watched any more.
    NotWatched { unit: UnitName<'a> },
    /// bf-monitor was killed and is started again.
    WatchingAgain { unit: UnitName<'a> },
    /// Nothing has happened for some seconds; the run goes on.
    Alive,
    /// A gate could not be checked, and is checked again.
    CheckingAgain {
        unit: UnitName<'a>,
        reason: &'a str,
        wait: Duration,
        number: u32,
        limit: u32,
    },
    /// A job is run again.
    Retrying {
        unit: UnitName<'a>,
        reason: &'a str,
        /// The dates that it is for; `None` for all.
        dates: Option<usize>,
        wait: Duration,
        number: u32,
        limit: u32,
    },
    /// A window was run and judged: the `done`th of `of`.
    WindowEnded {
        phase: &'a str,
        window: DateRange,
        judgement: &'a Judgement,
        done: usize,
        of: usize,
    },
    /// A gate has judged.
    PhaseEnded(&'a Phase),
    /// Something that a person should know of.
    Warning(&'a str),
    /// The run has ended, or waits until it is resumed.
    RunEnded {
        report: &'a RunReport,
        exit: Exit,
        is_finished: bool,
    },
}

/// Someone who hears of a run. Nothing that a listener does stops or fails the run.
pub(crate) trait Listener: Sync {
    fn on(&self, event: &RunEvent<'_>);
}

/// Everyone who hears of a run, in order.
#[derive(Clone, Copy)]
pub(crate) struct Listeners<'a>(pub &'a [&'a dyn Listener]);

impl Listeners<'_> {
    /// Has everyone hear of an event.
    pub(crate) fn emit(&self, event: &RunEvent<'_>) {
        self.0.iter().for_each(|listener| listener.on(event));
    }
}
