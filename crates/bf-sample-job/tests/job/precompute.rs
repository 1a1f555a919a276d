//! The jobs of phase 4: what they need, what they leave out, what they write.

use rusqlite::types::Value;

use crate::support::{Place, Ran};

/// From opening night, so that there is a past to compute from.
const PHASE_3: &str = "--start-date 2024-10-22 --end-date 2024-11-14 --no-resume";
/// Three dates of the bootstrap period and nine behind it; 2024-11-05 has no games.
const RANGE: &str = "--start-date 2024-11-02 --end-date 2024-11-14 --no-resume";

const JOBS: [(&str, &str, &str, &str); 5] = [
    (
        "team-defense-zones",
        "nba_precompute",
        "team_defense_zone_analysis",
        "analysis_date",
    ),
    (
        "player-shot-zones",
        "nba_precompute",
        "player_shot_zone_analysis",
        "analysis_date",
    ),
    (
        "composite-factors",
        "nba_precompute",
        "player_composite_factors",
        "game_date",
    ),
    (
        "daily-cache",
        "nba_precompute",
        "player_daily_cache",
        "cache_date",
    ),
    (
        "feature-store",
        "nba_predictions",
        "ml_feature_store_v2",
        "game_date",
    ),
];

/// A warehouse with the three tables of phase 3.
fn phase_3() -> Place {
    let place = Place::new();
    for job in ["team-offense", "team-defense", "player-summary"] {
        assert_eq!(place.run(&format!("{job} {PHASE_3}")).code, 0);
    }
    place
}

fn count(place: &Place, dataset: &str, sql: &str) -> i64 {
    match place.row(dataset, sql).as_slice() {
        [Value::Integer(number)] => *number,
        other => panic!("{sql}: {other:?}"),
    }
}

fn last(ran: &Ran, start: &str) -> String {
    ran.lines(start).last().unwrap_or_default().to_owned()
}

#[test]
fn the_defense_table_is_the_offense_table_from_the_other_side() {
    let place = phase_3();
    let joined =
        "FROM team_defense_game_summary AS defense JOIN team_offense_game_summary AS offense
        ON offense.game_id = defense.game_id AND offense.team_abbr = defense.opponent_team_abbr";
    let all = place.number("SELECT count(*) FROM team_defense_game_summary");
    let equal = place.number(&format!(
        "SELECT count(*) {joined} WHERE points_allowed = points_scored AND opp_fg_attempts = fg_attempts
         AND turnovers_forced = turnovers AND home_game <> is_home AND defense.win_flag <> offense.win_flag"
    ));
    assert!(all > 300, "{all}");
    assert_eq!(equal, all);
}

#[test]
fn every_job_writes_the_game_dates_behind_the_bootstrap_period() {
    let place = phase_3();
    for (job, dataset, table, date_column) in JOBS {
        let ran = place.run(&format!("{job} {RANGE}"));
        assert_eq!(ran.code, 0, "{}", ran.log);
        let dates = format!("SELECT count(DISTINCT {date_column}) FROM {table}");
        assert_eq!(count(&place, dataset, &dates), 9, "{table}");
        let first = format!("SELECT min({date_column}) FROM {table}");
        assert_eq!(
            place.row(dataset, &first),
            [Value::Text("2024-11-06".to_owned())]
        );
        assert_eq!(
            ran.lines("INFO:__main__:  ⏭ Skipped: bootstrap period")
                .count(),
            3,
            "{job}"
        );
        assert_eq!(
            last(&ran, "INFO:__main__:Processing game date "),
            "INFO:__main__:Processing game date 12/12: 2024-11-14"
        );
        let claimed: i64 = ran
            .lines("INFO:__main__:  ✓ Success: ")
            .map(|line| {
                let figure = line.trim_start_matches("INFO:__main__:  ✓ Success: ");
                figure
                    .split(' ')
                    .next()
                    .and_then(|figure| figure.parse::<i64>().ok())
                    .expect("a figure")
            })
            .sum();
        let rows = count(&place, dataset, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(rows, claimed, "{job}");
    }
    let players = place
        .number("SELECT count(points) FROM player_game_summary WHERE game_date >= '2024-11-05'");
    for (_, dataset, table, _) in &JOBS[2..] {
        let rows = count(&place, dataset, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(rows, players, "{table}");
    }
}

#[test]
fn a_hole_in_one_table_is_a_hole_in_all_that_come_after_it() {
    let place = phase_3();
    let hole = format!("team-defense-zones {RANGE} --skip-write-dates 2024-11-12");
    assert!(place.run(&hole).says("INFO:__main__:  Failed days: 0"));
    place.run(&format!("player-shot-zones {RANGE}"));
    for (job, missing) in [
        (
            "composite-factors",
            "nba_precompute.team_defense_zone_analysis",
        ),
        ("daily-cache", "nba_precompute.team_defense_zone_analysis"),
        ("feature-store", "nba_precompute.team_defense_zone_analysis"),
    ] {
        let ran = place.run(&format!("{job} {RANGE}"));
        assert_eq!(ran.code, 0);
        let why = format!(
            "ERROR:precompute_base:PrecomputeProcessorBase Error: No data extracted from {missing} for 2024-11-12"
        );
        assert!(ran.says(&why), "{}", ran.log);
        assert!(ran.says("ERROR:__main__:  ✗ Failed: Unknown"));
        assert!(
            ran.says("INFO:__main__:  Successful: 8, Skipped: 3, Failed: 1"),
            "{}",
            ran.log
        );
    }
}

#[test]
fn a_job_declines_to_start_while_phase_3_has_holes() {
    let place = Place::new();
    for job in ["team-offense", "team-defense"] {
        place.run(&format!("{job} {PHASE_3}"));
    }
    place.run(&format!(
        "player-summary {PHASE_3} --skip-write-dates 2024-11-08"
    ));
    for (job, dataset, ..) in &JOBS[..2] {
        let ran = place.run(&format!("{job} {RANGE}"));
        assert_eq!(ran.code, 1);
        assert!(
            ran.says("ERROR:__main__:❌ PRE-FLIGHT CHECK FAILED: Phase 3 data is incomplete!"),
            "{}",
            ran.log
        );
        assert_eq!(ran.lines("INFO:__main__:Processing ").count(), 0);
        let rows = "SELECT count(*) FROM team_defense_zone_analysis";
        assert_eq!(count(&place, dataset, rows), 0);
    }
    let forced = place.run(&format!("player-shot-zones {RANGE} --skip-preflight"));
    assert!(
        forced.says("ERROR:__main__:  ✗ Failed: 2024-11-08"),
        "{}",
        forced.log
    );
    assert!(forced.says("INFO:__main__:  Successful: 8, Skipped: 3, Failed: 1"));
}

#[test]
fn a_missing_dataset_is_named() {
    let place = Place::new();
    let ran = place.run(&format!("team-defense-zones {RANGE}"));
    assert_eq!(ran.code, 1);
    assert!(ran.log.contains("nba_analytics.db"), "{}", ran.log);
    assert!(!place.path("nba_analytics.db").exists());
}

#[test]
fn faults_do_what_they_say_in_phase_4_too() {
    let place = phase_3();
    for (job, dataset, table, date_column) in JOBS {
        place.run(&format!("{job} {RANGE}"));
        let on_13 = |condition: &str| {
            count(
                &place,
                dataset,
                &format!(
                    "SELECT count(*) FROM {table} WHERE {date_column} = '2024-11-13' AND ({condition})"
                ),
            )
        };
        let healthy = on_13("true");
        let run = |fault: &str| {
            place.run(&format!("{job} {RANGE} {fault} 2024-11-13"));
        };
        run("--duplicate-dates");
        assert_eq!(on_13("true"), 2 * healthy, "{job}");
        run("--fewer-rows-dates");
        assert!(
            (healthy / 2..=healthy / 2 + 1).contains(&on_13("true")),
            "{job}: {}",
            on_13("true")
        );
        run("--low-quality");
        assert_eq!(on_13("is_production_ready"), 0, "{job}");
        run("--fail-dates");
        assert_eq!(on_13("true"), healthy, "a failed date keeps what was there");
        run("--empty-figures");
        let figure = match job {
            "team-defense-zones" => "defensive_rating_last_15",
            "player-shot-zones" => "paint_rate_last_10",
            "composite-factors" => "shot_zone_mismatch_score",
            "daily-cache" => "points_avg_last_10",
            _ => "feature_quality_score",
        };
        assert_eq!(on_13(&format!("{figure} IS NOT NULL")), 0, "{job}");
        place.run(&format!("{job} {RANGE}"));
        assert_eq!(on_13("true"), healthy, "{job}");
    }
}

#[test]
fn a_run_resumes_behind_its_last_successful_date() {
    let place = phase_3();
    let range = "--start-date 2024-11-02 --end-date 2024-11-14";
    let state = place.path("progress.json");
    let checkpoint = r#"{"job_name": "team_defense_zone_analysis", "start_date": "2024-11-02",
        "end_date": "2024-11-14", "created_at": "", "last_updated": "",
        "last_successful_date": "2024-11-11", "successful_dates": ["2024-11-11"], "failed_dates": [],
        "skipped_dates": ["2024-11-02"],
        "stats": {"total_days": 13, "processed": 2, "successful": 1, "failed": 0, "skipped": 1}}"#;
    std::fs::write(&state, checkpoint).expect("a checkpoint");
    let ran = place.run(&format!(
        "team-defense-zones {range} --checkpoint {}",
        state.display()
    ));
    assert!(
        ran.says("INFO:__main__:RESUMING from checkpoint: 2024-11-12"),
        "{}",
        ran.log
    );
    assert!(ran.says("CHECKPOINT STATUS: team_defense_zone_analysis"));
    assert!(ran.says("INFO:__main__:Processing 3 game dates (of 12 total game dates)"));
    assert!(ran.says("INFO:__main__:Processing game date 10/12: 2024-11-12"));
}

#[test]
fn a_dry_run_looks_and_writes_nothing() {
    let place = phase_3();
    place.run(&format!("team-defense-zones {RANGE}"));
    place.run(&format!("player-shot-zones {RANGE}"));
    let ran = place.run(&format!("composite-factors {RANGE} --dry-run"));
    assert_eq!(
        ran.lines("INFO:__main__:  ✓ Dry run: deps OK").count(),
        9,
        "{}",
        ran.log
    );
    let rows = "SELECT count(*) FROM player_composite_factors";
    assert_eq!(count(&place, "nba_precompute", rows), 0);
}

#[test]
fn single_dates_are_told_in_each_jobs_own_way() {
    let place = phase_3();
    for (job, ..) in JOBS {
        place.run(&format!("{job} {RANGE}"));
    }
    let dates = "--dates 2024-11-04,2024-11-12,2024-11-13 --fail-dates 2024-11-13";
    let told = [
        ("team-defense-zones", "INFO:__main__:  ✓ Success: 30 teams"),
        (
            "player-shot-zones",
            "INFO:__main__:Summary: 1 success, 1 skipped, 1 failed",
        ),
        (
            "composite-factors",
            "INFO:__main__:2024-11-04: skipped_bootstrap",
        ),
        ("daily-cache", "INFO:__main__:2024-11-12: success"),
        ("feature-store", "ERROR:__main__:  ✗ 2024-11-13: Failed"),
    ];
    for (job, line) in told {
        let ran = place.run(&format!("{job} {dates}"));
        assert!(ran.says(line), "{job}: {}", ran.log);
    }
}
