//! The sample job as a process of its own: how it dies and resumes, and that its tables are the real ones.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use rusqlite::{Connection, OpenFlags};

use crate::support::Sandbox;

fn finish(place: &Sandbox, words: &str) -> (Output, String) {
    let mut command = place.command("bf-sample-job");
    let output = command.args(words.split_whitespace()).output();
    let output = output.expect("the job runs");
    let log = String::from_utf8(output.stderr.clone()).expect("the log is UTF-8");
    (output, log)
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
fn it_dies_of_the_signal_and_the_next_run_resumes_from_there() {
    let place = Sandbox::new();
    let (output, log) = finish(&place, &format!("{RANGE} --die-at 2024-01-12"));
    assert_eq!(output.status.signal(), Some(9));
    assert!(
        log.ends_with("INFO:__main__:Processing day 12/30: 2024-01-12\n"),
        "{log}"
    );
    let last = "SELECT count(*) FROM team_offense_game_summary WHERE game_date >= '2024-01-12'";
    assert_eq!(number(&place, last), 0);

    let (_, resumed) = finish(&place, RANGE);
    let found = "INFO:__main__:📂 Found checkpoint - resuming from 2024-01-12\n";
    assert!(resumed.contains(found), "{resumed}");
    let straight = Sandbox::new();
    finish(&straight, RANGE);
    let count = "SELECT count(*) FROM team_offense_game_summary";
    assert_eq!(number(&place, count), number(&straight, count));
}

#[test]
fn an_exit_code_asked_for_ends_a_half_finished_run() {
    let place = Sandbox::new();
    for code in [0, 7] {
        let words = format!("{RANGE} --no-resume --die-at 2024-01-05 --exit-code {code}");
        let (output, log) = finish(&place, &words);
        assert_eq!(output.status.code(), Some(code));
        assert!(!log.contains("SUMMARY"), "{log}");
    }
}

#[test]
fn what_it_claims_is_what_it_wrote_unless_a_fault_was_asked_for() {
    let words = "player-summary --start-date 2024-11-01 --end-date 2024-11-20 --parallel";
    let total = |log: &str| {
        let line = log.lines().find(|line| line.contains("  Total records: "));
        let digits = line.expect("a total").rsplit(' ').next().expect("a number");
        digits.replace(',', "").parse::<i64>().expect("a number")
    };
    let rows = "SELECT count(*) FROM player_game_summary";
    let healthy = Sandbox::new();
    let (_, log) = finish(&healthy, words);
    assert_eq!(number(&healthy, rows), total(&log));
    for (fault, written) in [
        ("--skip-write-dates", "count(*) = 0"),
        (
            "--duplicate-dates",
            "count(*) = 2 * count(DISTINCT player_lookup)",
        ),
        ("--empty-usage", "count(*) > 100 AND count(usage_rate) = 0"),
        ("--half-game-dates", "count(DISTINCT team_abbr) % 2 = 1"),
    ] {
        let place = Sandbox::new();
        let (_, faulty) = finish(&place, &format!("{words} {fault} 2024-11-08"));
        assert_eq!(total(&faulty), total(&log), "{fault}");
        let sql =
            format!("SELECT {written} FROM player_game_summary WHERE game_date = '2024-11-08'");
        assert_eq!(number(&place, &sql), 1, "{fault}");
    }
}

/// The lines of `partner:`, in either form; empty if the suite has none.
fn partner_block(text: &str) -> String {
    let from = text
        .lines()
        .skip_while(|line| !line.starts_with("partner:"));
    let block = from
        .enumerate()
        .take_while(|(at, line)| *at == 0 || line.starts_with(' '))
        .map(|(_, line)| format!("{line}\n"));
    block.collect()
}

#[test]
fn the_shipped_suites_name_only_columns_of_the_real_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).expect("a file of the repository");
    let list = read(&root.join("crates/bf-sample-job/src/columns.csv"));
    let mut columns: HashMap<String, HashSet<&str>> = HashMap::new();
    for line in list.lines().skip(1) {
        let fields: Vec<&str> = line.splitn(5, ',').collect();
        let table = columns.entry(format!("{}.{}", fields[0], fields[1]));
        table.or_default().insert(fields[2]);
    }
    let mut seen = 0;
    for entry in fs::read_dir(root.join("config/suites")).expect("the suites") {
        let path = entry.expect("a suite").path();
        let text = read(&path);
        let table = values(&text, "\ntable").remove(0).to_owned();
        let known = &columns[&table];
        // The partner's day has a name of its own, and a schedule its own columns.
        let partner = partner_block(&text);
        let own = text.replacen(&partner, "", 1);
        for key in [
            " column",
            " columns",
            "{column",
            "{columns",
            "primary_key",
            "sample_columns",
            "written_at",
            "\ndate_column",
        ] {
            for column in values(&own, key) {
                assert!(
                    known.contains(column),
                    "{}: {table} has no {column}",
                    path.display()
                );
                seen += 1;
            }
        }
        if !partner.is_empty() {
            let partner_table = [" table", "{table"]
                .into_iter()
                .flat_map(|key| values(&partner, key))
                .next()
                .expect("the partner's table");
            let theirs = &columns[partner_table];
            for column in values(&partner, "date_column")
                .into_iter()
                .chain(values(&own, "partner_column"))
            {
                assert!(
                    theirs.contains(column),
                    "{}: {partner_table} has no {column}",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

/// The values of a key in a suite: one word, or the words of a list.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for (at, _) in text.match_indices(&format!("{key}: ")) {
        let value = &text[at + key.len() + 2..];
        let end = match value.strip_prefix('[') {
            Some(_) => value.find(']'),
            None => value.find([',', '}', '\n']),
        };
        let value = value[..end.unwrap_or(value.len())].trim_start_matches('[');
        values.extend(value.split(',').map(str::trim));
    }
    values
}
