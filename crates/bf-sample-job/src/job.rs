//! The jobs: what each fills, and what it is made from.

use crate::table::Table;

/// Which of the pipeline's phases a job belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Phase 3: made from box scores, by calendar days.
    Analytics,
    /// Phase 4: made from the tables before it, by game dates.
    Precompute,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Analytics => "analytics",
            Self::Precompute => "precompute",
        }
    }
}

/// A job. Its name is the one of `words.txt`.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) stage: Stage,
    /// The table that it fills.
    pub(crate) table: Table,
    /// The tables that must have rows of a date before the date can be processed.
    pub(crate) upstream: &'static [Table],
    /// In phase 4 the columns of the key, and the query for a date's keys.
    pub(crate) key_columns: &'static [&'static str],
    pub(crate) keys: &'static str,
}

const OFFENSE: Table = Table::new("nba_analytics", "team_offense_game_summary", "game_date");
const DEFENSE: Table = Table::new("nba_analytics", "team_defense_game_summary", "game_date");
const PLAYER: Table = Table::new("nba_analytics", "player_game_summary", "game_date");
const TEAM_ZONE: Table = Table::new(
    "nba_precompute",
    "team_defense_zone_analysis",
    "analysis_date",
);
const PLAYER_ZONE: Table = Table::new(
    "nba_precompute",
    "player_shot_zone_analysis",
    "analysis_date",
);
const FACTOR: Table = Table::new("nba_precompute", "player_composite_factors", "game_date");
const DAILY: Table = Table::new("nba_precompute", "player_daily_cache", "cache_date");
const FEATURE: Table = Table::new("nba_predictions", "ml_feature_store_v2", "game_date");

/// The tables that must be complete before any job of phase 4 begins.
pub(crate) const PHASE_3: [Table; 3] = [PLAYER, DEFENSE, OFFENSE];

pub(crate) const TEAM_OFFENSE: Job = phase_3("team_offense", OFFENSE);
pub(crate) const TEAM_DEFENSE: Job = phase_3("team_defense", DEFENSE);
pub(crate) const PLAYERS: Job = phase_3("players", PLAYER);

const fn phase_3(name: &'static str, table: Table) -> Job {
    Job {
        name,
        stage: Stage::Analytics,
        table,
        upstream: &[],
        key_columns: &[],
        keys: "",
    }
}

pub(crate) const TEAM_ZONES: Job = Job {
    name: "team_zones",
    stage: Stage::Precompute,
    table: TEAM_ZONE,
    upstream: &[DEFENSE],
    key_columns: &["team_abbr"],
    keys: "SELECT DISTINCT defending_team_abbr FROM nba_analytics.team_defense_game_summary
           WHERE game_date BETWEEN date(?1, '-60 days') AND ?1 ORDER BY 1",
};

pub(crate) const PLAYER_ZONES: Job = Job {
    name: "player_zones",
    stage: Stage::Precompute,
    table: PLAYER_ZONE,
    upstream: &[PLAYER],
    key_columns: &["player_lookup"],
    keys: "SELECT DISTINCT player_lookup FROM nba_analytics.player_game_summary
           WHERE game_date BETWEEN date(?1, '-30 days') AND ?1 AND points IS NOT NULL ORDER BY 1",
};

pub(crate) const FACTORS: Job = Job {
    name: "factors",
    stage: Stage::Precompute,
    table: FACTOR,
    upstream: &[PLAYER, TEAM_ZONE, PLAYER_ZONE],
    key_columns: &["game_id", "player_lookup"],
    keys: "SELECT DISTINCT game_id, player_lookup FROM nba_analytics.player_game_summary
           WHERE game_date = ? AND points IS NOT NULL ORDER BY 1, 2",
};

pub(crate) const CACHE: Job = Job {
    name: "cache",
    stage: Stage::Precompute,
    table: DAILY,
    upstream: &[PLAYER, OFFENSE, TEAM_ZONE, PLAYER_ZONE, FACTOR],
    key_columns: &["player_lookup"],
    keys: "SELECT DISTINCT player_lookup FROM nba_analytics.player_game_summary
           WHERE game_date = ? AND points IS NOT NULL ORDER BY 1",
};

pub(crate) const FEATURES: Job = Job {
    name: "features",
    stage: Stage::Precompute,
    table: FEATURE,
    upstream: &[TEAM_ZONE, PLAYER_ZONE, FACTOR, DAILY],
    key_columns: &["game_id", "player_lookup"],
    keys: "SELECT DISTINCT game_id, player_lookup FROM nba_precompute.player_composite_factors
           WHERE game_date = ? ORDER BY 1, 2",
};

impl Job {
    /// The name of the real job, of its script and its checkpoint.
    pub(crate) fn title(&self) -> &'static str {
        self.table.name.trim_end_matches("_v2")
    }

    /// The real job's script, as its log names it.
    pub(crate) fn script(&self) -> String {
        let (title, stage) = (self.title(), self.stage.name());
        format!("backfill_jobs/{stage}/{title}/{title}_{stage}_backfill.py")
    }

    /// Whether it is this one of the eight.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
