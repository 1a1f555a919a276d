//! What a healthy job of phase 3 writes for a game. A team's figures are the sums of its players'
//! figures.

use rusqlite::types::Value;

use crate::hash::Hash;
use crate::job::{Job, PLAYERS, TEAM_OFFENSE};
use crate::schedule::Game;
use crate::table::{Row, text};

/// Players under contract with one team.
const ROSTER: [&str; 17] = [
    "Aaron", "Ben", "Caleb", "Darius", "Eli", "Felix", "Gabe", "Hugo", "Isaac", "Jalen", "Kofi",
    "Luka", "Marcus", "Noah", "Omar", "Paolo", "Quinn",
];

/// The figures of a player, or of a team, in the order of [`COLUMNS`].
type Figures = [i64; 14];

/// Their columns in the table of players, of offenses and of defenses; `""` if there is none.
const COLUMNS: [[&str; 3]; 14] = [
    ["fg_makes", "fg_makes", "opp_fg_makes"],
    ["fg_attempts", "fg_attempts", "opp_fg_attempts"],
    ["three_pt_makes", "three_pt_makes", "opp_three_pt_makes"],
    [
        "three_pt_attempts",
        "three_pt_attempts",
        "opp_three_pt_attempts",
    ],
    ["ft_makes", "ft_makes", "opp_ft_makes"],
    ["ft_attempts", "ft_attempts", "opp_ft_attempts"],
    ["paint_makes", "team_paint_makes", ""],
    [
        "paint_attempts",
        "team_paint_attempts",
        "opp_paint_attempts",
    ],
    [
        "mid_range_attempts",
        "team_mid_range_attempts",
        "opp_mid_range_attempts",
    ],
    ["assists", "assists", "opp_assists"],
    ["offensive_rebounds", "", ""],
    ["defensive_rebounds", "", ""],
    ["turnovers", "turnovers", "turnovers_forced"],
    ["personal_fouls", "personal_fouls", ""],
];
const FT_MAKES: usize = 4;
const FT_ATTEMPTS: usize = 5;
/// The figures of the shot zones.
const ZONES: std::ops::RangeInclusive<usize> = 6..=8;
const OFFENSIVE_REBOUNDS: usize = 10;
const DEFENSIVE_REBOUNDS: usize = 11;
const TURNOVERS: usize = 12;

fn drawn(hash: &mut Hash) -> Figures {
    let mut upto = |high| hash.between(0, high);
    let (two_makes, two_misses) = (2 + upto(3), upto(5));
    let (three_makes, three_misses) = (upto(2), upto(3));
    let (ft_makes, ft_misses) = (upto(4), upto(1));
    let (paint_makes, paint_misses) = (upto(two_makes), upto(two_misses));
    let (twos, threes) = (two_makes + two_misses, three_makes + three_misses);
    [
        two_makes + three_makes,
        twos + threes,
        three_makes,
        threes,
        ft_makes,
        ft_makes + ft_misses,
        paint_makes,
        paint_makes + paint_misses,
        twos - paint_makes - paint_misses,
        upto(5),
        upto(2),
        upto(6),
        upto(3),
        upto(4),
    ]
}

fn points(figures: &Figures) -> i64 {
    2 * figures[0] + figures[2] + figures[FT_MAKES]
}

/// The usual estimate of a team's possessions.
fn possessions(figures: &Figures) -> f64 {
    let lost = figures[TURNOVERS] - figures[OFFENSIVE_REBOUNDS];
    figures[1] as f64 + 0.44 * figures[FT_ATTEMPTS] as f64 + lost as f64
}

/// One team's part of a game.
struct Side {
    team: &'static str,
    opponent: &'static str,
    is_home: bool,
    /// Who was dressed; a player without figures did not play.
    lines: Vec<(usize, Option<Figures>)>,
    totals: Figures,
}

impl Side {
    fn of(game: &Game, is_home: bool) -> Self {
        let (team, opponent, played) = match is_home {
            true => (game.home, game.away, game.played[1]),
            false => (game.away, game.home, game.played[0]),
        };
        let mut hash = game.hash(team);
        let dressed = hash.between(13, 15) as usize;
        // The first of the roster play more often than the last, and everyone plays at times.
        let mut rank = |slot: usize| (6 * slot as i64 + hash.between(0, 70), slot);
        let mut order: Vec<(i64, usize)> = (0..ROSTER.len()).map(&mut rank).collect();
        order.sort_unstable();
        let slots = order.into_iter().map(|(_, slot)| slot).take(dressed);
        let line = |(rank, slot)| {
            let mut hash = game.hash(&lookup(team, slot));
            (slot, (rank < played).then(|| drawn(&mut hash)))
        };
        let lines: Vec<_> = slots.enumerate().map(line).collect();
        let mut totals = Figures::default();
        for figures in lines.iter().filter_map(|(_, figures)| figures.as_ref()) {
            for (sum, figure) in totals.iter_mut().zip(figures) {
                *sum += figure;
            }
        }
        Self {
            team,
            opponent,
            is_home,
            lines,
            totals,
        }
    }
}

/// The rows of a game, the home team first; no game is a draw.
pub(crate) fn of(job: &Job, game: &Game) -> Vec<Row> {
    let (home, mut away) = (Side::of(game, true), Side::of(game, false));
    if points(&home.totals) == points(&away.totals)
        && let Some((_, Some(figures))) = away.lines.first_mut()
    {
        for figures in [figures, &mut away.totals] {
            figures[FT_MAKES] += 1;
            figures[FT_ATTEMPTS] += 1;
        }
    }
    let mut rows = Vec::new();
    for (own, other) in [(&home, &away), (&away, &home)] {
        if job.is(&PLAYERS) {
            let won = points(&own.totals) > points(&other.totals);
            let lines = own.lines.iter();
            rows.extend(lines.map(|(slot, figures)| player(game, own, *slot, figures, won)));
        } else if job.is(&TEAM_OFFENSE) {
            rows.push(offense(game, own, other));
        } else {
            rows.push(defense(game, own, other));
        }
    }
    rows
}

/// The columns that all three tables have.
fn common(game: &Game, team_column: &'static str, side: &Side) -> Row {
    vec![
        ("game_id", text(game.game_id())),
        (team_column, text(side.team)),
        ("opponent_team_abbr", text(side.opponent)),
        ("season_year", i64::from(game.season).into()),
    ]
}

/// The columns that both team tables have.
fn result(game: &Game, own: &Side, other: &Side) -> Row {
    let margin = points(&own.totals) - points(&other.totals);
    vec![
        ("home_game", own.is_home.into()),
        ("win_flag", (margin > 0).into()),
        ("margin_of_victory", margin.into()),
        ("overtime_periods", overtimes(game).into()),
    ]
}

/// The figures under their names in a table; those of the zones need play-by-play data.
fn figures(game: &Game, table: usize, figures: Option<&Figures>) -> Row {
    let columns = COLUMNS.iter().map(|columns| columns[table]).enumerate();
    let columns = columns.filter(|(_, column)| !column.is_empty());
    let known = |index: &usize| !ZONES.contains(index) || has_zones(game);
    let value = |index: usize| figures.filter(|_| known(&index)).map(|all| all[index]);
    columns
        .map(|(index, column)| (column, value(index).into()))
        .collect()
}

fn offense(game: &Game, own: &Side, other: &Side) -> Row {
    let totals = &own.totals;
    let rebounds = totals[OFFENSIVE_REBOUNDS] + totals[DEFENSIVE_REBOUNDS];
    let mut row = common(game, "team_abbr", own);
    row.extend(result(game, own, other));
    row.extend(figures(game, 1, Some(totals)));
    row.extend([
        ("nba_game_id", text(&game.nba_game_id)),
        ("points_scored", points(totals).into()),
        ("rebounds", rebounds.into()),
        ("offensive_rating", rating(totals).into()),
        ("pace", pace(game, totals).into()),
        ("possessions", (possessions(totals).round() as i64).into()),
        ("shot_zones_available", has_zones(game).into()),
    ]);
    let mut hash = game.hash(&format!("offense {}", own.team));
    row.extend(quality(&mut hash, &[], "nbac_team_boxscore"));
    row
}

fn defense(game: &Game, own: &Side, other: &Side) -> Row {
    let allowed = &other.totals;
    let rebounds = allowed[OFFENSIVE_REBOUNDS] + allowed[DEFENSIVE_REBOUNDS];
    let mut row = common(game, "defending_team_abbr", own);
    row.extend(result(game, own, other));
    row.extend(figures(game, 2, Some(allowed)));
    row.extend([
        ("points_allowed", points(allowed).into()),
        ("opp_rebounds", rebounds.into()),
        ("defensive_rebounds", own.totals[DEFENSIVE_REBOUNDS].into()),
        ("defensive_rating", rating(allowed).into()),
        ("opponent_pace", pace(game, allowed).into()),
    ]);
    let mut hash = game.hash(&format!("defense {}", own.team));
    row.extend(quality(&mut hash, &[], "nbac_team_boxscore"));
    row
}

fn player(game: &Game, side: &Side, slot: usize, figures: &Option<Figures>, won: bool) -> Row {
    let lookup = lookup(side.team, slot);
    let mut hash = game.hash(&format!("row {lookup}"));
    // The sources have small holes, as the real ones do.
    let has_minutes = figures.is_some() && !hash.chance(2);
    let has_usage = has_minutes && !hash.chance(11);
    let minutes = hash.between(60, 380) as f64 / 10.0;
    let usage = hash.between(800, 3_200) as f64 / 100.0;
    let mut row = common(game, "team_abbr", side);
    row.extend([
        ("player_lookup", text(&lookup)),
        ("universal_player_id", text(format!("{lookup}_001"))),
        (
            "player_full_name",
            text(format!("{} {}", ROSTER[slot], side.team)),
        ),
        ("points", figures.as_ref().map(points).into()),
        ("minutes_played", has_minutes.then_some(minutes).into()),
        ("usage_rate", has_usage.then_some(usage).into()),
        ("has_complete_shot_zones", has_zones(game).into()),
        ("starter_flag", (slot < 5 && figures.is_some()).into()),
        ("win_flag", won.into()),
        ("is_active", figures.is_some().into()),
        ("is_dnp", figures.is_none().into()),
    ]);
    row.extend(self::figures(game, 0, figures.as_ref()));
    let issues: &[&str] = match has_zones(game) {
        true => &[],
        false => &["shot_zones_unavailable"],
    };
    row.extend(quality(&mut hash, issues, "nbac_gamebook"));
    row
}

/// `aaronatl`: the name as other tables join on it; no two players share one.
fn lookup(team: &str, slot: usize) -> String {
    format!("{}{team}", ROSTER[slot]).to_lowercase()
}

/// Whether the game has play-by-play data.
fn has_zones(game: &Game) -> bool {
    game.hash("zones").chance(870)
}

/// Extra periods of five minutes.
fn overtimes(game: &Game) -> i64 {
    i64::from(game.hash("overtime").chance(60))
}

fn rating(figures: &Figures) -> f64 {
    let rating = 100.0 * points(figures) as f64 / possessions(figures);
    (rating * 100.0).round() / 100.0
}

fn pace(game: &Game, figures: &Figures) -> f64 {
    let minutes = 48.0 + 5.0 * overtimes(game) as f64;
    (possessions(figures) * 480.0 / minutes).round() / 10.0
}

fn quality(hash: &mut Hash, issues: &[&str], source: &str) -> [(&'static str, Value); 7] {
    let (tier, low, high) = match hash.between(0, 999) {
        0..=899 => ("gold", 950, 1_000),
        900..=980 => ("silver", 850, 940),
        _ => ("bronze", 710, 830),
    };
    let mut issues = issues.to_vec();
    if tier != "gold" {
        issues.push("backup_source_used");
    }
    let source = match tier {
        "gold" => source,
        _ => "espn_boxscore",
    };
    let score = hash.between(low, high) as f64 / 10.0;
    let list = |names: Vec<&str>| text(serde_json::Value::from(names).to_string());
    [
        ("data_quality_tier", text(tier)),
        ("primary_source_used", text(source)),
        ("quality_tier", text(tier)),
        ("quality_score", score.into()),
        ("quality_issues", list(issues)),
        ("data_sources", list(vec![source])),
        ("is_production_ready", (tier != "bronze").into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::TEAM_DEFENSE;
    use crate::schedule::Schedule;
    use crate::table::cell;

    #[test]
    fn a_game_is_the_same_every_time_and_adds_up() {
        for game in Schedule::load().games().iter().step_by(29) {
            let teams = of(&TEAM_OFFENSE, game);
            assert_eq!(teams, of(&TEAM_OFFENSE, game));
            let points = |row: &Row, column| match cell(row, column) {
                Some(Value::Integer(points)) => *points,
                _ => 0,
            };
            let scored = [0, 1].map(|at| points(&teams[at], "points_scored"));
            assert_ne!(scored[0], scored[1], "no draws");
            let players = of(&PLAYERS, game);
            let sum: i64 = players.iter().map(|row| points(row, "points")).sum();
            assert_eq!(sum, scored[0] + scored[1]);
            let allowed = of(&TEAM_DEFENSE, game);
            assert_eq!(points(&allowed[0], "points_allowed"), scored[1]);
            let played = players
                .iter()
                .filter(|row| cell(row, "points") != Some(&Value::Null));
            assert_eq!(played.count(), game.played[0] + game.played[1]);
        }
    }
}
