//! bf-parse-log from outside: real files, pipes and signals, and the logs of real jobs.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

use bf_contract::{Document, LedgerStatus, LogState, LogSummary, read_document};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Sandbox, wait_until};

const TOOL: &str = "bf-parse-log";

/// A sequential log of three days: one good, one failed, one good.
fn small_log(end: bool) -> String {
    let mut log = String::from(
        "INFO:__main__:  Date range: 2024-01-01 to 2024-01-03\n\
         INFO:__main__:Starting day-by-day analytics backfill from 2024-01-01 to 2024-01-03\n",
    );
    for (at, outcome) in [
        (1, "INFO:__main__:  ✓ Success: 16 records"),
        (
            2,
            "ERROR:__main__:  ✗ Exception: \x1b]0;owned\x07 429 Exceeded rate limits\x1b[31m",
        ),
        (3, "INFO:__main__:  ✓ Success: 0 records"),
    ] {
        log += &format!("INFO:__main__:Processing day {at}/3: 2024-01-0{at}\n{outcome}\n");
    }
    if end {
        log += "INFO:__main__:DAY-BY-DAY BACKFILL SUMMARY:\n";
    }
    log
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.command(TOOL).args(args).output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The documents of an output, through the contract's own types.
fn documents(output: &Output) -> Vec<Document> {
    String::from_utf8(output.stdout.clone())
        .expect("documents are UTF-8")
        .lines()
        .map(|line| read_document(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn summary(output: &Output) -> LogSummary {
    match documents(output).pop() {
        Some(Document::LogSummary(summary)) => *summary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_log_in_a_known_dialect_is_read_with_success() {
    let sandbox = Sandbox::new();
    for (name, text, state) in [
        ("done.log", small_log(true), LogState::Completed),
        ("running.log", small_log(false), LogState::Running),
        (
            "refused.log",
            "x.py: error: no\n".to_owned(),
            LogState::Refused,
        ),
    ] {
        sandbox.write(name, &text);
        let output = run(&sandbox, &[name]);
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        assert_eq!(documents(&output).len(), 1);
        let summary = summary(&output);
        assert_eq!(summary.state, state);
        assert_eq!(summary.log.path, name);
        assert_eq!(summary.log.bytes, text.len() as u64);
    }
}

#[test]
fn a_log_that_says_nothing_is_a_document_and_could_not_check() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.log", "");
    let empty = run(&sandbox, &["empty.log"]);
    assert_eq!((code(&empty), summary(&empty).state), (3, LogState::Empty));

    sandbox.write("foreign.log", "hello\n");
    let foreign = run(&sandbox, &["foreign.log"]);
    assert_eq!(
        (code(&foreign), summary(&foreign).state),
        (3, LogState::Unknown)
    );
    let said = stderr(&foreign);
    assert!(
        said.contains("looked for the dialects") && said.contains("--explain"),
        "{said}"
    );
    assert_eq!(code(&run(&sandbox, &["--check", "foreign.log"])), 3);
}

#[test]
fn a_log_that_cannot_be_read_is_one_line() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("folder")).expect("a folder");
    let locked = sandbox.write("locked.log", &small_log(true));
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).expect("locked");
    sandbox.write("short.log", "hello\n");
    for (args, said) in [
        (&["missing.log"][..], "missing.log: No such file"),
        (&["folder"], "folder: Is a directory"),
        (
            &["--from-byte", "7", "short.log"],
            "short.log: it has 6 bytes",
        ),
        (&["locked.log"], "locked.log: Permission denied"),
    ] {
        if args == ["locked.log"] && File::open(&locked).is_ok() {
            continue; // nothing is locked for this user
        }
        let output = run(&sandbox, args);
        assert_eq!(code(&output), 3, "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let text = stderr(&output);
        assert!(
            text.starts_with("bf-parse-log: reading ") && text.contains(said),
            "{text}"
        );
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("hint: "))
            .count();
        assert_eq!(lines, 1, "{text}");
    }
}

#[test]
fn check_fails_what_is_not_whole() {
    let sandbox = Sandbox::new();
    sandbox.write("done.log", &small_log(true));
    sandbox.write("running.log", &small_log(false));
    sandbox.write(
        "claims.log",
        &small_log(true).replace("to 2024-01-03", "to 2024-01-05"),
    );
    sandbox.write("refused.log", "x.py: error: no\n");
    for (args, expected) in [
        (&["--check", "done.log"][..], 0),
        (&["--check", "--min-success-rate", "66", "done.log"], 0),
        (&["--check", "--min-success-rate", "67%", "done.log"], 1),
        (&["--check", "running.log"], 1),
        (&["--check", "claims.log"], 1),
        (&["--check", "refused.log"], 1),
        (&["--check", "missing.log"], 3),
        (&["--min-success-rate", "95", "done.log"], 2),
        (&["--check", "--min-success-rate", "950", "done.log"], 2),
        (&["--failed-dates", "--ledger", "done.log"], 2),
    ] {
        assert_eq!(code(&run(&sandbox, args)), expected, "{args:?}");
    }
}

#[test]
fn a_process_that_is_gone_turns_running_into_interrupted() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        &small_log(false).replace("to 2024-01-03", "to 2024-01-05"),
    );
    let running = summary(&run(&sandbox, &["x.log"]));
    assert_eq!(
        (running.state, running.unaccounted_dates),
        (LogState::Running, None)
    );
    let gone = summary(&run(&sandbox, &["--writer-gone", "x.log"]));
    assert_eq!(gone.state, LogState::Interrupted);
    assert_eq!(gone.unaccounted_dates.map(|dates| dates.len()), Some(2));
}

#[test]
fn the_list_of_failed_dates_is_complete_and_nothing_but_the_list() {
    let sandbox = Sandbox::new();
    let mut log = String::new();
    let mut expected = Vec::new();
    for n in (1..=28).rev() {
        log += &format!("INFO:__main__:  ✗ 2024-02-{n:02}: Processing failed\n");
        expected.push(format!("2024-02-{n:02}"));
    }
    expected.reverse();
    sandbox.write("x.log", &log);
    let output = run(&sandbox, &["--failed-dates", "x.log"]);
    assert_eq!(code(&output), 0);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{}\n", expected.join(","))
    );
    assert!(output.stderr.is_empty(), "{}", stderr(&output));

    sandbox.write("foreign.log", "hello\n");
    let foreign = run(&sandbox, &["--failed-dates", "foreign.log"]);
    assert_eq!((code(&foreign), foreign.stdout.len()), (3, 0));

    sandbox.write("clean.log", &small_log(true).replace('✗', "✓"));
    assert!(
        run(&sandbox, &["--failed-dates", "clean.log"])
            .stdout
            .is_empty()
    );
}

#[test]
fn the_ledger_comes_before_the_summary() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let documents = documents(&run(&sandbox, &["--ledger", "x.log"]));
    assert_eq!(documents.len(), 4);
    let statuses: Vec<_> = documents
        .iter()
        .filter_map(|document| match document {
            Document::LedgerEntry(entry) => Some((entry.status, entry.records)),
            _ => None,
        })
        .collect();
    assert_eq!(
        statuses,
        [
            (LedgerStatus::Success, Some(16)),
            (LedgerStatus::Failed, None),
            (LedgerStatus::Success, Some(0)),
        ]
    );
    assert!(matches!(documents[3], Document::LogSummary(_)));
}

#[test]
fn no_control_character_of_a_log_reaches_a_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    for args in [
        &["--format", "text", "x.log"][..],
        &["--format", "text", "--ledger", "x.log"],
        &["--explain", "x.log"],
        &["x.log"],
    ] {
        let output = run(&sandbox, args);
        for bytes in [&output.stdout, &output.stderr] {
            let odd = bytes
                .iter()
                .find(|byte| byte.is_ascii_control() && **byte != b'\n');
            assert_eq!(odd, None, "{args:?}: {}", String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn a_person_reads_a_short_report() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let output = run(&sandbox, &["--format", "text", "x.log"]);
    let text = String::from_utf8(output.stdout).expect("text");
    for part in [
        "completed",
        "2024-01-01 to 2024-01-03",
        "3/3 days (100.0%)",
        "66.7% (2 of 3 days finished), 16 records",
        "1 day succeeded with no record",
        "1 day: 2024-01-02",
        "1 × rate limit",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.lines().count() < 20);
}

#[test]
fn a_log_comes_from_a_pipe_compressed_or_not() {
    let sandbox = Sandbox::new();
    let plain = sandbox.write("x.log", &small_log(true));
    let packed = Command::new("gzip")
        .arg("-c")
        .arg(&plain)
        .output()
        .expect("gzip runs")
        .stdout;
    fs::write(sandbox.join("x.log.gz"), &packed).expect("written");
    fs::write(sandbox.join("cut.gz"), &packed[..packed.len() - 12]).expect("written");

    let whole = summary(&run(&sandbox, &["x.log"]));
    let mut unpacked = summary(&run(&sandbox, &["x.log.gz"]));
    unpacked.log.path = "x.log".to_owned();
    assert_eq!(unpacked, whole);

    for bytes in [small_log(true).into_bytes(), packed] {
        let output = sandbox
            .tool(TOOL)
            .arg("-")
            .write_stdin(bytes)
            .output()
            .expect("it runs");
        let mut piped = summary(&output);
        assert_eq!(piped.log.path, "-");
        piped.log.path = "x.log".to_owned();
        assert_eq!(piped, whole);
    }

    let cut = summary(&run(&sandbox, &["cut.gz"]));
    assert!(
        cut.notes
            .iter()
            .any(|note| note.contains("ends in the middle")),
        "{:?}",
        cut.notes
    );

    fs::write(
        sandbox.join("broken.gz"),
        [&b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..], &[0xff; 50]].concat(),
    )
    .expect("written");
    assert_eq!(code(&run(&sandbox, &["broken.gz"])), 3);
}

#[test]
fn a_log_comes_out_of_a_named_pipe() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("x.log", &small_log(true));
    let pipe = sandbox.join("pipe");
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let writer = std::thread::spawn(move || fs::copy(log, pipe));
    let read = summary(&run(&sandbox, &["pipe"]));
    writer.join().expect("no panic").expect("written");
    assert_eq!((read.state, read.failed_days), (LogState::Completed, 1));
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let sandbox = Sandbox::new();
    let earlier = "INFO:__main__:  ✗ 2020-01-01: of a run before this one\n";
    sandbox.write("x.log", &format!("{earlier}{}", small_log(true)));
    let from = earlier.len().to_string();
    let summary = summary(&run(&sandbox, &["--from-byte", &from, "x.log"]));
    assert_eq!((summary.runs, summary.failed_days), (1, 1));
    assert_eq!(summary.log.from_byte, earlier.len() as u64);
    assert_eq!(summary.log.bytes, small_log(true).len() as u64);
}

#[test]
fn a_line_of_two_hundred_megabytes_costs_no_memory() {
    let sandbox = Sandbox::new();
    let log = small_log(true);
    let (before, after) = log.split_at(log.find("INFO:__main__:Processing day 2").expect("there"));
    let mut file = File::create(sandbox.join("x.log")).expect("a log");
    file.write_all(before.as_bytes()).expect("written");
    for _ in 0..200 {
        file.write_all(&vec![b'x'; 1 << 20]).expect("written");
    }
    file.write_all(format!("\n{after}").as_bytes())
        .expect("written");
    drop(file);
    // Limits the address space, so that a line kept whole could not be had. In KiB.
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 150000 && exec \"$0\" -q x.log"])
        .arg(crate::support::bin_dir().join(TOOL))
        .current_dir(sandbox.path())
        .output()
        .expect("it runs");
    let summary = summary(&output);
    assert_eq!((summary.successful_days, summary.failed_days), (2, 1));
    assert_eq!(summary.state, LogState::Completed);
}

#[test]
fn a_bad_regular_expression_is_a_wrong_config_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    sandbox.write(
        "c.yaml",
        "dialects:\n  - name: mine\n    success: '^ok'\n    failure: '^no ('\n",
    );
    let output = run(&sandbox, &["--config", "c.yaml", "x.log"]);
    assert_eq!(code(&output), 2);
    assert!(output.stdout.is_empty());
    let text = stderr(&output);
    assert!(text.contains("line 4") && text.contains("^no ("), "{text}");
    assert_eq!(
        code(&run(&sandbox, &["--config", "missing.yaml", "x.log"])),
        2
    );
}

#[test]
fn a_dialect_can_be_written_by_what_explain_shows() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "x.log",
        "begin 2024-01-01\nwrote 16 rows\nbegin 2024-01-02\nwrote 14 rows\nbye\n",
    );
    let unknown = run(&sandbox, &["--explain", "x.log"]);
    let text = String::from_utf8(unknown.stdout).expect("text");
    assert!(
        text.contains("begin DATE") && text.contains("wrote N rows"),
        "{text}"
    );

    sandbox.write(
        "c.yaml",
        "dialects:\n  - name: mine\n    date_start: '^begin (?P<date>\\S+)'\n    success: '^wrote (?P<records>\\d+)'\n    end: '^bye'\n",
    );
    let known = run(&sandbox, &["--config", "c.yaml", "--explain", "x.log"]);
    assert_eq!(code(&known), 0);
    let text = String::from_utf8(known.stdout).expect("text");
    for part in [
        "mine",
        "date_start",
        "the current date succeeded, 16 records",
        "2 to 4",
        "completed",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let output = run(&sandbox, &["--config", "c.yaml", "x.log"]);
    assert_eq!(summary(&output).dialect.as_deref(), Some("mine"));
}

#[test]
fn a_checkpoint_that_says_something_else_is_listed() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(true));
    let checkpoint = |good: &str, bad: &str| {
        format!(
            r#"{{"job_name": "x", "start_date": "2024-01-01", "end_date": "2024-01-03",
                "successful_dates": [{good}], "failed_dates": [{bad}], "skipped_dates": []}}"#
        )
    };
    sandbox.write(
        "same.json",
        &checkpoint(r#""2024-01-01", "2024-01-03""#, r#""2024-01-02""#),
    );
    let same = run(&sandbox, &["--check", "--checkpoint", "same.json", "x.log"]);
    assert_eq!(
        (code(&same), summary(&same).checkpoint_disagreements.len()),
        (0, 0)
    );

    sandbox.write(
        "other.json",
        &checkpoint(r#""2024-01-02", "2024-01-03""#, ""),
    );
    let other = run(
        &sandbox,
        &["--check", "--checkpoint", "other.json", "x.log"],
    );
    assert_eq!(code(&other), 1);
    let differ: Vec<_> = summary(&other)
        .checkpoint_disagreements
        .into_iter()
        .map(|differ| (differ.date.to_string(), differ.log, differ.checkpoint))
        .collect();
    assert_eq!(
        differ,
        [
            ("2024-01-01".to_owned(), Some(LedgerStatus::Success), None),
            (
                "2024-01-02".to_owned(),
                Some(LedgerStatus::Failed),
                Some(LedgerStatus::Success)
            ),
        ]
    );
    assert!(stderr(&other).contains("log failed, checkpoint successful: 2024-01-02"));

    sandbox.write("bad.json", "{");
    for path in ["bad.json", "missing.json"] {
        let output = run(&sandbox, &["--checkpoint", path, "x.log"]);
        assert_eq!(code(&output), 3, "{path}");
        assert!(stderr(&output).contains(path));
    }
}

/// bf-parse-log --follow in the background, its documents read line by line.
struct Follower {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Follower {
    fn start(sandbox: &Sandbox, log: &str) -> Self {
        let mut child = sandbox
            .command(TOOL)
            .args(["--follow", log])
            .stdout(Stdio::piped())
            .stderr(File::create(sandbox.join("follow.err")).expect("a file"))
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.take().expect("piped");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Reads documents until one fits.
    fn until(&mut self, fits: impl Fn(&LogSummary) -> bool) -> LogSummary {
        loop {
            let line = self
                .lines
                .next()
                .expect("another document")
                .expect("readable");
            match read_document(&line).expect("a document") {
                Document::LogSummary(summary) if fits(&summary) => return *summary,
                _ => {}
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(sandbox: &Sandbox, log: &str, text: &str) {
    File::options()
        .create(true)
        .append(true)
        .open(sandbox.join(log))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("written");
}

#[test]
fn a_followed_log_is_read_over_rotation_until_its_run_is_over() {
    let sandbox = Sandbox::new();
    let mut follower = Follower::start(&sandbox, "x.log");
    wait_until("it waits for the log", || {
        sandbox.read("follow.err").contains("waiting for x.log")
    });

    let log = small_log(true);
    let (first, rest) = log.split_at(log.find("INFO:__main__:Processing day 2").expect("there"));
    append(&sandbox, "x.log", first);
    follower.until(|summary| summary.successful_days == 1 && summary.state == LogState::Running);

    fs::rename(sandbox.join("x.log"), sandbox.join("x.log.1")).expect("rotated");
    append(&sandbox, "x.log", rest);
    let last = follower.until(|summary| summary.state == LogState::Completed);
    assert_eq!(
        (last.successful_days, last.failed_days, last.runs),
        (2, 1, 1)
    );
    assert_eq!(last.unaccounted_dates, Some(vec![]));
    let status = follower.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_follower_that_is_stopped_says_what_it_knows() {
    let sandbox = Sandbox::new();
    sandbox.write("x.log", &small_log(false));
    let mut follower = Follower::start(&sandbox, "x.log");
    follower.until(|summary| summary.current_day == 3);
    let pid = Pid::from_child(&follower.child);
    kill_process(pid, Signal::INT).expect("a signal can be sent");
    follower.until(|summary| summary.state == LogState::Running);
    let status = follower.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
}

#[test]
fn a_pipe_cannot_be_followed() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &["--follow", "-"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--follow needs a file"));
}

#[cfg(feature = "sample-job")]
mod real_jobs {
    use super::{LogState, Sandbox, code, run, summary};

    const RANGE: [&str; 4] = ["--start-date", "2024-01-01", "--end-date", "2024-01-20"];

    fn job(sandbox: &Sandbox, log: &str, which: &str, args: &[&str]) {
        let args = [&[which], &RANGE[..], args].concat();
        sandbox.run_job(log, &args);
    }

    /// Every way in which these jobs log the same twenty days with the same two failures.
    #[test]
    fn the_same_days_come_out_of_every_kind_of_run() {
        for (which, extra) in [
            ("team-offense", &[][..]),
            (
                "team-offense",
                &["--parallel", "--workers", "4", "--delay-ms", "2"],
            ),
            ("player-summary", &[]),
            (
                "player-summary",
                &["--parallel", "--workers", "4", "--delay-ms", "2"],
            ),
            ("team-defense", &[]),
            ("team-defense", &["--log-format", "asctime"]),
            ("player-summary", &["--parallel", "--log-format", "asctime"]),
        ] {
            let sandbox = Sandbox::new();
            let faults = [
                "--fail-dates",
                "2024-01-05",
                "--exception-dates",
                "2024-01-07",
            ];
            job(&sandbox, "x.log", which, &[&faults[..], extra].concat());
            let output = run(&sandbox, &["x.log"]);
            assert_eq!(code(&output), 0);
            let summary = summary(&output);
            assert_eq!(summary.state, LogState::Completed, "{which} {extra:?}");
            let failed: Vec<_> = summary
                .failed_dates
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(failed, ["2024-01-05", "2024-01-07"], "{which} {extra:?}");
            assert_eq!(
                (summary.total_days, summary.unaccounted_days),
                (Some(20), Some(0))
            );
            assert_eq!(summary.successful_days, 18);
            assert_eq!(summary.notes, Vec::<String>::new());
        }
    }

    #[test]
    fn a_job_that_dies_and_resumes_keeps_the_failure_of_its_first_run() {
        let sandbox = Sandbox::new();
        job(
            &sandbox,
            "first.log",
            "team-offense",
            &["--fail-dates", "2024-01-05", "--die-at", "2024-01-12"],
        );
        let first = summary(&run(&sandbox, &["--writer-gone", "first.log"]));
        assert_eq!(
            (first.state, first.current_day),
            (LogState::Interrupted, 11)
        );

        job(&sandbox, "second.log", "team-offense", &[]);
        let second = summary(&run(&sandbox, &["second.log"]));
        assert_eq!(second.earlier_days, 11);
        assert_eq!(
            (second.successful_days, second.unaccounted_days),
            (9, Some(0))
        );

        let both = sandbox.read("first.log") + &sandbox.read("second.log");
        sandbox.write("both.log", &both);
        let both = summary(&run(&sandbox, &["both.log"]));
        assert_eq!((both.state, both.runs), (LogState::Completed, 2));
        assert_eq!(
            (both.successful_days, both.failed_days, both.earlier_days),
            (19, 1, 0)
        );
        assert_eq!(both.failed_dates[0].to_string(), "2024-01-05");
    }

    #[test]
    fn a_job_that_has_nothing_but_arguments_to_complain_of_is_refused() {
        let sandbox = Sandbox::new();
        sandbox.run_job(
            "x.log",
            &[
                "team-offense",
                "--start-date",
                "2024-01-01",
                "--end-date",
                "2999-01-01",
            ],
        );
        assert_eq!(summary(&run(&sandbox, &["x.log"])).state, LogState::Refused);
    }
}
