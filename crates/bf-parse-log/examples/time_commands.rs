//! Measures commands over one log and prints a table: wall time, processor time, peak of resident memory.
//!
//! `time_commands RUNS LOG NAME COMMAND [NAME COMMAND…]`: `LOG` in a command stands for the log, blanks part its
//! words; its output is read and dropped. A command that cannot be run is left out. Needs GNU time, which
//! tells the peak of a process's memory.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What one run of a command took.
#[derive(Debug, Clone, Copy)]
struct Run {
    wall_ms: f64,
    cpu_ms: f64,
    resident_kib: f64,
}

fn run(words: &[String], figures: &Path) -> Result<Run, Box<dyn std::error::Error>> {
    let began = Instant::now();
    let mut child = Command::new("time")
        .args(["--quiet", "--format=%U %S %M", "--output"])
        .arg(figures)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or("no output")?;
    let said = std::io::copy(&mut stdout, &mut std::io::sink())?;
    child.wait()?;
    let wall_ms = began.elapsed().as_secs_f64() * 1000.0;
    if said == 0 {
        return Err("it said nothing".into());
    }
    let text = std::fs::read_to_string(figures)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [user, system, resident_kib] = numbers[..] else {
        return Err("GNU time said something else".into());
    };
    Ok(Run {
        wall_ms,
        cpu_ms: (user + system) * 1000.0,
        resident_kib,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: time_commands RUNS LOG NAME COMMAND [NAME COMMAND…]";
    let mut args = std::env::args().skip(1);
    let runs: usize = args.next().ok_or(usage)?.parse()?;
    let log = args.next().ok_or(usage)?;
    let commands: Vec<String> = args.collect();
    let figures = tempfile::NamedTempFile::new()?;

    println!(
        "{:<24} {:>9} {:>9} {:>9} {:>12}",
        "command", "min ms", "median", "cpu ms", "resident MiB"
    );
    for pair in commands.chunks_exact(2) {
        let words: Vec<String> = pair[1]
            .split(' ')
            .map(|word| {
                if word == "LOG" {
                    log.clone()
                } else {
                    word.to_owned()
                }
            })
            .collect();
        let measured: Result<Vec<Run>, _> = (0..runs.max(1))
            .map(|_| run(&words, figures.path()))
            .collect();
        let mut measured = match measured {
            Ok(measured) => measured,
            Err(error) => {
                println!("{:<24} left out: {error}", pair[0]);
                continue;
            }
        };
        measured.sort_by(|one, other| one.wall_ms.total_cmp(&other.wall_ms));
        let median = measured[measured.len() / 2];
        let resident = measured
            .iter()
            .map(|run| run.resident_kib)
            .fold(0.0, f64::max);
        println!(
            "{:<24} {:>9.0} {:>9.0} {:>9.0} {:>12.1}",
            pair[0],
            measured[0].wall_ms,
            median.wall_ms,
            median.cpu_ms,
            resident / 1024.0
        );
    }
    Ok(())
}
