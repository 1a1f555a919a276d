//! A dry run: everything that only reads, nothing that starts or waits.

use std::path::Path;
use std::time::Instant;

use bf_cli::text::Mark;
use bf_cli::{Context, Failure};
use bf_config::Loaded;
use bf_contract::{Exit, Phase, PhaseStatus, Verdict};

use crate::engine::event::Listeners;
use crate::engine::{document, gate, outcome, preflight, report};
use crate::plan::{Command, Job, PhasePlan, Plan};
use crate::store::attempt::AttemptDir;
use crate::store::run_dir::RunDir;
use crate::store::state::Judgement;
use crate::tools::calls::{LogPart, Printed, Tools, Validated};
use crate::tools::locate::Siblings;
use crate::tools::process::RunningTools;
use crate::view::console::Console;
use crate::view::text;

/// Judges what is there so far and says what would be started. Its documents are kept only while it lasts.
///
/// # Errors
/// A tool could not be started, or the report has no reader (exit 3).
pub(crate) fn dry_run(
    plan: &Plan,
    loaded: &Loaded,
    siblings: &Siblings,
    console: &Console,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let folder = tempfile::tempdir()
        .or_could_not_check(|| "creating a temporary folder for the dry run".to_owned())?;
    let run_dir = RunDir::open(folder.path());
    run_dir.write_plan(plan, loaded)?;
    console.say(text::heading(plan, loaded, None, console.style()));
    console.mark(
        Mark::Warn,
        "DRY RUN: nothing is started, nothing is waited for",
    );

    preflight::check_attached(plan)?;
    preflight::commands::run_all(plan, Listeners(&[console]), None)?;

    let running = RunningTools::default();
    let on_print = |printed: Printed<'_>| {
        if let Printed::Text(_, line) = printed {
            console.say(line);
        }
    };
    let tools = Tools {
        siblings,
        on_print: &on_print,
        color: console.style().color,
        running: &running,
        config: run_dir.config(),
        warehouse: &plan.warehouse,
    };
    let (mut phases, mut first_stop, mut provisional) = (Vec::new(), None, false);
    for phase in &plan.phases {
        if let Some(job) = phase.job.as_ref().and_then(Job::command) {
            phases.push(would_start(phase, job, console));
            continue;
        }
        let attempt = AttemptDir::in_folder(&run_dir.folder(Path::new(&phase.name))?, phase);
        let (judgement, is_alive) = judge_now(&tools, phase, &attempt)?;
        provisional |= is_alive;
        phases.push(document::of_phase(phase, &attempt, &run_dir, &judgement));
        if !judgement.opens() && first_stop.is_none() {
            first_stop = Some((phase.name.clone(), judgement));
        }
    }

    let end = outcome::of_dry_run(phases, first_stop);
    let exit = end.exit;
    let mut report_document = report::of_run(plan, &run_dir, end, began.elapsed());
    report_document.dry_run = true;
    // A phase that would be started has not been judged, and what comes after it hangs on that.
    let has_unjudged = report_document
        .phases
        .iter()
        .any(|phase| phase.status == PhaseStatus::NotStarted);
    report_document.provisional = provisional || has_unjudged;
    if has_unjudged && matches!(report_document.verdict, Verdict::Pass | Verdict::Warn) {
        report_document.next_steps =
            vec!["start it: the same command without --dry-run".to_owned()];
    }
    report_document.run_dir = None;
    console.finish(&report_document, exit)
}

/// Judges a phase by what is there now, and says whether its process still runs.
fn judge_now(
    tools: &Tools<'_>,
    phase: &PhasePlan,
    attempt: &AttemptDir,
) -> Result<(Judgement, bool), Failure> {
    let watched = match &phase.job {
        Some(Job::Attach { pid, log, .. }) => {
            Some((*pid, tools.glance(phase, *pid, log, attempt)?))
        }
        _ => None,
    };
    let running_pid = watched
        .as_ref()
        .filter(|(_, watched)| watched.code == Some(i32::from(Exit::TimedOut.code())))
        .map(|(pid, _)| *pid);
    if let Some(job) = &phase.job {
        let all = LogPart::whole(running_pid.is_none());
        tools.read_log(phase, job.log(), all, attempt)?;
    }
    let validated: Vec<Validated> = (0..phase.validate.len())
        .map(|index| tools.validate(phase, index, None, attempt))
        .collect::<Result<_, _>>()?;
    Ok(match running_pid {
        Some(pid) => (while_it_runs(pid, gate::judge_tables(&validated)), true),
        None => {
            let watched = watched.as_ref().map(|(_, watched)| watched);
            (gate::judge(watched, &validated), false)
        }
    })
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
            downgraded: false,
        }
    } else {
        Judgement { reason, ..data }
    }
}

fn would_start(phase: &PhasePlan, job: &Command, console: &Console) -> Phase {
    match &phase.windows {
        Some(windows) => {
            let all = windows.size.cut(phase.range);
            console.stamp(format!(
                "would start {} in {} windows ({}), each as over the whole range:",
                phase.name,
                all.len(),
                text::windows_text(&all)
            ));
        }
        None => console.stamp(format!("would start {}:", phase.name)),
    }
    console.say(format!("  {}", job.shell_line()));
    console.say(format!("  log: {}", job.log.display()));
    document::not_run(
        phase,
        PhaseStatus::NotStarted,
        "dry run: its program was found, and nothing was started".to_owned(),
    )
}
