//! The sample job as a process of its own: how it dies, hangs, and holds its log back.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};

use rusqlite::{Connection, OpenFlags};

use crate::support::Sandbox;

fn start(place: &Sandbox, words: &str) -> Child {
    place
        .command("bf-sample-job")
        .args(words.split_whitespace())
        .args(["--warehouse", "sqlite:warehouse"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the job starts")
}

fn finish(place: &Sandbox, words: &str) -> (ExitStatus, String) {
    let output = start(place, words)
        .wait_with_output()
        .expect("the job ends");
    (
        output.status,
        String::from_utf8(output.stderr).expect("the log is UTF-8"),
    )
}

/// The one number of a query on the analytics tables.
fn number(place: &Sandbox, sql: &str) -> i64 {
    let path = place.join("warehouse/nba_analytics.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|db| db.query_row(sql, [], |row| row.get(0)))
        .expect("a number")
}

const RANGE: &str = "team-offense --start-date 2024-01-01 --end-date 2024-01-30";

#[test]
fn it_dies_of_the_signal_asked_for_and_the_next_run_goes_on_from_there() {
    let place = Sandbox::new();
    let (status, log) = finish(&place, &format!("{RANGE} --die-at 2024-01-12"));
    assert_eq!((status.code(), status.signal()), (None, Some(9)));
    assert!(
        log.ends_with("INFO:__main__:Processing day 12/30: 2024-01-12\n"),
        "{log}"
    );
    let last = "SELECT count(*) FROM team_offense_game_summary WHERE game_date >= '2024-01-12'";
    assert_eq!(number(&place, last), 0);

    let (_, resumed) = finish(&place, RANGE);
    assert!(
        resumed.contains("INFO:__main__:📂 Found checkpoint - resuming from 2024-01-12\n"),
        "{resumed}"
    );
    let straight = Sandbox::new();
    finish(&straight, RANGE);
    let count = "SELECT count(*) FROM team_offense_game_summary";
    assert_eq!(number(&place, count), number(&straight, count));
}

#[test]
fn every_way_to_die_is_seen_from_outside() {
    let place = Sandbox::new();
    for (signal, number) in [
        ("TERM", 15),
        ("SEGV", 11),
        ("abrt", 6),
        ("INT", 2),
        ("HUP", 1),
    ] {
        let words = format!("{RANGE} --no-resume --die-at 2024-01-02 --signal {signal}");
        let (status, _) = finish(&place, &words);
        assert_eq!(status.signal(), Some(number), "{signal}");
    }
    for code in [0, 7] {
        let words =
            format!("{RANGE} --no-resume --parallel --die-at 2024-01-05 --exit-code {code}");
        let (status, log) = finish(&place, &words);
        assert_eq!(status.code(), Some(code));
        assert!(!log.contains("COMPLETE"), "{log}");
    }
}

#[test]
fn a_hanging_job_prints_nothing_more_and_lives_on() {
    let place = Sandbox::new();
    let mut child = start(&place, &format!("{RANGE} --hang-at 2024-01-03"));
    let mut stderr = child.stderr.take().expect("piped");
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"Processing day 3/30: 2024-01-03\n") {
        stderr.read_exact(&mut byte).expect("the job still prints");
        seen.push(byte[0]);
    }
    // It can only have hung or gone on; had it gone on, killing it would leave more to read.
    assert!(child.try_wait().expect("a child of ours").is_none());
    std::thread::sleep(std::time::Duration::from_millis(100));
    child.kill().expect("it lives");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the pipe ends");
    assert_eq!(rest, "");
    child.wait().expect("it is gone");
}

#[test]
fn in_parallel_one_worker_hangs_and_the_others_finish_their_dates() {
    let place = Sandbox::new();
    let words = "team-offense --start-date 2024-01-01 --end-date 2024-01-05 --parallel --workers 2 --hang-at 2024-01-02";
    let mut child = start(&place, words);
    let mut stderr = child.stderr.take().expect("piped");
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while seen
        .windows(3)
        .filter(|window| *window == "✓".as_bytes())
        .count()
        < 4
    {
        stderr.read_exact(&mut byte).expect("the job still prints");
        seen.push(byte[0]);
    }
    assert!(!String::from_utf8_lossy(&seen).contains("✓ 2024-01-02"));
    child.kill().expect("it lives");
    let status = child.wait().expect("it is gone");
    assert_eq!(status.signal(), Some(9));
}

#[test]
fn a_buffered_log_is_lost_with_the_process_up_to_the_last_block() {
    let place = Sandbox::new();
    let (_, short) = finish(
        &place,
        &format!("{RANGE} --no-resume --buffered --die-at 2024-01-05"),
    );
    assert_eq!(short, "");
    let (_, long) = finish(&place, &format!("{RANGE} --no-resume --buffered"));
    assert!(long.ends_with(&format!("{}\n", "=".repeat(80))), "{long}");
    assert!(long.contains("Processing day 30/30"));
}
