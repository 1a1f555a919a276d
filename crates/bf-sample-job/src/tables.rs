//! The rows of the analytics tables, and how they are stored.
//!
//! The columns are those of the real tables that the checks read, and the ones a person
//! would look at beside them. No table has a key: a job that writes twice must be able
//! to leave duplicates. The one index stands for the date partition of the real tables.

mod defense;

use chrono::NaiveDate;
use rusqlite::{Connection, params};

pub use defense::DefenseRow;

/// Creates what is missing in `nba_analytics.db`.
pub const ANALYTICS_TABLES: &str = "
CREATE TABLE IF NOT EXISTS team_offense_game_summary (
  game_id TEXT NOT NULL, nba_game_id TEXT, game_date TEXT NOT NULL, season_year INTEGER NOT NULL,
  team_abbr TEXT NOT NULL, opponent_team_abbr TEXT NOT NULL, is_home INTEGER NOT NULL,
  points_scored INTEGER, fg_makes INTEGER, fg_attempts INTEGER,
  three_pt_makes INTEGER, three_pt_attempts INTEGER, ft_makes INTEGER, ft_attempts INTEGER,
  rebounds INTEGER, assists INTEGER, turnovers INTEGER,
  offensive_rating REAL, pace REAL, possessions INTEGER,
  win_flag INTEGER, margin_of_victory INTEGER, overtime_periods INTEGER,
  quality_tier TEXT, quality_score REAL, quality_issues TEXT, data_sources TEXT,
  is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS team_offense_game_summary_by_date ON team_offense_game_summary (game_date);
CREATE TABLE IF NOT EXISTS team_defense_game_summary (
  game_id TEXT NOT NULL, game_date TEXT NOT NULL, defending_team_abbr TEXT NOT NULL,
  opponent_team_abbr TEXT NOT NULL, season_year INTEGER NOT NULL,
  points_allowed INTEGER, opp_fg_attempts INTEGER, opp_fg_makes INTEGER,
  opp_three_pt_attempts INTEGER, opp_three_pt_makes INTEGER,
  opp_ft_attempts INTEGER, opp_ft_makes INTEGER,
  opp_rebounds INTEGER, opp_assists INTEGER, turnovers_forced INTEGER,
  opp_paint_attempts INTEGER, opp_mid_range_attempts INTEGER, defensive_rebounds INTEGER,
  defensive_rating REAL, opponent_pace REAL, home_game INTEGER NOT NULL,
  win_flag INTEGER NOT NULL, margin_of_victory INTEGER, overtime_periods INTEGER,
  quality_tier TEXT, quality_score REAL, quality_issues TEXT, data_sources TEXT,
  is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS team_defense_game_summary_by_date ON team_defense_game_summary (game_date);
CREATE TABLE IF NOT EXISTS player_game_summary (
  player_lookup TEXT NOT NULL, player_full_name TEXT, game_id TEXT NOT NULL,
  game_date TEXT NOT NULL, season_year INTEGER NOT NULL,
  team_abbr TEXT NOT NULL, opponent_team_abbr TEXT NOT NULL,
  points INTEGER, minutes_played REAL, usage_rate REAL,
  paint_attempts INTEGER, mid_range_attempts INTEGER,
  fg_makes INTEGER, fg_attempts INTEGER, three_pt_makes INTEGER, three_pt_attempts INTEGER,
  ft_makes INTEGER, ft_attempts INTEGER, rebounds INTEGER, assists INTEGER, turnovers INTEGER,
  is_active INTEGER NOT NULL,
  quality_tier TEXT, quality_score REAL, quality_issues TEXT, data_sources TEXT,
  is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS player_game_summary_by_date ON player_game_summary (game_date);
";

/// Creates what is missing in `nba_reference.db`.
pub const REFERENCE_TABLES: &str = "
CREATE TABLE IF NOT EXISTS nba_schedule (
  game_id TEXT NOT NULL, nba_game_id TEXT, game_date TEXT NOT NULL, season_year INTEGER NOT NULL,
  home_team_abbr TEXT NOT NULL, away_team_abbr TEXT NOT NULL,
  game_status INTEGER, game_status_text TEXT, is_playoffs INTEGER
);
";

/// What the job says about the quality of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// `gold`, `silver`, `bronze`, `poor` or `unusable`.
    pub tier: &'static str,
    /// 0 to 100.
    pub score: f64,
    /// Names of the issues found.
    pub issues: Vec<&'static str>,
    /// Where the figures came from.
    pub sources: Vec<&'static str>,
    /// Whether predictions may use the row.
    pub production_ready: bool,
}

/// A row of `team_offense_game_summary`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the columns of the table, named as they are")]
pub struct TeamRow {
    pub game_id: String,
    pub nba_game_id: String,
    pub season_year: u16,
    pub team_abbr: &'static str,
    pub opponent_team_abbr: &'static str,
    pub is_home: bool,
    pub points_scored: u32,
    pub fg_makes: u32,
    pub fg_attempts: u32,
    pub three_pt_makes: u32,
    pub three_pt_attempts: u32,
    pub ft_makes: u32,
    pub ft_attempts: u32,
    pub rebounds: u32,
    pub assists: u32,
    pub turnovers: u32,
    pub offensive_rating: f64,
    pub pace: f64,
    pub possessions: i64,
    pub margin_of_victory: i64,
    pub overtime_periods: u32,
    pub quality: Quality,
}

/// A row of `player_game_summary`; `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the columns of the table, named as they are")]
pub struct PlayerRow {
    pub player_lookup: String,
    pub player_full_name: String,
    pub game_id: String,
    pub season_year: u16,
    pub team_abbr: &'static str,
    pub opponent_team_abbr: &'static str,
    pub points: Option<u32>,
    pub minutes_played: Option<f64>,
    pub usage_rate: Option<f64>,
    pub paint_attempts: Option<u32>,
    pub mid_range_attempts: Option<u32>,
    pub fg_makes: Option<u32>,
    pub fg_attempts: Option<u32>,
    pub three_pt_makes: Option<u32>,
    pub three_pt_attempts: Option<u32>,
    pub ft_makes: Option<u32>,
    pub ft_attempts: Option<u32>,
    pub rebounds: Option<u32>,
    pub assists: Option<u32>,
    pub turnovers: Option<u32>,
    pub is_active: bool,
    pub quality: Quality,
}

/// The rows of one date, of any of the tables.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// For `team_offense_game_summary`.
    Teams(Vec<TeamRow>),
    /// For `team_defense_game_summary`.
    Defenses(Vec<DefenseRow>),
    /// For `player_game_summary`.
    Players(Vec<PlayerRow>),
}

impl Rows {
    /// The table they belong to.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Teams(_) => "team_offense_game_summary",
            Self::Defenses(_) => "team_defense_game_summary",
            Self::Players(_) => "player_game_summary",
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Teams(rows) => rows.len(),
            Self::Defenses(rows) => rows.len(),
            Self::Players(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds them to their table.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn insert(
        &self,
        db: &Connection,
        date: NaiveDate,
        processed_at: &str,
    ) -> rusqlite::Result<()> {
        let date = date.to_string();
        match self {
            Self::Teams(rows) => insert_teams(db, rows, &date, processed_at),
            Self::Defenses(rows) => defense::insert(db, rows, &date, processed_at),
            Self::Players(rows) => insert_players(db, rows, &date, processed_at),
        }
    }
}

fn json_list(names: &[&str]) -> String {
    serde_json::Value::from(names).to_string()
}

fn insert_teams(
    db: &Connection,
    rows: &[TeamRow],
    date: &str,
    processed_at: &str,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO team_offense_game_summary VALUES
         (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    for row in rows {
        insert.execute(params![
            row.game_id,
            row.nba_game_id,
            date,
            row.season_year,
            row.team_abbr,
            row.opponent_team_abbr,
            row.is_home,
            row.points_scored,
            row.fg_makes,
            row.fg_attempts,
            row.three_pt_makes,
            row.three_pt_attempts,
            row.ft_makes,
            row.ft_attempts,
            row.rebounds,
            row.assists,
            row.turnovers,
            row.offensive_rating,
            row.pace,
            row.possessions,
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

fn insert_players(
    db: &Connection,
    rows: &[PlayerRow],
    date: &str,
    processed_at: &str,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO player_game_summary VALUES
         (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    for row in rows {
        insert.execute(params![
            row.player_lookup,
            row.player_full_name,
            row.game_id,
            date,
            row.season_year,
            row.team_abbr,
            row.opponent_team_abbr,
            row.points,
            row.minutes_played,
            row.usage_rate,
            row.paint_attempts,
            row.mid_range_attempts,
            row.fg_makes,
            row.fg_attempts,
            row.three_pt_makes,
            row.three_pt_attempts,
            row.ft_makes,
            row.ft_attempts,
            row.rebounds,
            row.assists,
            row.turnovers,
            row.is_active,
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
