//! A rehearsal: everything that only reads, nothing that starts or waits.

use std::time::Instant;

use bf_cli::config::Loaded;
use bf_cli::text::Mark;
use bf_cli::{Context, Failure};
use bf_contract::{Exit, PhaseStatus};

use crate::console::Console;
use crate::gate::{self, Judgement};
use crate::phase::{self, PhaseEnd};
use crate::plan::{Job, PhasePlan, Plan};
use crate::report;
use crate::run_dir::RunDir;
use crate::scheduler::{self, not_started};
use crate::siblings::Siblings;
use crate::steps::{Kept, Steps};
use crate::tool::RunningTools;

/// Judges what is there so far and says what would be started. The documents of a rehearsal are kept only
/// while it lasts.
///
/// # Errors
/// A tool could not be started, or nobody reads the report (exit 3).
pub fn rehearse(
    plan: &Plan,
    loaded: &Loaded,
    siblings: &Siblings,
    console: &Console,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let folder = tempfile::tempdir()
        .or_could_not_check(|| "creating a temporary folder for the rehearsal".to_owned())?;
    let run_dir = RunDir::open(folder.path());
    crate::run::write_plan(&run_dir, plan, loaded)?;
    console.say(report::heading(plan, loaded, None, console.style()));
    console.mark(
        Mark::Warn,
        "DRY RUN: nothing is started, nothing is waited for",
    );

    let running = RunningTools::default();
    let steps = Steps {
        siblings,
        console,
        running: &running,
        config: run_dir.config(),
        warehouse: &plan.warehouse,
    };
    let (mut phases, mut first_stop, mut provisional) = (Vec::new(), None, false);
    for phase in &plan.phases {
        let document = match &phase.job {
            Job::Attach { pid, log } => {
                let kept = Kept::in_folder(&run_dir.phase(&phase.name)?);
                let watched = steps.glance(*pid, log, &kept)?;
                let alive = watched.code == Some(i32::from(Exit::TimedOut.code()));
                steps.read_log(phase, &kept, &watched)?;
                let validated = steps.validate(phase, &kept)?;
                let judgement = if alive {
                    provisional = true;
                    while_it_runs(*pid, gate::judge_data(&validated))
                } else {
                    gate::judge(&watched, &validated)
                };
                let end = PhaseEnd {
                    phase: phase::document(phase, &kept, &run_dir, &judgement),
                    judgement,
                };
                if !end.judgement.opens() && first_stop.is_none() {
                    first_stop = Some((phase.name.clone(), end.judgement));
                }
                end.phase
            }
            Job::Command(_) => would_start(phase, console),
        };
        phases.push(document);
    }

    let end = scheduler::rehearsed(phases, first_stop);
    let exit = end.exit;
    let mut document = report::document(plan, &run_dir, end, began.elapsed());
    document.dry_run = true;
    document.provisional = provisional;
    document.run_dir = None;
    console.say(report::text(&document, console.style()));
    match console.report(&document) {
        Err(_) if !exit.is_success() => Ok(exit),
        written => written.map(|()| exit),
    }
}

/// What the gate says of a job that still runs: never a pass, whatever the table holds so far.
fn while_it_runs(pid: u32, data: Judgement) -> Judgement {
    let reason = format!(
        "process {pid} is still running, so this is provisional: {}",
        data.reason
    );
    if data.opens() {
        Judgement {
            status: PhaseStatus::CouldNotCheck,
            reason,
            exit: Exit::CouldNotCheck,
        }
    } else {
        Judgement { reason, ..data }
    }
}

fn would_start(phase: &PhasePlan, console: &Console) -> bf_contract::Phase {
    if let Job::Command(job) = &phase.job {
        console.stamp(format!("would start {}:", phase.name));
        console.say(format!("  {}", job.shell_line()));
        console.say(format!("  log: {}", job.log.display()));
    }
    not_started(
        phase,
        PhaseStatus::NotStarted,
        "dry run: its program was found, and nothing was started".to_owned(),
    )
}
