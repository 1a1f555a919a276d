//! What a healthy run writes.

use rusqlite::types::Value;

use crate::support::Place;

const ALL_TEAMS: &str = "team-offense --start-date 2021-10-19 --end-date 2026-01-02 --no-resume";
const ALL_PLAYERS: &str = "player-summary --start-date 2024-05-01 --end-date 2026-01-02 --parallel --workers 15 --no-resume";

/// Share of one number in another, in percent.
fn share(place: &Place, part: &str, table: &str, of: &str) -> f64 {
    let sql = format!("SELECT {part}, {of} FROM {table}");
    match place.row("nba_analytics", &sql).as_slice() {
        [Value::Integer(part), Value::Integer(whole)] => *part as f64 / *whole as f64 * 100.0,
        other => panic!("{sql}: {other:?}"),
    }
}

fn average(place: &Place, column: &str, table: &str) -> f64 {
    match place
        .row(
            "nba_analytics",
            &format!("SELECT avg({column}) FROM {table}"),
        )
        .as_slice()
    {
        [Value::Real(average)] => *average,
        other => panic!("{column}: {other:?}"),
    }
}

#[test]
fn a_full_run_of_both_jobs_has_the_documented_counts_and_passes_the_documented_thresholds() {
    let place = Place::new();
    assert_eq!(place.run(ALL_TEAMS).code, 0);
    assert_eq!(place.run(ALL_PLAYERS).code, 0);

    let (teams, players) = ("team_offense_game_summary", "player_game_summary");
    assert_eq!(
        place.number(&format!("SELECT count(DISTINCT game_id) FROM {teams}")),
        5_798
    );
    assert_eq!(
        place.number(&format!("SELECT count(*) FROM {teams}")),
        11_596
    );
    assert_eq!(
        place.number(&format!("SELECT count(points) FROM {players}")),
        38_547
    );
    let idle = place.number(&format!(
        "SELECT count(*) FROM {players} WHERE points IS NULL"
    ));
    assert!(idle > 5_000, "{idle} players did not play");

    let per_game = format!("SELECT count(*) FROM {teams} GROUP BY game_id");
    let uneven = place.number(&format!(
        "SELECT count(*) FROM ({per_game} HAVING count(*) <> 2)"
    ));
    assert_eq!(uneven, 0);

    assert!(average(&place, "quality_score", teams) >= 80.0);
    assert!(average(&place, "quality_score", players) >= 80.0);
    assert!(share(&place, "sum(is_production_ready)", teams, "count(*)") >= 90.0);
    assert!(share(&place, "sum(is_production_ready)", players, "count(*)") >= 96.5);
    let played = |column: &str| {
        share(
            &place,
            &format!("count({column})"),
            players,
            "count(points)",
        )
    };
    assert!((99.3..100.0).contains(&played("minutes_played")));
    assert!((96.5..100.0).contains(&played("usage_rate")));
    assert!((60.0..95.0).contains(&played("paint_attempts")));
    for table in [teams, players] {
        let blocked =
            "quality_issues LIKE '%all_sources_failed%' OR quality_issues LIKE '%missing_required%'
                       OR quality_issues LIKE '%placeholder_created%'";
        assert_eq!(
            place.number(&format!("SELECT count(*) FROM {table} WHERE {blocked}")),
            0
        );
        let tiers = place.number(&format!("SELECT count(DISTINCT quality_tier) FROM {table}"));
        assert_eq!(tiers, 3, "{table}");
    }
}

#[test]
fn the_points_of_a_team_are_those_of_its_players() {
    let place = Place::new();
    let range = "--start-date 2025-01-01 --end-date 2025-02-28 --no-resume";
    place.run(&format!("team-offense {range}"));
    place.run(&format!("player-summary {range}"));
    let joined = "FROM team_offense_game_summary JOIN (
        SELECT game_id, team_abbr, sum(points) AS points, sum(fg_attempts) AS fga, sum(turnovers) AS lost
        FROM player_game_summary GROUP BY game_id, team_abbr) USING (game_id, team_abbr)";
    let all = place.number("SELECT count(*) FROM team_offense_game_summary");
    let equal = place.number(&format!(
        "SELECT count(*) {joined} WHERE points_scored = points AND fg_attempts = fga AND turnovers = lost"
    ));
    assert!(all > 500);
    assert_eq!(equal, all);
}

#[test]
fn the_same_range_gives_the_same_rows_however_it_is_run() {
    let (one, other) = (Place::new(), Place::new());
    one.run("player-summary --start-date 2024-11-01 --end-date 2024-11-30");
    other
        .run("player-summary --start-date 2024-11-01 --end-date 2024-11-30 --parallel --workers 4");
    other.run("player-summary --start-date 2024-11-01 --end-date 2024-11-30 --no-resume");
    let columns = "player_lookup, player_full_name, game_id, game_date, season_year, team_abbr, opponent_team_abbr,
        points, minutes_played, usage_rate, paint_attempts, mid_range_attempts, fg_makes, fg_attempts, three_pt_makes,
        three_pt_attempts, ft_makes, ft_attempts, rebounds, assists, turnovers, is_active, quality_tier, quality_score,
        quality_issues, data_sources, is_production_ready";
    let sql = format!("SELECT {columns} FROM player_game_summary ORDER BY game_id, player_lookup");
    let rows = one.rows("nba_analytics", &sql);
    assert!(rows.len() > 2_000);
    assert!(rows == other.rows("nba_analytics", &sql), "the rows differ");
}

#[test]
fn init_writes_the_schedule_and_the_games_are_those_the_job_writes() {
    let place = Place::new();
    assert_eq!(place.run("init").code, 0);
    assert_eq!(place.run("init").code, 0);
    let games = |sql: &str| place.rows("nba_reference", sql);
    assert_eq!(games("SELECT game_id FROM nba_schedule").len(), 5_798);
    place.run("team-offense --start-date 2023-12-20 --end-date 2023-12-31");
    let home =
        "SELECT game_id, season_year, team_abbr, opponent_team_abbr FROM team_offense_game_summary
                WHERE is_home ORDER BY game_id";
    let planned = "SELECT game_id, season_year, home_team_abbr, away_team_abbr FROM nba_schedule
                   WHERE game_date BETWEEN '2023-12-20' AND '2023-12-31' ORDER BY game_id";
    assert_eq!(place.rows("nba_analytics", home), games(planned));
}

#[test]
fn the_warehouse_is_in_wal_mode_and_readable_while_it_is_there() {
    let place = Place::new();
    place.run("team-offense --start-date 2024-01-01");
    assert_eq!(
        place.row("nba_analytics", "PRAGMA journal_mode"),
        [Value::Text("wal".to_owned())]
    );
}
