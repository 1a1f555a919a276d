//! Where the bytes come from: files, pipes, archives, and lines of any length.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

use bf_contract::LogState;

use super::rig::{TOOL, code, run, small_log, stderr, summary};
use crate::support::Sandbox;

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
fn a_log_in_utf_16_is_read_and_a_foreign_archive_is_named_with_its_command() {
    let sandbox = Sandbox::new();
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(small_log(true).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(sandbox.join("wide.log"), utf16).expect("written");
    let wide = summary(&run(&sandbox, &["wide.log"]));
    assert_eq!(
        (wide.state, wide.successful_days, wide.failed_days),
        (LogState::Completed, 2, 1)
    );

    fs::write(sandbox.join("x.log.zst"), b"\x28\xb5\x2f\xfd....").expect("written");
    let packed = run(&sandbox, &["x.log.zst"]);
    assert_eq!(code(&packed), 3);
    let text = stderr(&packed);
    assert!(
        text.contains("zstd -dc x.log.zst | bf-parse-log -"),
        "{text}"
    );
}

#[test]
fn a_log_with_the_newest_line_first_is_read_from_its_end() {
    let sandbox = Sandbox::new();
    let turned: Vec<String> = small_log(true).lines().rev().map(str::to_owned).collect();
    sandbox.write("x.log", &format!("{}\n", turned.join("\n")));
    let read = summary(&run(&sandbox, &["x.log"]));
    assert_eq!(
        (read.state, read.successful_days, read.failed_days),
        (LogState::Completed, 2, 1),
        "{read:?}"
    );
}
