//! What is left to know a job by that was started earlier, if bf-monitor's own files are damaged or gone.
//!
//! bf-monitor joins a job through its state file and the record beside it. Without the record it would start the job
//! again; the journal says that it was started, and as which process.

use std::fs;
use std::path::Path;

use bf_cli::{Context, Failure};
use serde_json::Value;

use crate::plan::Job;
use crate::store::attempt::AttemptDir;
use crate::store::proc;
use crate::store::state::UnitState;

/// The job as it is still known, and the files of its attempt, if it was seen and its record does not name it any
/// more: a process to watch, and nothing to start. `None` if bf-monitor's own files are enough.
///
/// # Errors
/// The job was seen, and nothing tells of its end (exit 3).
pub(crate) fn known_job(
    job: &Job,
    attempt: &AttemptDir,
    state: &UnitState,
) -> Result<Option<(Job, AttemptDir)>, Failure> {
    if job.command().is_none() || !state.job_seen {
        return Ok(None);
    }
    let record = attempt.monitor_record();
    let process = state.process.as_ref();
    if process.is_none_or(|process| names_process(&record, process.pid)) && record.exists() {
        set_aside_if_damaged(&attempt.monitor_state)?;
        return Ok(None);
    }
    let lost = || format!("{} is damaged or gone", record.display());
    match process {
        Some(process) if proc::is_alive(process) => {
            let attached = Job::Attach {
                pid: process.pid,
                log: job.log().to_owned(),
                expect_cmd: None,
            };
            Ok(Some((attached, attempt.attached())))
        }
        process => {
            let which = process.map_or_else(String::new, |one| format!(" (process {})", one.pid));
            Err(Failure::could_not_check(format!(
                "the job{which} was started and has ended, and {}: how it ended is not known, and it is not started again",
                lost()
            ))
            .hint("check its log and its table, then begin a new run: bf-orchestrate run PLAN --from PHASE"))
        }
    }
}

/// Whether a line of a file of JSON lines names the process.
fn names_process(path: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.into_iter().any(|line: Value| holds_pid(&line, pid))
}

fn holds_pid(value: &Value, pid: u32) -> bool {
    match value {
        Value::Object(fields) => {
            let is_it = fields.get("pid").and_then(Value::as_u64) == Some(u64::from(pid));
            is_it || fields.values().any(|value| holds_pid(value, pid))
        }
        Value::Array(values) => values.iter().any(|value| holds_pid(value, pid)),
        _ => false,
    }
}

/// A state file that is not JSON tells nothing; the record does.
fn set_aside_if_damaged(path: &Path) -> Result<(), Failure> {
    let Ok(bytes) = fs::read(path) else {
        return Ok(());
    };
    if serde_json::from_slice::<Value>(&bytes).is_ok() {
        return Ok(());
    }
    fs::rename(path, path.with_extension("damaged"))
        .or_could_not_check(|| format!("setting the damaged {} aside", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_its_process_at_any_depth_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record");
        let whole = "{\"intended\":{}}\n{\"recorded\":{\"job\":{\"pid\":4711}}}\n";
        fs::write(&path, whole).expect("writable");
        assert!(names_process(&path, 4711));
        assert!(!names_process(&path, 471));
        for damaged in ["", "garbage", &whole[..30]] {
            fs::write(&path, damaged).expect("writable");
            assert!(!names_process(&path, 4711), "{damaged}");
        }
        fs::remove_file(&path).expect("it is there");
        assert!(!names_process(&path, 4711));
    }
}
