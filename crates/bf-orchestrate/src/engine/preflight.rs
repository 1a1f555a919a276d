//! What must be there before anything is watched, so that it is not found out at four in the morning.

mod attached;
pub(crate) mod commands;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bf_cli::{Context, Failure};
use bf_config::Loaded;
use bf_contract::{Document, Exit, read_document};

use crate::plan::{Job, PhasePlan, Plan, TWO_PHASES, Validator, table_of};
use crate::tools::locate::Siblings;
use crate::tools::process::failure_line;
use crate::tools::program::find_program;

/// The name under which bf-parse-log and bf-monitor know the dialects that they come with.
const BUILT_IN_DIALECTS: &str = "built-in";

/// How long a validator may take to say what it would ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds every tool of the run and the program of every job that it would start, checks whether the logs that
/// are there already can be read, and has every validator read its config.
///
/// # Errors
/// A program is missing, a dialect is none of the config, or a validator refuses its config (exit 2); or a log
/// cannot be read (exit 3). Nothing was started.
pub(crate) fn check(plan: &Plan, loaded: &Loaded) -> Result<Siblings, Failure> {
    for phase in &plan.phases {
        check_dialect(phase, loaded)?;
        let Some(job) = phase.job.as_ref().and_then(Job::command) else {
            if let Some(job) = &phase.job {
                check_log(&phase.name, job.log())?;
            }
            continue;
        };
        if job.log.exists() && !job.log.is_file() {
            return Err(Failure::usage(format!(
                "phase {}: its log {} is not a regular file",
                phase.name,
                job.log.display()
            ))
            .hint(where_to_fix(plan, "log")));
        }
        let program = job.command.first().map_or("", String::as_str);
        if find_program(program, job.cwd.as_deref()).is_none() {
            let place = match &job.cwd {
                Some(cwd) => format!(" (seen from {})", cwd.display()),
                None => String::new(),
            };
            return Err(Failure::usage(format!(
                "phase {}: its program {program} does not exist or cannot be executed{place}",
                phase.name
            ))
            .hint(where_to_fix(plan, "command")));
        }
        if let Some(script) = missing_script(job) {
            return Err(Failure::usage(format!(
                "phase {}: the script {} that {program} is to run does not exist",
                phase.name,
                script.display()
            ))
            .hint(where_to_fix(plan, "command")));
        }
    }
    for check in &plan.preflight {
        let program = check.command.first().map_or("", String::as_str);
        if find_program(program, None).is_none() {
            return Err(Failure::usage(format!(
                "preflight {}: its program {program} does not exist or cannot be executed",
                check.name
            ))
            .hint("nothing was started; preflight in the plan names it"));
        }
    }
    for phase in &plan.phases {
        check_suite(plan, phase)?;
    }
    let siblings = Siblings::find(plan, &loaded.config)?;
    for phase in &plan.phases {
        for validator in &phase.validate {
            ask_validator(plan, phase, validator, loaded, &siblings)?;
        }
    }
    Ok(siblings)
}

/// Checks whether the pids that a new run is to watch can be those of jobs. A resumed run knows its
/// processes by more than their pids.
///
/// # Errors
/// One is no job's: usage (exit 2).
pub(crate) fn check_attached(plan: &Plan) -> Result<(), Failure> {
    for phase in &plan.phases {
        if let Some(Job::Attach {
            pid, expect_cmd, ..
        }) = &phase.job
        {
            attached::check(&phase.name, *pid, expect_cmd.as_deref())?;
        }
    }
    Ok(())
}

/// The script of `python SCRIPT …` where it is not there: the interpreter alone says nothing of the job.
fn missing_script(job: &crate::plan::Command) -> Option<PathBuf> {
    let [program, script, ..] = job.command.as_slice() else {
        return None;
    };
    let is_python = Path::new(program)
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("python"));
    if !is_python || script.starts_with('-') {
        return None;
    }
    let path = match &job.cwd {
        Some(cwd) => cwd.join(script),
        None => PathBuf::from(script),
    };
    (!path.exists()).then_some(path)
}

/// Where the job's command and its log are written down.
fn where_to_fix(plan: &Plan, key: &str) -> String {
    if plan.name == TWO_PHASES {
        format!(
            "nothing was started; phase2.{key} in the config names it (and phase2.cwd where from)"
        )
    } else {
        format!("nothing was started; {key} of the phase in the plan names it (and cwd where from)")
    }
}

/// A suite that judges another table than the phase fills would be found out by the gate, after the job.
fn check_suite(plan: &Plan, phase: &PhasePlan) -> Result<(), Failure> {
    let first = phase.job.as_ref().and(phase.validate.first());
    let Some(suite) = first.and_then(|validator| validator.suite.as_deref()) else {
        return Ok(());
    };
    // One that cannot be read is refused by its validator, which knows better what is wrong.
    match table_of(suite) {
        Some(judged) if judged != phase.table => Err(Failure::usage(format!(
            "phase {}: its suite {} judges {}, not its table {}",
            phase.name,
            suite.display(),
            judged,
            phase.table
        ))
        .hint(format!(
            "nothing was started; the first of validate: in the plan {} judges the table that the job fills",
            plan.name
        ))),
        _ => Ok(()),
    }
}

/// A dialect that the config does not describe would be refused by every tool, hours later.
fn check_dialect(phase: &PhasePlan, loaded: &Loaded) -> Result<(), Failure> {
    let Some(wanted) = phase.dialect.as_deref() else {
        return Ok(());
    };
    let described = loaded
        .config
        .dialects
        .iter()
        .map(|dialect| dialect.name.as_str());
    let names: Vec<&str> = std::iter::once(BUILT_IN_DIALECTS)
        .chain(described)
        .collect();
    if names.contains(&wanted) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "phase {}: there is no dialect {wanted:?} (there are {})",
        phase.name,
        names.join(", ")
    ))
    .hint("nothing was started; dialects: in the config describes a log of another form"))
}

/// Has a validator read its config, its suite and the warehouse's URL, and say what it would ask. Only its
/// refusal counts: the warehouse may still be on its way, and is checked when the gate is.
fn ask_validator(
    plan: &Plan,
    phase: &PhasePlan,
    validator: &Validator,
    loaded: &Loaded,
    siblings: &Siblings,
) -> Result<(), Failure> {
    let Some(program) = siblings.validator(&validator.program) else {
        return Ok(());
    };
    let doing = || format!("starting {}", program.display());
    // A file takes a plan of any length while nothing reads it.
    let mut printed = tempfile::tempfile().or_could_not_check(doing)?;
    let mut command = Command::new(program);
    command
        .args([phase.range.start.to_string(), phase.range.end.to_string()])
        .args(["--explain", "--format", "json", "--quiet", "--warehouse"])
        .arg(&plan.warehouse)
        .stdin(Stdio::null())
        .stdout(printed.try_clone().or_could_not_check(doing)?)
        .stderr(Stdio::null());
    if let Some(path) = &loaded.path {
        command.arg("--config").arg(path);
    }
    if let Some(suite) = &validator.suite {
        command.arg("--suite").arg(suite);
    }
    let mut child = command.spawn().or_could_not_check(doing)?;
    let began = Instant::now();
    while child.try_wait().or_could_not_check(doing)?.is_none() {
        if began.elapsed() > PATIENCE {
            // It has read what it was given, and waits for a warehouse that does not answer.
            let _ = child.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = child.wait().or_could_not_check(doing)?;
    if status.code() != Some(i32::from(Exit::Usage.code())) {
        return Ok(());
    }
    let mut text = String::new();
    // A text that cannot be read has no failure in it; the refusal counts all the same.
    let _ = printed
        .seek(SeekFrom::Start(0))
        .and_then(|_| printed.read_to_string(&mut text));
    let refusal = text
        .lines()
        .rev()
        .find_map(|line| match read_document(line) {
            Ok(Document::Failure(failure)) => Some(failure),
            _ => None,
        });
    let why = refusal
        .as_ref()
        .map_or_else(|| "it refused the call".to_owned(), failure_line);
    let hint = refusal.and_then(|refusal| refusal.hint);
    Err(Failure::usage(format!("phase {}: {why}", phase.name))
        .hint(hint.unwrap_or_else(|| "nothing was started".to_owned())))
}

/// A log that is not there yet may still be written; one that is there must be a file that can be read.
fn check_log(phase: &str, log: &Path) -> Result<(), Failure> {
    let doing = || format!("phase {phase}: reading its log {}", log.display());
    let hint = "nothing was started; give the file that the job writes its output to";
    let refuse =
        |what: &str| Err(Failure::could_not_check(format!("{}: {what}", doing())).hint(hint));
    match std::fs::metadata(log) {
        Ok(metadata) if metadata.is_dir() => refuse("Is a directory"),
        Ok(metadata) if !metadata.is_file() => refuse("Is not a regular file"),
        Ok(_) => File::open(log)
            .map(|_| ())
            .or_could_not_check(doing)
            .map_err(|failure| failure.hint(hint)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error)
            .or_could_not_check(doing)
            .map_err(|failure| failure.hint(hint)),
    }
}
