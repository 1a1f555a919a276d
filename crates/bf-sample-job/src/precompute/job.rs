//! Which table a job fills, from what, and what it calls itself.

/// A job of phase 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precompute {
    /// Fills `team_defense_zone_analysis`: what each team has allowed lately, zone by zone.
    TeamDefenseZones,
    /// Fills `player_shot_zone_analysis`: where each player has shot from lately.
    PlayerShotZones,
    /// Fills `player_composite_factors`: what speaks for and against a player today.
    CompositeFactors,
    /// Fills `player_daily_cache`: what does not change about a player during the day.
    DailyCache,
    /// Fills `ml_feature_store_v2`: one vector for each player and game.
    FeatureStore,
}

/// A table with the column of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its dataset.
    pub dataset: &'static str,
    /// Its name in there.
    pub table: &'static str,
    /// The column with the day that a row belongs to.
    pub date_column: &'static str,
}

const fn table(dataset: &'static str, table: &'static str, date_column: &'static str) -> Table {
    Table {
        dataset,
        table,
        date_column,
    }
}

const TEAM_OFFENSE: Table = table("nba_analytics", "team_offense_game_summary", "game_date");
const TEAM_DEFENSE: Table = table("nba_analytics", "team_defense_game_summary", "game_date");
const PLAYERS: Table = table("nba_analytics", "player_game_summary", "game_date");
const TEAM_ZONES: Table = table(
    "nba_precompute",
    "team_defense_zone_analysis",
    "analysis_date",
);
const PLAYER_ZONES: Table = table(
    "nba_precompute",
    "player_shot_zone_analysis",
    "analysis_date",
);
const FACTORS: Table = table("nba_precompute", "player_composite_factors", "game_date");
const CACHE: Table = table("nba_precompute", "player_daily_cache", "cache_date");
const FEATURES: Table = table("nba_predictions", "ml_feature_store_v2", "game_date");

/// The tables of phase 3, which must be whole before any job of phase 4 begins.
pub const PHASE_3: [Table; 3] = [PLAYERS, TEAM_DEFENSE, TEAM_OFFENSE];

impl Table {
    /// `dataset.table`.
    pub fn name(self) -> String {
        format!("{}.{}", self.dataset, self.table)
    }
}

impl Precompute {
    /// The job's name, as its script and its checkpoint have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FeatureStore => "ml_feature_store",
            _ => self.table().table,
        }
    }

    /// The real job's script, as its log names it.
    pub fn script(self) -> String {
        let name = self.name();
        format!("backfill_jobs/precompute/{name}/{name}_precompute_backfill.py")
    }

    /// The table that it fills.
    pub fn table(self) -> Table {
        match self {
            Self::TeamDefenseZones => TEAM_ZONES,
            Self::PlayerShotZones => PLAYER_ZONES,
            Self::CompositeFactors => FACTORS,
            Self::DailyCache => CACHE,
            Self::FeatureStore => FEATURES,
        }
    }

    /// The tables that must have rows of a date before the date can be processed.
    pub fn upstream(self) -> &'static [Table] {
        match self {
            Self::TeamDefenseZones => &[TEAM_DEFENSE],
            Self::PlayerShotZones => &[PLAYERS],
            Self::CompositeFactors => &[PLAYERS, TEAM_ZONES, PLAYER_ZONES],
            Self::DailyCache => &[PLAYERS, TEAM_OFFENSE, TEAM_ZONES, PLAYER_ZONES, FACTORS],
            Self::FeatureStore => &[TEAM_ZONES, PLAYER_ZONES, FACTORS, CACHE],
        }
    }

    /// Adds the rows of the date `:date`, written at `:now`.
    pub fn insert(self) -> &'static str {
        match self {
            Self::TeamDefenseZones => include_str!("sql/team_defense_zone_analysis.sql"),
            Self::PlayerShotZones => include_str!("sql/player_shot_zone_analysis.sql"),
            Self::CompositeFactors => include_str!("sql/player_composite_factors.sql"),
            Self::DailyCache => include_str!("sql/player_daily_cache.sql"),
            Self::FeatureStore => include_str!("sql/ml_feature_store_v2.sql"),
        }
    }

    /// The figure that the next job lives on.
    pub fn figure(self) -> &'static str {
        match self {
            Self::TeamDefenseZones => "defensive_rating_last_15",
            Self::PlayerShotZones => "paint_rate_last_10",
            Self::CompositeFactors => "shot_zone_mismatch_score",
            Self::DailyCache => "points_avg_last_10",
            Self::FeatureStore => "feature_quality_score",
        }
    }

    /// How the log calls the processor.
    pub fn processor(self) -> &'static str {
        match self {
            Self::TeamDefenseZones => "TeamDefenseZoneAnalysisProcessor",
            Self::PlayerShotZones => "PlayerShotZoneAnalysisProcessor",
            Self::CompositeFactors => "PlayerCompositeFactorsProcessor",
            Self::DailyCache => "PlayerDailyCacheProcessor",
            Self::FeatureStore => "MLFeatureStoreProcessor",
        }
    }

    /// Its place among the jobs of phase 4.
    pub fn order(self) -> &'static str {
        match self {
            Self::TeamDefenseZones => "1/5 (runs first - no Phase 4 dependencies)",
            Self::PlayerShotZones => "2/5 (can run parallel with #1)",
            Self::CompositeFactors => "3/5 (depends on #1, #2)",
            Self::DailyCache => "4/5 (depends on #1, #2, #3)",
            Self::FeatureStore => "5/5 (FINAL - runs last)",
        }
    }

    /// Whether it is one of the two zone analyses, whose logs are alike.
    pub fn is_zones(self) -> bool {
        matches!(self, Self::TeamDefenseZones | Self::PlayerShotZones)
    }
}
