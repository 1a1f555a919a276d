//! What a team allowed its opponent: the opponent's figures, seen from the other side.

use super::{names, team_quality, to_places};
use crate::boxscore::BoxScore;
use crate::schedule::Game;
use crate::tables::DefenseRow;

pub(super) fn rows(game: &Game) -> [DefenseRow; 2] {
    let score = BoxScore::of(game);
    [true, false].map(|home| {
        let (own, other) = if home {
            (&score.home, &score.away)
        } else {
            (&score.away, &score.home)
        };
        let (defending_team_abbr, opponent_team_abbr) = names(game, home);
        let allowed = &other.totals;
        let possessions = allowed.possessions();
        let zone = |attempts: u32| score.has_zones.then_some(attempts);
        DefenseRow {
            game_id: game.game_id(),
            defending_team_abbr,
            opponent_team_abbr,
            season_year: game.season,
            points_allowed: allowed.points(),
            opp_fg_attempts: allowed.fg_attempts,
            opp_fg_makes: allowed.fg_makes,
            opp_three_pt_attempts: allowed.three_attempts,
            opp_three_pt_makes: allowed.three_makes,
            opp_ft_attempts: allowed.ft_attempts,
            opp_ft_makes: allowed.ft_makes,
            opp_rebounds: allowed.offensive_rebounds + allowed.defensive_rebounds,
            opp_assists: allowed.assists,
            turnovers_forced: allowed.turnovers,
            opp_paint_attempts: zone(allowed.paint_attempts),
            opp_mid_range_attempts: zone(allowed.mid_range_attempts()),
            defensive_rebounds: own.totals.defensive_rebounds,
            defensive_rating: to_places(100.0 * f64::from(allowed.points()) / possessions, 100.0),
            opponent_pace: to_places(possessions * 2_400.0 / f64::from(allowed.tenths), 10.0),
            home_game: home,
            margin_of_victory: i64::from(own.totals.points()) - i64::from(allowed.points()),
            overtime_periods: score.overtimes,
            quality: team_quality(game.dice(44 + u64::from(home))),
        }
    })
}
