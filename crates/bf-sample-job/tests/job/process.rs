//! The job as a process of its own: how it dies, hangs, and holds its log back.
//!
//! The program belongs to another package, so this test binary starts itself: the ignored
//! test below is the job when its command line is in the environment.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::support::Place;

const LINE: &str = "BF_SAMPLE_JOB_TEST_LINE";

#[test]
#[ignore = "not a test: the job, when another test starts it"]
fn job() {
    if let Ok(line) = std::env::var(LINE) {
        let code = bf_sample_job::run(line.split('\n'), Box::new(std::io::stderr()));
        std::process::exit(i32::from(code));
    }
}

fn start(place: &Place, words: &str) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "process::job", "--ignored", "--nocapture"])
        .env(LINE, place.args(words).join("\n"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the job starts")
}

fn finish(place: &Place, words: &str) -> (ExitStatus, String) {
    let output = start(place, words)
        .wait_with_output()
        .expect("the job ends");
    (
        output.status,
        String::from_utf8(output.stderr).expect("the log is UTF-8"),
    )
}

const RANGE: &str = "team-offense --start-date 2024-01-01 --end-date 2024-01-30";

#[test]
fn it_dies_of_the_signal_asked_for_and_the_next_run_goes_on_from_there() {
    let place = Place::new();
    let (status, log) = finish(&place, &format!("{RANGE} --die-at 2024-01-12"));
    assert_eq!((status.code(), status.signal()), (None, Some(9)));
    assert!(
        log.ends_with("INFO:__main__:Processing day 12/30: 2024-01-12\n"),
        "{log}"
    );
    let last = "SELECT count(*) FROM team_offense_game_summary WHERE game_date >= '2024-01-12'";
    assert_eq!(place.number(last), 0);

    let resumed = place.run(RANGE);
    assert!(
        resumed.says("INFO:__main__:📂 Found checkpoint - resuming from 2024-01-12"),
        "{}",
        resumed.log
    );
    let straight = Place::new();
    straight.run(RANGE);
    let count = "SELECT count(*) FROM team_offense_game_summary";
    assert_eq!(place.number(count), straight.number(count));
}

#[test]
fn every_way_to_die_is_seen_from_outside() {
    let place = Place::new();
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
    let place = Place::new();
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
    let place = Place::new();
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
    let place = Place::new();
    let (_, short) = finish(
        &place,
        &format!("{RANGE} --no-resume --buffered --die-at 2024-01-05"),
    );
    assert_eq!(short, "");
    let (_, long) = finish(&place, &format!("{RANGE} --no-resume --buffered"));
    assert!(long.ends_with(&format!("{}\n", "=".repeat(80))), "{long}");
    assert!(long.contains("Processing day 30/30"));
}
