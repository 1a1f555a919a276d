//! From box scores to table rows: what a healthy job writes for a date.

mod defense;

use crate::boxscore::{BoxScore, Line, Side, Stats};
use crate::dice::Dice;
use crate::job::Job;
use crate::league::TEAMS;
use crate::schedule::Game;
use crate::tables::{PlayerRow, Quality, Rows, TeamRow};

/// The healthy rows of one date's games.
pub fn of_games(job: Job, games: &[Game]) -> Rows {
    match job {
        Job::TeamOffense => Rows::Teams(games.iter().flat_map(team_rows).collect()),
        Job::TeamDefense => Rows::Defenses(games.iter().flat_map(defense::rows).collect()),
        Job::PlayerSummary => Rows::Players(games.iter().flat_map(player_rows).collect()),
    }
}

fn names(game: &Game, home: bool) -> (&'static str, &'static str) {
    let (home_abbr, away_abbr) = (TEAMS[usize::from(game.home)], TEAMS[usize::from(game.away)]);
    if home {
        (home_abbr, away_abbr)
    } else {
        (away_abbr, home_abbr)
    }
}

fn team_rows(game: &Game) -> [TeamRow; 2] {
    let score = BoxScore::of(game);
    [true, false].map(|home| {
        let (own, other) = if home {
            (&score.home, &score.away)
        } else {
            (&score.away, &score.home)
        };
        let (team_abbr, opponent_team_abbr) = names(game, home);
        let totals = &own.totals;
        let possessions = totals.possessions();
        TeamRow {
            game_id: game.game_id(),
            nba_game_id: game.nba_game_id.clone(),
            season_year: game.season,
            team_abbr,
            opponent_team_abbr,
            is_home: home,
            points_scored: totals.points(),
            fg_makes: totals.fg_makes,
            fg_attempts: totals.fg_attempts,
            three_pt_makes: totals.three_makes,
            three_pt_attempts: totals.three_attempts,
            ft_makes: totals.ft_makes,
            ft_attempts: totals.ft_attempts,
            rebounds: totals.offensive_rebounds + totals.defensive_rebounds,
            assists: totals.assists,
            turnovers: totals.turnovers,
            offensive_rating: to_places(100.0 * f64::from(totals.points()) / possessions, 100.0),
            pace: to_places(possessions * 2_400.0 / f64::from(totals.tenths), 10.0),
            possessions: possessions.round() as i64,
            margin_of_victory: i64::from(totals.points()) - i64::from(other.totals.points()),
            overtime_periods: score.overtimes,
            quality: team_quality(game.dice(42 + u64::from(home))),
        }
    })
}

fn player_rows(game: &Game) -> Vec<PlayerRow> {
    let score = BoxScore::of(game);
    let mut rows = Vec::with_capacity(28);
    for (home, side) in [(true, &score.home), (false, &score.away)] {
        for line in &side.lines {
            rows.push(player_row(game, home, side, line, score.has_zones));
        }
    }
    rows
}

fn player_row(game: &Game, home: bool, side: &Side, line: &Line, has_zones: bool) -> PlayerRow {
    let (team_abbr, opponent_team_abbr) = names(game, home);
    let mut dice = Dice::of(&[
        game.dice(41).bits(),
        u64::from(line.player.team),
        u64::from(line.player.slot),
    ]);
    // The sources have small holes, as the real ones do.
    let has_minutes = !dice.chance(0.002);
    let has_usage = has_minutes && !dice.chance(0.011);
    let stats = line.stats.as_ref();
    let count = |value: fn(&Stats) -> u32| stats.map(value);
    let zone = |value: fn(&Stats) -> u32| stats.filter(|_| has_zones).map(value);
    PlayerRow {
        player_lookup: line.player.lookup(),
        player_full_name: line.player.full_name(),
        game_id: game.game_id(),
        season_year: game.season,
        team_abbr,
        opponent_team_abbr,
        points: count(Stats::points),
        minutes_played: stats
            .filter(|_| has_minutes)
            .map(|stats| f64::from(stats.tenths) / 10.0),
        usage_rate: stats
            .filter(|_| has_usage)
            .and_then(|stats| stats.usage_rate(&side.totals))
            .map(|rate| to_places(rate, 100.0)),
        paint_attempts: zone(|stats| stats.paint_attempts),
        mid_range_attempts: zone(Stats::mid_range_attempts),
        fg_makes: count(|stats| stats.fg_makes),
        fg_attempts: count(|stats| stats.fg_attempts),
        three_pt_makes: count(|stats| stats.three_makes),
        three_pt_attempts: count(|stats| stats.three_attempts),
        ft_makes: count(|stats| stats.ft_makes),
        ft_attempts: count(|stats| stats.ft_attempts),
        rebounds: count(|stats| stats.offensive_rebounds + stats.defensive_rebounds),
        assists: count(|stats| stats.assists),
        turnovers: count(|stats| stats.turnovers),
        is_active: stats.is_some(),
        quality: player_quality(&mut dice, has_zones),
    }
}

fn team_quality(mut dice: Dice) -> Quality {
    match dice.unit() {
        luck if luck < 0.885 => {
            graded("gold", dice.around(97.5, 2.5), &[], &["nbac_team_boxscore"])
        }
        luck if luck < 0.975 => {
            let sources = &["reconstructed_from_players"];
            graded(
                "silver",
                dice.around(89.5, 4.5),
                &["backup_source_used"],
                sources,
            )
        }
        _ => {
            let sources = &["reconstructed_from_players", "espn_boxscore"];
            graded(
                "bronze",
                dice.around(77.0, 6.0),
                &["backup_source_used", "thin_sample"],
                sources,
            )
        }
    }
}

fn player_quality(dice: &mut Dice, has_zones: bool) -> Quality {
    let zones: &[&'static str] = if has_zones {
        &[]
    } else {
        &["shot_zones_unavailable"]
    };
    match dice.unit() {
        luck if luck < 0.935 => graded("gold", dice.around(97.5, 2.5), zones, &["nbac_gamebook"]),
        luck if luck < 0.987 => graded("silver", dice.around(89.5, 4.5), zones, &["bdl_boxscores"]),
        _ => graded(
            "bronze",
            dice.around(77.0, 6.0),
            &["backup_source_used"],
            &["espn_boxscore"],
        ),
    }
}

fn graded(
    tier: &'static str,
    score: f64,
    issues: &[&'static str],
    sources: &[&'static str],
) -> Quality {
    Quality {
        tier,
        score: to_places(score, 10.0),
        issues: issues.to_vec(),
        sources: sources.to_vec(),
        production_ready: tier != "bronze",
    }
}

fn to_places(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}
