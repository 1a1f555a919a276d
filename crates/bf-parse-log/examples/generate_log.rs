//! Writes a log of the real mix for the benchmark: about 120 bytes a line, one line in ten of interest,
//! the rest from other loggers; sequential and parallel runs over four seasons, again and again until the
//! size is reached.
//!
//! `cargo run --release -p bf-parse-log --example generate_log -- BYTES FILE [named|timed|json]`
//! `named` (the default) is `INFO:__main__:`, `timed` is `2026-01-03 13:45:12,345 - INFO - `, `json` is one
//! object a line, two lines in eleven of interest.

#![allow(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};

use chrono::{Days, NaiveDate};

/// Numbers that are the same for everybody: the log is too.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Log {
    out: BufWriter<File>,
    timed: bool,
    line: String,
    dice: Dice,
    second: u64,
    left: u64,
}

impl Log {
    fn say(&mut self, level: &str, logger: &str, message: &str) -> std::io::Result<()> {
        self.line.clear();
        let written = if self.timed {
            let (hour, minute, second) = (
                self.second / 3600 % 24,
                self.second / 60 % 60,
                self.second % 60,
            );
            let milli = self.dice.roll(1000);
            writeln!(
                self.line,
                "2026-01-03 {hour:02}:{minute:02}:{second:02},{milli:03} - {level} - {message}"
            )
        } else {
            writeln!(self.line, "{level}:{logger}:{message}")
        };
        written.map_err(std::io::Error::other)?;
        self.second += self.dice.roll(2);
        self.left = self.left.saturating_sub(self.line.len() as u64);
        self.out.write_all(self.line.as_bytes())
    }

    fn object(&mut self, rest: &str) -> std::io::Result<()> {
        self.second += self.dice.roll(2);
        let (minute, second) = (self.second / 60 % 60, self.second % 60);
        let text = format!(
            "{{\"ts\": \"2026-01-03T13:{minute:02}:{second:02}.123Z\", \"level\": \"info\", {rest}}}\n"
        );
        self.left = self.left.saturating_sub(text.len() as u64);
        self.out.write_all(text.as_bytes())
    }

    fn json_run(&mut self, start: NaiveDate, days: u64) -> std::io::Result<()> {
        for at in 0..days {
            if self.left == 0 {
                return Ok(());
            }
            let date = start + Days::new(at);
            self.object(&format!("\"event\": \"date_start\", \"date\": \"{date}\""))?;
            for _ in 0..9 {
                let (page, ms) = (self.dice.roll(9_999), self.dice.roll(900));
                self.object(&format!(
                    "\"event\": \"request_done\", \"url\": \"https://api.example.com/v1/orders?page={page}\", \"status\": 200, \"ms\": {ms}"
                ))?;
            }
            let rows = self.dice.roll(900);
            self.object(&format!(
                "\"event\": \"date_done\", \"date\": \"{date}\", \"rows\": {rows}"
            ))?;
        }
        Ok(())
    }

    fn job(&mut self, message: &str) -> std::io::Result<()> {
        self.say("INFO", "__main__", message)
    }

    /// What the processor, its clients and its helpers say while one date is worked on.
    fn noise(&mut self, date: NaiveDate, lines: u64) -> std::io::Result<()> {
        for _ in 0..lines {
            let (a, b) = (self.dice.roll(90_000), self.dice.roll(500));
            match self.dice.roll(8) {
                0 => self.say(
                    "INFO",
                    "data_processors.analytics.analytics_base",
                    &format!("Extracted {b} rows from nba_raw.nbac_gamebook_player_stats for {date} in 0.{b}s (bytes {a})"),
                )?,
                1 => self.say(
                    "INFO",
                    "shared.utils.bigquery_client",
                    &format!("Query job 3f{a:05x}c1-b{b:04x}-4e0f finished: {a} bytes billed, cache hit False, slot ms {b}"),
                )?,
                2 => self.say(
                    "WARNING",
                    "shared.registry.reader",
                    &format!("Player lookup 'player{b}jr' is not in the registry; {b} aliases were tried for season 2023-24"),
                )?,
                3 => self.say(
                    "INFO",
                    "data_processors.analytics.quality",
                    &format!("Quality tier gold for game 0022300{b:03}: score {b}.5, sources complete, {a} checks, none blocking"),
                )?,
                4 => self.say(
                    "INFO",
                    "google.cloud.bigquery",
                    &format!("Load job loaded {b} rows into nba_analytics.temp_{a:05x} and merged them on game_id, team_abbr"),
                )?,
                5 => self.say(
                    "INFO",
                    "shared.utils.smart_skip",
                    &format!("Hash of the inputs for {date} changed ({a:08x} to {b:08x}), so that the date is processed again"),
                )?,
                6 => self.say(
                    "DEBUG",
                    "urllib3.connectionpool",
                    &format!("https://bigquery.googleapis.com:443 \"POST /bigquery/v2/projects/p/jobs?prettyPrint=false HTTP/1.1\" 200 {b}"),
                )?,
                _ => self.say(
                    "INFO",
                    "data_processors.analytics.calculators",
                    &format!("Calculated usage_rate, pace and ratings for {b} players of {date}; {a} possessions in all of them"),
                )?,
            }
        }
        Ok(())
    }

    fn run(&mut self, start: NaiveDate, days: u64, parallel: bool) -> std::io::Result<()> {
        let end = start + Days::new(days - 1);
        self.job("Day-by-day analytics backfill configuration:")?;
        self.job(&format!("  Date range: {start} to {end}"))?;
        self.job(&format!(
            "  Parallel: {}",
            if parallel { "True" } else { "False" }
        ))?;
        if parallel {
            self.job("🚀 PARALLEL BACKFILL MODE - 15 CONCURRENT WORKERS")?;
        } else {
            self.job(&format!(
                "Starting day-by-day analytics backfill from {start} to {end}"
            ))?;
        }
        self.job(&format!("Will process {days} days from {start} to {end}"))?;
        self.job(&format!(
            "Checkpoint: /tmp/backfill_checkpoints/team_offense_game_summary_{start}_{end}.json"
        ))?;
        for at in 0..days {
            if self.left == 0 {
                return Ok(());
            }
            let date = start + Days::new(at);
            if !parallel {
                self.job(&format!("Processing day {}/{days}: {date}", at + 1))?;
            }
            let lines = if parallel { 9 } else { 18 };
            self.noise(date, lines)?;
            let records = self.dice.roll(30);
            match (self.dice.roll(60), parallel) {
                (0, true) => self.say(
                    "ERROR",
                    "__main__",
                    &format!("  ✗ {date}: Processing failed"),
                )?,
                (0, false) => self.say("ERROR", "__main__", &format!("  ✗ Failed: {date}"))?,
                (_, true) => self.job(&format!("  ✓ {date}: {records} records"))?,
                (_, false) => self.job(&format!("  ✓ Success: {records} records"))?,
            }
        }
        self.job(if parallel {
            "PARALLEL BACKFILL COMPLETE"
        } else {
            "DAY-BY-DAY BACKFILL SUMMARY:"
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: generate_log BYTES FILE [named|timed|json]";
    let bytes = args.next().ok_or(usage)?.parse()?;
    let path = args.next().ok_or(usage)?;
    let form = args.next();
    let mut log = Log {
        // As Python writes into a file. How a file was written decides how its pages lie in the page cache,
        // and with that what reading it costs.
        out: BufWriter::with_capacity(8 << 10, File::create(path)?),
        timed: form.as_deref() == Some("timed"),
        line: String::new(),
        dice: Dice(0x5eed_b0b5_1dea_5eed),
        second: 47_112,
        left: bytes,
    };
    let start = NaiveDate::from_ymd_opt(2021, 10, 19).ok_or("no such date")?;
    let mut parallel = false;
    while log.left > 0 {
        if form.as_deref() == Some("json") {
            log.json_run(start, 1537)?;
            continue;
        }
        log.run(start, 1537, parallel)?;
        parallel = !parallel;
    }
    log.out.flush()?;
    Ok(())
}
