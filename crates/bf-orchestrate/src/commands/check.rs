//! `bf-orchestrate check`: everything of a plan that only reads, one line each.

use std::fs::{self, File};
use std::path::Path;

use bf_cli::text::{Mark, duration, thousands};
use bf_cli::{Context, Failure, Streams};
use bf_contract::{Document, Exit, LogState, ValidationPlan};

use crate::cli::{self, CheckPlan};
use crate::engine::preflight::{self, commands};
use crate::plan::{self, Job, PhasePlan};
use crate::store::attempt::{self, AttemptDir};
use crate::store::run_dir::RunDir;
use crate::tools::calls::{LogPart, Printed, Tools};
use crate::tools::process::{RunningTools, ToolEnd};
use crate::view::console::Console;
use crate::view::text;

/// What one check came to.
struct Finding {
    exit: Exit,
    is_note: bool,
    text: String,
}

impl Finding {
    fn good(text: String) -> Self {
        Self {
            exit: Exit::Success,
            is_note: false,
            text,
        }
    }

    fn note(text: String) -> Self {
        Self {
            is_note: true,
            ..Self::good(text)
        }
    }

    fn bad(text: String) -> Self {
        Self {
            exit: Exit::CouldNotCheck,
            is_note: false,
            text,
        }
    }
}

/// Checks everything that the plan needs, and says what it found.
///
/// # Errors
/// A wrong call, config or plan (exit 2), or a tool could not be started (exit 3).
pub(crate) fn check(args: &CheckPlan, streams: Streams) -> Result<Exit, Failure> {
    let console = &Console::new(cli::output(&args.output, streams));
    let loaded = bf_config::load(&args.config)?;
    let warehouse = args.warehouse.warehouse.as_deref();
    let range = args.dates.resolve(|| plan::zone_of(&args.plan))?;
    let plan = &plan::load(&args.plan, &loaded, warehouse, range)?;
    let siblings = &preflight::check(plan, &loaded)?;
    preflight::check_attached(plan)?;
    let folder = tempfile::tempdir()
        .or_could_not_check(|| "creating a temporary folder for the check".to_owned())?;
    let run_dir = RunDir::open(folder.path());
    run_dir.write_plan(plan, &loaded)?;
    console.say(text::heading(plan, &loaded, None, console.style()));
    let running = RunningTools::default();
    // What a tool says in detail is for --explain; here it is a line each.
    let on_print = |_: Printed<'_>| {};
    let tools = Tools {
        siblings,
        on_print: &on_print,
        color: console.style().color,
        running: &running,
        config: run_dir.config(),
        warehouse: &plan.warehouse,
    };
    let mut findings = vec![Finding::good(format!(
        "plan {}: {} phases, every program was found",
        plan.name,
        plan.phases.len()
    ))];
    for phase in &plan.phases {
        let attempt = AttemptDir::in_folder(&run_dir.folder(Path::new(&phase.name))?, phase);
        findings.extend(check_windows(&tools, phase, &attempt)?);
        if let Some(job) = &phase.job {
            findings.extend(check_job(&tools, phase, job, &attempt)?);
        }
        for index in 0..phase.validate.len() {
            findings.push(check_table(&tools, phase, index, &attempt)?);
        }
    }
    if siblings.notify.is_some() {
        let config = plan.config_file.as_deref();
        let end = tools.check_notifier(config, &folder.path().join("notify.ndjson"))?;
        findings.push(notifier_finding(end));
    }

    for check in &plan.preflight {
        findings.push(match commands::run(check, None) {
            Ok(took) => Finding::good(format!(
                "preflight {}: passed in {}",
                check.name,
                duration(took)
            )),
            Err(failure) => Finding {
                exit: failure.exit,
                is_note: false,
                text: failure.message,
            },
        });
    }

    for finding in &findings {
        let mark = match finding.exit {
            Exit::Success if finding.is_note => Mark::Warn,
            Exit::Success => Mark::Pass,
            Exit::CouldNotCheck => Mark::Error,
            _ => Mark::Fail,
        };
        console.mark(mark, &finding.text);
    }
    let first_bad = findings.iter().find(|finding| !finding.exit.is_success());
    Ok(first_bad.map_or(Exit::Success, |finding| finding.exit))
}

fn check_job(
    tools: &Tools<'_>,
    phase: &PhasePlan,
    job: &Job,
    attempt: &AttemptDir,
) -> Result<Vec<Finding>, Failure> {
    let name = &phase.name;
    let mut findings = Vec::new();
    match job {
        Job::Attach { pid, log, .. } => {
            let watched = tools.glance(phase, *pid, log, attempt)?;
            let is_alive = watched.code == Some(i32::from(Exit::TimedOut.code()));
            findings.push(if is_alive {
                Finding::good(format!("{name}: process {pid} is running"))
            } else {
                // It may have ended already: its log then decides.
                Finding::good(format!("{name}: process {pid} has ended; its log decides"))
            });
            findings.push(check_log(tools, phase, log, attempt)?);
        }
        Job::AlreadyDone { log } => findings.push(check_log(tools, phase, log, attempt)?),
        Job::Command(command) => findings.push(check_log_place(name, &command.log)),
    }
    Ok(findings)
}

fn check_log(
    tools: &Tools<'_>,
    phase: &PhasePlan,
    log: &Path,
    attempt: &AttemptDir,
) -> Result<Finding, Failure> {
    let end = tools.read_log(phase, log, LogPart::whole(false), attempt)?;
    let name = &phase.name;
    let log = log.display();
    Ok(match attempt.log_summary() {
        Some(summary) if summary.state == LogState::Unknown => Finding::bad(match &phase.dialect {
            Some(dialect) => format!("{name}: the log {log} is not in the dialect {dialect}"),
            None => format!("{name}: the log {log} is in no known dialect"),
        }),
        Some(summary) => Finding::good(format!(
            "{name}: the log {log} can be read ({})",
            summary.dialect.as_deref().unwrap_or("empty so far")
        )),
        None => Finding::bad(format!(
            "{name}: {}",
            end.said
                .unwrap_or_else(|| format!("the log {log} cannot be read"))
        )),
    })
}

/// Whether the log of a job that is to be started can be written, without writing it.
fn check_log_place(name: &str, log: &Path) -> Finding {
    let folder = log
        .ancestors()
        .skip(1)
        .map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        })
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("."));
    let is_writable = if log.exists() {
        File::options().append(true).open(log).is_ok()
    } else {
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
    };
    if is_writable {
        Finding::good(format!("{name}: its log {} can be written", log.display()))
    } else {
        Finding::bad(format!(
            "{name}: its log {} cannot be written",
            log.display()
        ))
    }
}

fn check_table(
    tools: &Tools<'_>,
    phase: &PhasePlan,
    index: usize,
    attempt: &AttemptDir,
) -> Result<Finding, Failure> {
    let end = tools.explain(phase, index, attempt)?;
    let program = &phase.validate[index].program;
    let is_to_be_written = index == 0
        && phase
            .job
            .as_ref()
            .is_some_and(|job| job.command().is_some());
    // A table that is written elsewhere is no note: nothing of the run would make it.
    let missing = attempt
        .validation(index)
        .and_then(|report| report.missing_table)
        .filter(|missing| is_to_be_written && *missing == phase.table);
    if let Some(missing) = missing {
        let said = end
            .said
            .unwrap_or_else(|| format!("table {missing} is not there"));
        return Ok(Finding::note(format!(
            "{}: {said}: its job is to write it",
            phase.name
        )));
    }
    Ok(if end.code == Some(0) {
        let documents = &attempt.validations[index];
        let mut estimate = String::new();
        if let Some(bytes) = estimated_bytes(documents) {
            estimate = format!(", and would read {} bytes", thousands(bytes));
        }
        if let Some(price) = estimated_price(documents) {
            estimate += &format!(" for about {price:.4}");
        }
        Finding::good(format!(
            "{}: {program} can ask the warehouse{estimate}",
            phase.name
        ))
    } else {
        Finding::bad(format!(
            "{}: {}",
            phase.name,
            end.said
                .unwrap_or_else(|| format!("{program} cannot ask the warehouse"))
        ))
    })
}

/// What the engine expects to read, if it says so.
fn estimated_bytes(documents: &Path) -> Option<u64> {
    let bytes = plans(documents).filter_map(|plan| plan.estimated_bytes);
    bytes.reduce(u64::saturating_add)
}

/// What that costs, if the config names a rate.
fn estimated_price(documents: &Path) -> Option<f64> {
    let prices = plans(documents).filter_map(|plan| plan.estimated_price);
    prices.reduce(|one, other| one + other)
}

fn plans(documents: &Path) -> impl Iterator<Item = Box<ValidationPlan>> {
    let documents = attempt::documents(documents).into_iter();
    documents.filter_map(|document| match document {
        Document::ValidationPlan(plan) => Some(plan),
        _ => None,
    })
}

/// Over how many windows a warehouse that bills each query is asked too often.
const MANY_WINDOWS: usize = 100;

/// The windows of a phase, what the first of them would read, and whether they are too many.
fn check_windows(
    tools: &Tools<'_>,
    phase: &PhasePlan,
    attempt: &AttemptDir,
) -> Result<Vec<Finding>, Failure> {
    let Some(windows) = &phase.windows else {
        return Ok(Vec::new());
    };
    let all = windows.size.cut(phase.range);
    let queries = all.len() * phase.validate.len();
    let first = PhasePlan {
        range: all[0],
        ..phase.clone()
    };
    let mut bytes = None;
    for (index, documents) in attempt.validations.iter().enumerate() {
        tools.explain(&first, index, attempt)?;
        bytes = estimated_bytes(documents).map_or(bytes, |more| Some(bytes.unwrap_or(0) + more));
        // The same file takes what the whole range would read.
        let _ = fs::remove_file(documents);
    }
    let bytes = bytes.map_or_else(String::new, |bytes| {
        format!("; the first would read {} bytes", thousands(bytes))
    });
    let mut findings = vec![Finding::good(format!(
        "{}: {} windows of a {} ({}), {queries} validations and one of the whole range{bytes}",
        phase.name,
        all.len(),
        windows.size,
        text::windows_text(&all)
    ))];
    if all.len() > MANY_WINDOWS && tools.warehouse.starts_with("bigquery:") {
        let larger = windows.size.larger().map_or_else(
            || "a larger window".to_owned(),
            |size| format!("windows: {size}"),
        );
        findings.push(Finding::note(format!(
            "{}: {} windows are {queries} queries that BigQuery bills one by one: {larger} asks less often",
            phase.name,
            all.len()
        )));
    }
    Ok(findings)
}

fn notifier_finding(end: ToolEnd) -> Finding {
    if end.code == Some(0) {
        Finding::good("every channel of notify can be reached".to_owned())
    } else {
        Finding::bad(end.said.unwrap_or_else(|| {
            "a channel of notify cannot be reached: try bf-notify --check".to_owned()
        }))
    }
}
