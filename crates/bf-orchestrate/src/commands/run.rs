//! `bf-orchestrate --phase1-pid …` and `bf-orchestrate run PLAN`.

use std::path::{Path, PathBuf};

use bf_cli::{Failure, Streams};
use bf_config::Loaded;
use bf_contract::{DateRange, Exit};

use crate::cli::{self, Documented, RunArgs, RunPlan};
use crate::commands::dry_run;
use crate::engine::event::{Listener, Listeners, RunEvent};
use crate::engine::run::{Ended, Permissions, Request};
use crate::engine::{preflight, report};
use crate::plan::{self, Plan, TwoPhases};
use crate::store::refusal::Refusal;
use crate::store::runs;
use crate::tools::locate::Siblings;
use crate::view::console::Console;
use crate::view::documents::Documents;
use crate::view::metrics::MetricsFile;
use crate::view::notify::Notify;
use crate::view::page::Page;

/// Runs the documented two phases.
///
/// # Errors
/// As [`crate::run`].
pub(crate) fn two_phases(
    documented: &Documented,
    args: &RunArgs,
    streams: Streams,
) -> Result<Exit, Failure> {
    let console = Console::new(cli::output(&args.output, streams));
    let loaded = bf_config::load(&args.config)?;
    let warehouse = args.warehouse.warehouse.as_deref();
    let phases = documented.phases()?;
    let mut plan = plan::two_phases(&phases, &loaded, warehouse)?;
    plan.shared_flags = args.shared_flags();
    plan.run_command = documented_command(&phases);
    plan.run_command.extend(args.run_flags());
    run(args, &plan, &loaded, &console)
}

/// The documented flags, with the dates that they resolved to.
fn documented_command(phases: &TwoPhases) -> Vec<String> {
    let mut words = ["bf-orchestrate", "--phase1-pid"]
        .map(str::to_owned)
        .to_vec();
    words.push(phases.pid.to_string());
    words.extend(["--phase1-log".to_owned(), phases.log.display().to_string()]);
    words.extend(["--phase1-dates".to_owned(), dates_text(phases.phase1)]);
    if let Some(range) = phases.phase2 {
        words.extend(["--phase2-dates".to_owned(), dates_text(range)]);
    }
    if let Some(expected) = &phases.expect_cmd {
        words.extend(["--expect-cmd".to_owned(), expected.clone()]);
    }
    words
}

/// A range as the flags take it.
fn dates_text(range: DateRange) -> String {
    format!("{} {}", range.start, range.end)
}

/// Runs a plan.
///
/// # Errors
/// As [`crate::run`].
pub(crate) fn plan(args: &RunPlan, streams: Streams) -> Result<Exit, Failure> {
    let console = Console::new(cli::output(&args.run.output, streams));
    let loaded = bf_config::load(&args.run.config)?;
    let warehouse = args.run.warehouse.warehouse.as_deref();
    let range = args.dates.resolve(|| plan::zone_of(&args.plan))?;
    let mut plan = plan::load(&args.plan, &loaded, warehouse, range)?;
    let runs = &args.run.runs.runs;
    if let Some(from) = &args.from {
        let name = plan.name.clone();
        plan::start_from(&mut plan, from, |phase| {
            runs::earlier_log(runs, &name, phase)
        })?;
    }
    plan.shared_flags = args.run.shared_flags();
    plan.run_command = ["bf-orchestrate", "run"].map(str::to_owned).to_vec();
    plan.run_command.push(args.plan.display().to_string());
    if let Some(range) = range {
        plan.run_command
            .extend(["--range".to_owned(), dates_text(range)]);
    }
    plan.run_command.extend(args.run.run_flags());
    run(&args.run, &plan, &loaded, &console)
}

/// Checks that everything that the plan needs is there, then runs it, dry or not.
fn run(args: &RunArgs, plan: &Plan, loaded: &Loaded, console: &Console) -> Result<Exit, Failure> {
    let checked = || -> Result<_, Refusal> {
        let metrics_file = args.metrics.path()?;
        Ok((metrics_file, preflight::check(plan, loaded)?))
    };
    let (metrics_file, siblings) =
        checked().map_err(|refusal| report_refusal(plan, refusal, console))?;
    if args.dry_run {
        return dry_run::dry_run(plan, loaded, &siblings, console)
            .map_err(|failure| report_refusal(plan, failure.into(), console));
    }
    let call = Call {
        runs: &args.runs.runs,
        permissions: args.permissions(),
        plan,
        loaded,
        siblings: &siblings,
        console,
        metrics_file,
    };
    call.see_through(|request| request.start())
}

/// A call of bf-orchestrate that runs or resumes a plan.
pub(crate) struct Call<'a> {
    pub runs: &'a Path,
    pub permissions: Permissions,
    pub plan: &'a Plan,
    pub loaded: &'a Loaded,
    pub siblings: &'a Siblings,
    pub console: &'a Console,
    pub metrics_file: Option<PathBuf>,
}

impl Call<'_> {
    /// Has everyone hear of the run that `run` makes, and reports what it came to.
    ///
    /// # Errors
    /// The run was refused (exit 2), broke off, or its report reached no one (exit 3).
    pub(crate) fn see_through(
        self,
        run: impl FnOnce(Request<'_>) -> Result<Ended, Refusal>,
    ) -> Result<Exit, Failure> {
        let console = self.console;
        let last_success = self
            .metrics_file
            .as_ref()
            .and_then(|_| runs::last_success(self.runs, &self.plan.name));
        let metrics = MetricsFile::new(console, self.metrics_file, self.plan, last_success);
        let notify = Notify::new(
            console,
            self.siblings.notify.clone(),
            self.plan.config_file.clone(),
            self.plan,
        );
        let documents = Documents::new(console);
        let page = Page::new(console, self.plan, self.siblings.report.clone());
        let all: [&dyn Listener; 5] = [console, &documents, &metrics, &page, &notify];
        let listeners = Listeners(&all);
        let ended = run(Request {
            runs: self.runs,
            permissions: self.permissions,
            plan: self.plan,
            loaded: self.loaded,
            siblings: self.siblings,
            listeners,
            color: console.style().color,
        })
        .map_err(|refusal| report_refusal(self.plan, refusal, console))?;
        let reported = console.finish(&ended.report, ended.exit);
        listeners.emit(&RunEvent::RunEnded {
            report: &ended.report,
            exit: ended.exit,
            is_finished: ended.is_finished,
        });
        reported
    }
}

/// Whoever reads the report hears of a run that was refused or broke off, as well.
fn report_refusal(plan: &Plan, refusal: Refusal, console: &Console) -> Failure {
    let report = console.report(&report::of_refusal(plan, &refusal));
    Failure {
        is_reported: report.is_ok(),
        ..refusal.failure
    }
}
