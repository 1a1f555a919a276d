//! Every fault does what it says, and nothing else.

use crate::support::Place;

// 2024-01-05 to 2024-01-08 are four days with games.
const TEAMS: &str = "team-offense --start-date 2024-01-05 --end-date 2024-01-08 --no-resume";
const PLAYERS: &str = "player-summary --start-date 2024-01-05 --end-date 2024-01-08 --no-resume";

/// Rows of a table on the sixth and on the other days, for which `condition` holds.
fn counts(place: &Place, table: &str, condition: &str) -> (i64, i64) {
    let count = |days: &str| {
        place.number(&format!(
            "SELECT count(*) FROM {table} WHERE game_date {days} '2024-01-06' AND ({condition})"
        ))
    };
    (count("="), count("<>"))
}

const TEAM_TABLE: &str = "team_offense_game_summary";
const PLAYER_TABLE: &str = "player_game_summary";

#[test]
fn failed_and_exceptional_dates_write_nothing_and_keep_what_was_there() {
    let (healthy, place) = (Place::new(), Place::new());
    healthy.run(TEAMS);
    let (sixth, others) = counts(&healthy, TEAM_TABLE, "true");
    for fault in ["--fail-dates", "--exception-dates"] {
        let ran = place.run(&format!("{TEAMS} {fault} 2024-01-06"));
        assert_eq!(ran.code, 0);
        assert_eq!(counts(&place, TEAM_TABLE, "true"), (0, others), "{fault}");
        assert!(ran.says("INFO:__main__:  Failed days: 1"), "{}", ran.log);
    }
    let again = healthy.run(&format!("{TEAMS} --fail-dates 2024-01-06"));
    assert!(again.says("ERROR:__main__:  ✗ Failed: 2024-01-06"));
    assert_eq!(counts(&healthy, TEAM_TABLE, "true"), (sixth, others));
}

#[test]
fn all_fail_fails_every_date_and_still_exits_0() {
    let place = Place::new();
    for mode in ["", "--parallel --workers 2"] {
        let ran = place.run(&format!("{TEAMS} --all-fail {mode}"));
        assert_eq!(ran.code, 0);
        assert_eq!(ran.lines("ERROR:__main__:  ✗ ").count(), 4, "{}", ran.log);
    }
    assert_eq!(
        place.number(&format!("SELECT count(*) FROM {TEAM_TABLE}")),
        0
    );
}

#[test]
fn rows_that_are_missing_or_doubled_are_not_in_the_log() {
    let healthy = Place::new();
    let truth = healthy.run(TEAMS);
    let (sixth, others) = counts(&healthy, TEAM_TABLE, "true");
    let cases = [
        ("--half-game-dates", sixth - 1),
        ("--fewer-rows-dates", sixth / 4 * 2),
        ("--skip-write-dates", 0),
        ("--duplicate-dates", sixth * 2),
    ];
    for (fault, expected) in cases {
        let place = Place::new();
        let ran = place.run(&format!("{TEAMS} {fault} 2024-01-06"));
        assert_eq!(
            counts(&place, TEAM_TABLE, "true"),
            (expected, others),
            "{fault}"
        );
        let claims = |log: &str| -> Vec<String> {
            log.lines()
                .filter(|line| line.contains('✓'))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(claims(&ran.log), claims(&truth.log), "{fault}");
    }
}

#[test]
fn half_a_game_has_one_of_its_two_teams() {
    let place = Place::new();
    place.run(&format!("{TEAMS} --half-game-dates all"));
    let halves = format!("SELECT game_date FROM {TEAM_TABLE} GROUP BY game_id HAVING count(*) = 1");
    assert_eq!(place.rows("nba_analytics", &halves).len(), 4);
}

#[test]
fn fields_are_emptied_on_the_dates_asked_for_and_on_no_others() {
    let healthy = Place::new();
    healthy.run(PLAYERS);
    let cases = [
        ("--empty-usage", "usage_rate IS NOT NULL"),
        ("--empty-minutes", "minutes_played IS NOT NULL"),
        ("--empty-shot-zones", "paint_attempts IS NOT NULL"),
        ("--low-quality", "quality_score > 50"),
        ("--low-quality", "is_production_ready"),
    ];
    for (fault, filled) in cases {
        let place = Place::new();
        place.run(&format!("{PLAYERS} {fault} 2024-01-06"));
        let (_, others) = counts(&healthy, PLAYER_TABLE, filled);
        assert!(others > 0, "{filled}");
        assert_eq!(counts(&place, PLAYER_TABLE, filled), (0, others), "{fault}");
        assert_eq!(
            counts(&place, PLAYER_TABLE, "true"),
            counts(&healthy, PLAYER_TABLE, "true"),
            "{fault}"
        );
    }
}

#[test]
fn a_blocking_issue_is_in_one_row_of_the_date() {
    for (job, table) in [(TEAMS, TEAM_TABLE), (PLAYERS, PLAYER_TABLE)] {
        let place = Place::new();
        place.run(&format!("{job} --blocking-issue-dates 2024-01-06"));
        let blocked =
            "EXISTS (SELECT 1 FROM json_each(quality_issues) WHERE value = 'missing_required')";
        assert_eq!(counts(&place, table, blocked), (1, 0), "{table}");
    }
}

#[test]
fn usage_depends_on_the_first_job_when_it_is_asked_to() {
    let place = Place::new();
    place.run(&format!("{TEAMS} --skip-write-dates 2024-01-06"));
    place.run(&format!("{PLAYERS} --usage-from-team-table"));
    let (sixth, others) = counts(&place, PLAYER_TABLE, "usage_rate IS NOT NULL");
    assert_eq!(sixth, 0);
    assert!(others > 0);
    place.run(PLAYERS);
    let (sixth, _) = counts(&place, PLAYER_TABLE, "usage_rate IS NOT NULL");
    assert!(sixth > 0);
}

#[test]
fn a_dry_run_and_a_refused_range_leave_nothing_behind() {
    let place = Place::new();
    let dry = place.run(&format!("{TEAMS} --dry-run"));
    assert_eq!(
        (
            dry.code,
            dry.lines("INFO:__main__:  ✓ Dry run complete").count()
        ),
        (0, 4)
    );
    place.run("team-offense --start-date 2024-01-05 --end-date 2999-01-01");
    place.run("team-offense --start-date 2024-01-05 --end-date 2024-01-01");
    assert!(!place.path("nba_analytics.db").exists());
}
