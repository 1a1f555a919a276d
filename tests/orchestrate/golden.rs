//! The documented output of two phases, line by line: progress, validation, summary, final report.

use std::fs;
use std::path::PathBuf;

use super::rig::Rig;

/// A word without what differs between two runs: clocks, durations, pids, run ids, rates.
fn lasting(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let core = word.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | '.' | ':'));
    let is_clock = word.starts_with('[') && word.ends_with(']') && word.matches(':').count() == 2;
    let is_run = word.contains("T") && word.contains("Z-") && digits > 14;
    let units = ["h", "m", "s"];
    let is_time = units.iter().any(|unit| {
        let number = core.strip_suffix(unit);
        number.is_some_and(|number| !number.is_empty() && number.parse::<f64>().is_ok())
    });
    match () {
        () if is_clock => "[CLOCK]".to_owned(),
        () if is_run => "RUN".to_owned(),
        () if is_time => word.replace(core, "TIME"),
        () => word.to_owned(),
    }
}

fn normalised(text: &str, folder: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut last_is_pid = false;
    for line in text.lines() {
        let line = line.replace(folder, "FOLDER");
        // How often progress is printed, and how fast the job is, is the machine's business.
        let is_rate = ["  Elapsed:", "  Rate:"]
            .iter()
            .any(|start| line.starts_with(start));
        let is_between = line.contains("Progress: ") && !line.contains("(100.0%)");
        let is_between_summary =
            line.starts_with("  Success rate: ") && line.contains(", Records: ");
        if is_rate || is_between || is_between_summary {
            continue;
        }
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let is_pid = std::mem::replace(
                    &mut last_is_pid,
                    matches!(word, "(pid" | "pid" | "process" | "(process" | "PID:"),
                );
                let number = word.trim_matches(|c: char| !c.is_ascii_digit());
                match is_pid && !number.is_empty() {
                    true => word.replace(number, "PID"),
                    false => lasting(word),
                }
            })
            .collect();
        // A duration of minutes has more than one word.
        let line = words.join(" ").replace("TIME TIME", "TIME");
        let is_written_since = line.find("written since");
        let line = is_written_since.map_or(line.clone(), |at| line[..at].to_owned());
        let line = match line.split_once("queries in ") {
            Some((before, _)) => format!("{before}queries in TIME"),
            None => line,
        };
        if line.contains("Progress: ") && lines.contains(&line) {
            continue;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

/// The golden file is written anew with `BF_UPDATE_GOLDEN=1`, for a person to read the difference.
#[test]
fn the_documented_output_is_the_same_line_by_line() {
    let rig = Rig::new(&[]);
    let mut job = rig.start_phase1(&[]);
    let pid = job.pid();
    job.wait();
    let output = rig.orchestrate(pid).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let folder = rig.sandbox.path().display().to_string();
    let mut text = normalised(&String::from_utf8_lossy(&output.stderr), &folder);
    text = text.replace(&pid.to_string(), "PID");
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/orchestrate/two_phases.txt");
    if std::env::var_os("BF_UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &text).expect("a golden file");
    }
    let wanted = fs::read_to_string(&golden).expect("a golden file");
    for (at, (is, wanted)) in text.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(is, wanted, "line {} of\n{text}", at + 1);
    }
    assert_eq!(text.lines().count(), wanted.lines().count(), "{text}");
}
