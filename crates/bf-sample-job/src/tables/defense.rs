//! The rows of `team_defense_game_summary`.

use rusqlite::{Connection, params};

use super::{Quality, json_list};

/// A row of `team_defense_game_summary`: what a team allowed its opponent; `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the columns of the table, named as they are")]
pub struct DefenseRow {
    pub game_id: String,
    pub defending_team_abbr: &'static str,
    pub opponent_team_abbr: &'static str,
    pub season_year: u16,
    pub points_allowed: u32,
    pub opp_fg_attempts: u32,
    pub opp_fg_makes: u32,
    pub opp_three_pt_attempts: u32,
    pub opp_three_pt_makes: u32,
    pub opp_ft_attempts: u32,
    pub opp_ft_makes: u32,
    pub opp_rebounds: u32,
    pub opp_assists: u32,
    pub turnovers_forced: u32,
    pub opp_paint_attempts: Option<u32>,
    pub opp_mid_range_attempts: Option<u32>,
    pub defensive_rebounds: u32,
    pub defensive_rating: f64,
    pub opponent_pace: f64,
    pub home_game: bool,
    pub margin_of_victory: i64,
    pub overtime_periods: u32,
    pub quality: Quality,
}

pub(super) fn insert(
    db: &Connection,
    rows: &[DefenseRow],
    date: &str,
    processed_at: &str,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO team_defense_game_summary VALUES
         (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    for row in rows {
        insert.execute(params![
            row.game_id,
            date,
            row.defending_team_abbr,
            row.opponent_team_abbr,
            row.season_year,
            row.points_allowed,
            row.opp_fg_attempts,
            row.opp_fg_makes,
            row.opp_three_pt_attempts,
            row.opp_three_pt_makes,
            row.opp_ft_attempts,
            row.opp_ft_makes,
            row.opp_rebounds,
            row.opp_assists,
            row.turnovers_forced,
            row.opp_paint_attempts,
            row.opp_mid_range_attempts,
            row.defensive_rebounds,
            row.defensive_rating,
            row.opponent_pace,
            row.home_game,
            row.margin_of_victory > 0,
            row.margin_of_victory,
            row.overtime_periods,
            row.quality.tier,
            row.quality.score,
            json_list(&row.quality.issues),
            json_list(&row.quality.sources),
            row.quality.production_ready,
            processed_at,
        ])?;
    }
    Ok(())
}
