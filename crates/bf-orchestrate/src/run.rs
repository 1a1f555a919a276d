//! A run from its first line to its report.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use bf_cli::config::Loaded;
use bf_cli::{Context, Failure, Interrupts};
use bf_contract::Exit;

use crate::args::Args;
use crate::console::Console;
use crate::journal::{Journal, Step, VERSION};
use crate::phase::RunContext;
use crate::plan::Plan;
use crate::report;
use crate::run_dir::{RunDir, write_atomically};
use crate::scheduler::{Event, run_all};
use crate::siblings::Siblings;
use crate::steps::Steps;
use crate::tool::RunningTools;

/// Starts a new run and sees it through.
///
/// # Errors
/// The run directory cannot be made (exit 2), or the run's state cannot be written (exit 3).
pub fn start(
    args: &Args,
    plan: &Plan,
    loaded: &Loaded,
    siblings: &Siblings,
    console: &Console,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let interrupts = Interrupts::install()?;
    let run_dir = RunDir::create(&args.runs)?;
    write_plan(&run_dir, plan, loaded)?;
    let mut journal = Journal::create(&run_dir.journal())?;
    journal.write(Step::RunStarted {
        version: VERSION,
        run_id: run_dir.run_id.clone(),
        plan_hash: plan.identity(),
    })?;
    console.say(report::heading(
        plan,
        loaded,
        Some(&run_dir),
        console.style(),
    ));

    let journal = Mutex::new(journal);
    let running = RunningTools::default();
    let context = RunContext {
        plan,
        run_dir: &run_dir,
        journal: &journal,
        steps: Steps {
            siblings,
            console,
            running: &running,
            config: run_dir.config(),
            warehouse: &plan.warehouse,
        },
    };
    let (sender, receiver) = channel();
    forward_interrupts(interrupts, sender.clone());
    let end = run_all(&context, &BTreeMap::new(), (&sender, &receiver));

    let closing = match end.interrupt {
        Some(signal) => Step::Interrupted {
            signal: signal.name().to_owned(),
        },
        None => Step::RunFinished {
            verdict: end.verdict,
            code: end.exit.code(),
        },
    };
    let exit = end.exit;
    let document = report::document(plan, &run_dir, end, began.elapsed());
    let bytes = serde_json::to_vec(&document)
        .or_could_not_check(|| "writing the report as JSON".to_owned())?;
    write_atomically(&run_dir.report(), &bytes)?;
    journal
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .write(closing)?;
    console.say(report::text(&document, console.style()));
    match console.report(&document) {
        // The report that nobody took is in the run directory; a worse end stays what it is.
        Err(_) if !exit.is_success() => Ok(exit),
        written => written.map(|()| exit),
    }
}

/// Keeps what the run was asked to do beside what it did.
///
/// # Errors
/// The files cannot be written (exit 3).
pub fn write_plan(run_dir: &RunDir, plan: &Plan, loaded: &Loaded) -> Result<(), Failure> {
    let plan = serde_json::to_vec_pretty(plan)
        .or_could_not_check(|| "writing the plan as JSON".to_owned())?;
    write_atomically(&run_dir.plan(), &plan)?;
    let config = if loaded.path.is_some() {
        loaded.text.as_str()
    } else {
        "# the built-in thresholds\n"
    };
    write_atomically(&run_dir.config(), config.as_bytes())
}

/// Hands signals on to the scheduler, which waits for them beside the phases.
fn forward_interrupts(interrupts: Interrupts, sender: Sender<Event>) {
    std::thread::spawn(move || {
        loop {
            if let Some(signal) = interrupts.wait(Duration::from_secs(3600)) {
                let _ = sender.send(Event::Interrupted(signal));
                return;
            }
        }
    });
}
