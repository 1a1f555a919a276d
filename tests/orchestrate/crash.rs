//! A run is killed after every record of its journal, and taken up again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::rig::{Ran, Rig};
use crate::support::{bin_dir, document, wait_until};

/// Slow enough that phase 1 outlives a kill of its orchestrator.
const SLOW: &[&str] = &["--delay-ms", "100"];

/// The journal of the one run of a rig, once there is one.
fn journal(rig: &Rig) -> Option<PathBuf> {
    let runs = fs::read_dir(rig.sandbox.join(".bf/runs")).ok()?;
    let path = runs.flatten().next()?.path().join("journal.ndjson");
    path.exists().then_some(path)
}

/// How many whole lines a journal has.
pub fn records(journal: Option<&Path>) -> usize {
    let text = journal.and_then(|path| fs::read_to_string(path).ok());
    text.map_or(0, |text| text.matches('\n').count())
}

pub fn start(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bf-orchestrate starts")
}

/// The parent of a process, by proc_pid_stat(5).
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Every process whose parent is `pid`, by proc_pid_stat(5).
fn children(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("a Linux machine");
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|child| parent(*child) == Some(pid))
        .collect()
}

/// Kills the orchestrator, and its tools where `tools` says so; never a job.
pub fn kill(orchestrator: &mut Child, tools: bool) {
    let children = children(orchestrator.id());
    orchestrator.kill().expect("it can be killed");
    orchestrator.wait().expect("it can be waited for");
    for child in children.into_iter().filter(|_| tools) {
        let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
        // It may have ended with its reader.
        let _ = kill_process(pid.expect("a pid"), Signal::KILL);
    }
}

/// The report without what may differ between two runs: times, pids, names of runs, and through whom an
/// end was learnt.
fn lasting(report: &Value) -> Value {
    const PASSING: [&str; 15] = [
        "run_id",
        "run_uuid",
        "job_ended_at",
        "ended_at",
        "run_dir",
        "total_seconds",
        "duration_seconds",
        "elapsed_seconds",
        "process",
        "source",
        "log",
        "documents",
        "started_at",
        "time",
        "bytes",
    ];
    match report {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !PASSING.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), lasting(value)))
            .collect(),
        Value::Array(values) => values.iter().map(lasting).collect(),
        // A message may say since when the rows were written.
        Value::String(text) => match text.split_once("written since") {
            Some((before, _)) => Value::from(before),
            None => report.clone(),
        },
        other => other.clone(),
    }
}

/// How often the phase 2 job was really started, by its own log.
pub fn phase2_starts(rig: &Rig) -> usize {
    let log = rig
        .sandbox
        .join("logs/player_game_summary_backfill_phase2.log");
    let log = fs::read_to_string(log).unwrap_or_default();
    log.matches("PARALLEL BACKFILL MODE").count()
}

/// Runs both phases and kills after record `after`, then takes the run up. `None` where the run ended before
/// it had so many records.
fn killed_after(after: usize, tools: bool) -> Option<(Rig, Ran)> {
    let rig = Rig::new(&["--delay-ms", "60"]);
    let mut job = rig.start_phase1(SLOW);
    let pid = job.pid();
    let reaper = std::thread::spawn(move || job.wait());
    let mut orchestrator = start(rig.orchestrate(pid));
    let mut has_ended = false;
    wait_until("the journal is long enough", || {
        has_ended = orchestrator.try_wait().expect("a child").is_some();
        has_ended || records(journal(&rig).as_deref()) >= after
    });
    if has_ended && records(journal(&rig).as_deref()) < after {
        return None;
    }
    kill(&mut orchestrator, tools);

    let is_finished = journal(&rig)
        .map(|path| fs::read_to_string(path).expect("a journal"))
        .is_some_and(|text| text.contains("run_finished"));
    let ran = if is_finished {
        // Nothing is left to take up: the report is there.
        let path = journal(&rig)
            .expect("a journal")
            .with_file_name("run_report.json");
        Ran {
            code: Some(0),
            report: document(&fs::read(path).expect("a report")),
            text: String::new(),
        }
    } else {
        let mut resume = rig.sandbox.command("bf-orchestrate");
        Ran::from(resume.arg("resume").output().expect("it runs"))
    };
    reaper.join().expect("phase 1 was waited for");
    Some((rig, ran))
}

#[test]
fn killed_after_any_record_a_run_starts_each_phase_once_and_reports_the_same() {
    let whole = Rig::new(&["--delay-ms", "60"]).run(SLOW);
    assert_eq!(whole.code, Some(0), "{}", whole.text);

    let mut after = 1;
    while let Some((rig, ran)) = killed_after(after, true) {
        assert_eq!(ran.code, Some(0), "after record {after}: {}", ran.text);
        assert_eq!(phase2_starts(&rig), 1, "after record {after}");
        assert_eq!(
            lasting(&ran.report),
            lasting(&whole.report),
            "after record {after}"
        );
        after += 1;
        if after > 40 {
            panic!("a run of two phases has fewer records");
        }
    }
    assert!(after > 10, "only {} records were seen", after - 1);
}

#[test]
fn a_monitor_that_is_killed_alone_is_started_again_and_its_job_is_not() {
    let rig = Rig::new(&["--delay-ms", "300"]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let orchestrator = start(rig.orchestrate(pid));
    wait_until("phase 2 is seen", || {
        journal(&rig)
            .and_then(|path| fs::read_to_string(path).ok())
            .is_some_and(|text| text.contains(r#""job_seen","phase":"player_game_summary""#))
    });
    for child in children(orchestrator.id()) {
        let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), Signal::KILL).expect("its monitor runs");
    }
    let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(ran.text.contains("watching again"), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1);
}

#[test]
fn the_same_command_takes_up_a_run_whose_tools_outlived_it() {
    let rig = Rig::new(&["--delay-ms", "150"]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let mut orchestrator = start(rig.orchestrate(pid));
    wait_until("phase 2 runs", || {
        rig.sandbox
            .join("logs/player_game_summary_backfill_phase2.log")
            .exists()
    });
    kill(&mut orchestrator, false);
    let ran = Ran::from(rig.orchestrate(pid).output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(ran.text.contains("Resuming run"), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1);
    let runs = fs::read_dir(rig.sandbox.join(".bf/runs")).expect("runs");
    assert_eq!(runs.count(), 1);
}

#[test]
fn the_same_command_after_a_finished_run_starts_a_new_one() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    for expected in 1..=2 {
        let ran = Ran::from(rig.orchestrate(pid).output().expect("it runs"));
        assert_eq!(ran.code, Some(0), "{}", ran.text);
        let runs = fs::read_dir(rig.sandbox.join(".bf/runs")).expect("runs");
        assert_eq!(runs.count(), expected);
    }
    assert_eq!(phase2_starts(&rig), 2);
}

#[test]
fn sigterm_leaves_the_job_alive_and_names_the_way_back() {
    let rig = Rig::new(&["--delay-ms", "300"]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let orchestrator = start(rig.orchestrate(pid));
    let log = rig
        .sandbox
        .join("logs/player_game_summary_backfill_phase2.log");
    wait_until("phase 2 runs", || {
        fs::metadata(&log).is_ok_and(|meta| meta.len() > 0)
    });
    let id = i32::try_from(orchestrator.id())
        .ok()
        .and_then(Pid::from_raw);
    kill_process(id.expect("a pid"), Signal::TERM).expect("it can be signalled");
    let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(143), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned", "interrupted"]);
    assert!(
        ran.text.contains("goes on as process") && ran.text.contains("bf-orchestrate resume 2"),
        "{}",
        ran.text
    );

    let mut resume = rig.sandbox.command("bf-orchestrate");
    let ran = Ran::from(resume.arg("resume").output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1);
}

#[test]
fn two_orchestrators_never_share_a_run_or_a_table() {
    let rig = Rig::new(&[]);
    let job = rig.start_phase1(&["--delay-ms", "60000"]);
    let mut first = start(rig.orchestrate(job.pid()));
    wait_until("the first run is begun", || {
        records(journal(&rig).as_deref()) >= 2
    });
    // The same command: its run is taken.
    let second = rig.orchestrate(job.pid()).output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    // Another run over the same table and dates.
    let mut other = rig.orchestrate(job.pid());
    let third = other
        .args(["--runs", "elsewhere"])
        .output()
        .expect("it runs");
    assert_eq!(third.status.code(), Some(2));
    let text = String::from_utf8_lossy(&third.stderr);
    assert!(
        text.contains("is locked for") && text.contains("--force"),
        "{text}"
    );
    assert!(
        !rig.sandbox
            .join("elsewhere")
            .read_dir()
            .is_ok_and(|mut dir| dir.next().is_some())
    );
    kill(&mut first, true);
}

/// The keeper dies before it can write down how the job ended, as in a power cut.
#[test]
fn a_job_that_a_power_cut_ended_waits_for_a_person() {
    after_a_reboot(|job| {
        for pid in [parent(job).expect("a keeper"), job] {
            super::signal(pid, Signal::KILL);
        }
    });
}

/// The keeper still sees the end of the job, which is asked to go like everything else.
#[test]
fn a_job_that_a_shutdown_ended_waits_for_a_person() {
    after_a_reboot(|job| {
        let keeper = parent(job).expect("a keeper");
        super::signal(job, Signal::TERM);
        wait_until("its end is written down", || {
            !Path::new(&format!("/proc/{keeper}")).exists()
        });
    });
}

fn after_a_reboot(go_down: impl Fn(u32)) {
    let rig = Rig::new(&["--delay-ms", "300"]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let mut orchestrator = start(rig.orchestrate(pid));
    let log = rig
        .sandbox
        .join("logs/player_game_summary_backfill_phase2.log");
    wait_until("phase 2 runs", || {
        fs::metadata(&log).is_ok_and(|meta| meta.len() > 0)
    });
    wait_until("its process is recorded", || {
        fs::read_to_string(journal(&rig).expect("a journal"))
            .is_ok_and(|text| text.contains(r#""job_seen","phase":"player_game_summary""#))
    });
    kill(&mut orchestrator, true);
    // What a reboot does: every process of the run is gone, and the boot is another.
    let mut status = rig.sandbox.command("bf-orchestrate");
    let status = document(
        &status
            .args(["status", "--format", "json"])
            .output()
            .expect("it runs")
            .stdout,
    );
    let job = status["phases"][1]["process"]["pid"]
        .as_u64()
        .expect("a pid");
    let job = u32::try_from(job).expect("a pid");
    go_down(job);
    let run_dir = journal(&rig).expect("a journal");
    let run_dir = run_dir.parent().expect("a folder");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let other_boot = "00000000-0000-4000-8000-000000000000";
    rewrite(run_dir, boot.trim(), other_boot);

    let mut resume = rig.sandbox.command("bf-orchestrate");
    let ran = Ran::from(resume.arg("resume").output().expect("it runs"));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert_eq!(ran.statuses(), ["warned", "interrupted"], "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1, "{}", ran.text);
    let step = ran.report["next_steps"][0].as_str().expect("a step");
    assert!(
        step.contains("--restart-interrupted runs bf-sample-job player-summary"),
        "{step}"
    );
    // A person decides, and by the very words that were said.
    let words = step.split("bf-orchestrate ").nth(1).expect("a call");
    let (words, _) = words.split_once(" runs ").expect("a call");
    let mut restart = rig.sandbox.command("bf-orchestrate");
    let ran = Ran::from(restart.args(words.split(' ')).output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 2, "{}", ran.text);
}

/// Replaces `from` by `to` in every file below `folder`.
fn rewrite(folder: &Path, from: &str, to: &str) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rewrite(&path, from, to);
        } else if let Ok(text) = fs::read_to_string(&path)
            && text.contains(from)
        {
            fs::write(&path, text.replace(from, to)).expect("writable");
        }
    }
}

/// A folder of tools in which one waits, the first time that it is really asked, until somebody ends it.
fn tools_with_a_slow(rig: &Rig, slow: &str) -> PathBuf {
    let folder = rig.sandbox.join("tools");
    fs::create_dir_all(&folder).expect("a folder");
    for tool in [
        "bf-monitor",
        "bf-parse-log",
        "bf-validate",
        "bf-validate-team-offense",
        "bf-validate-player-summary",
    ] {
        let real = bin_dir().join(tool);
        let path = folder.join(tool);
        if tool == slow {
            let script = format!(
                "#!/bin/sh\ncase \" $* \" in *' --explain '*) ;; *) [ -e asked ] || {{ touch asked; exec sleep 600; }} ;; esac\nexec {} \"$@\"\n",
                real.display()
            );
            write_script(&path, &script);
        } else if tool == "bf-monitor" && slow == "bf-parse-log" {
            // One that saves nothing of the log, so that bf-parse-log is asked.
            let script = format!(
                "#!/bin/sh\nfor a; do shift; if [ \"$skip\" ]; then skip=; continue; fi\n\
                 case $a in --save-ledger) skip=1; continue ;; esac; set -- \"$@\" \"$a\"; done\nexec {} \"$@\"\n",
                real.display()
            );
            write_script(&path, &script);
        } else {
            symlink(real, path).expect("a link");
        }
    }
    folder
}

fn write_script(path: &Path, text: &str) {
    fs::write(path, text).expect("writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a script");
}

#[test]
fn a_signal_while_a_log_is_read_or_a_table_validated_decides_nothing() {
    for slow in ["bf-parse-log", "bf-validate-team-offense"] {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            let rig = Rig::new(&[]);
            let mut job = rig.start_phase1(&[]);
            let pid = job.pid();
            job.wait();
            let tools = tools_with_a_slow(&rig, slow);
            let mut command = rig.orchestrate(pid);
            let orchestrator = start({
                command.env("BF_BIN_DIR", &tools);
                command
            });
            wait_until("the tool works", || rig.sandbox.join("asked").exists());
            super::signal(orchestrator.id(), signal);
            let ran = Ran::from(orchestrator.wait_with_output().expect("it ends"));
            let code = if signal == Signal::INT { 130 } else { 143 };
            assert_eq!(ran.code, Some(code), "{slow}: {}", ran.text);
            assert_eq!(
                ran.statuses(),
                ["interrupted", "not_started"],
                "{slow}: {}",
                ran.text
            );
            let mut resume = rig.sandbox.command("bf-orchestrate");
            let ran = Ran::from(resume.arg("resume").output().expect("it runs"));
            assert_eq!(ran.code, Some(0), "{slow}: {}", ran.text);
            assert_eq!(phase2_starts(&rig), 1);
        }
    }
}

#[test]
fn the_same_flags_with_another_phase_2_in_the_config_do_not_start_it_again_unasked() {
    let rig = Rig::new(&["--delay-ms", "300"]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let mut orchestrator = start(rig.orchestrate(pid));
    wait_until("phase 2 is seen", || {
        super::journal_says(&rig, r#""job_seen","phase":"player_game_summary""#)
    });
    kill(&mut orchestrator, true);
    rig.configure(&["--delay-ms", "1"], "");
    let changed = rig.orchestrate(pid).output().expect("it runs");
    let text = String::from_utf8_lossy(&changed.stderr);
    assert_eq!(changed.status.code(), Some(2), "{text}");
    assert!(
        text.contains("phases.player_game_summary.job was"),
        "{text}"
    );
    let mut accepted = rig.orchestrate(pid);
    let accepted = accepted.arg("--accept-changed-plan").output();
    let ran = Ran::from(accepted.expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(phase2_starts(&rig), 1, "{}", ran.text);
}
