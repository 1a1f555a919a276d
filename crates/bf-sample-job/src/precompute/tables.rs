//! The tables of phase 4, with the columns that the checks read and a person would look at.
//!
//! As in phase 3 no table has a key, and the one index stands for the date partition.

/// Names the columns of a feature vector, in [`FeatureStore`](super::Precompute::FeatureStore)'s log and rows.
pub const VERSION: &str = "v1_sample_16";

/// Creates what is missing in `nba_precompute.db`.
pub const PRECOMPUTE_TABLES: &str = "
CREATE TABLE IF NOT EXISTS nba_precompute.team_defense_zone_analysis (
  team_abbr TEXT NOT NULL, analysis_date TEXT NOT NULL,
  paint_attempts_allowed_per_game REAL, mid_range_attempts_allowed_per_game REAL,
  three_pt_attempts_allowed_per_game REAL, three_pt_pct_allowed_last_15 REAL,
  three_pt_defense_vs_league_avg REAL, defensive_rating_last_15 REAL,
  opponent_points_per_game REAL, opponent_pace REAL, games_in_sample INTEGER,
  weakest_zone TEXT, data_quality_tier TEXT, early_season_flag INTEGER,
  is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS nba_precompute.team_defense_zone_analysis_by_date
  ON team_defense_zone_analysis (analysis_date);
CREATE TABLE IF NOT EXISTS nba_precompute.player_shot_zone_analysis (
  player_lookup TEXT NOT NULL, analysis_date TEXT NOT NULL,
  paint_rate_last_10 REAL, mid_range_rate_last_10 REAL, three_pt_rate_last_10 REAL,
  three_pt_pct_last_10 REAL, total_shots_last_10 INTEGER, games_in_sample_10 INTEGER,
  sample_quality_10 TEXT, primary_scoring_zone TEXT, data_quality_tier TEXT,
  early_season_flag INTEGER, is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS nba_precompute.player_shot_zone_analysis_by_date
  ON player_shot_zone_analysis (analysis_date);
CREATE TABLE IF NOT EXISTS nba_precompute.player_composite_factors (
  player_lookup TEXT NOT NULL, game_date TEXT NOT NULL, game_id TEXT NOT NULL,
  fatigue_score INTEGER, shot_zone_mismatch_score REAL, pace_score REAL, usage_spike_score REAL,
  total_composite_adjustment REAL, calculation_version TEXT, data_completeness_pct REAL,
  data_quality_tier TEXT, early_season_flag INTEGER, is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS nba_precompute.player_composite_factors_by_date
  ON player_composite_factors (game_date);
CREATE TABLE IF NOT EXISTS nba_precompute.player_daily_cache (
  player_lookup TEXT NOT NULL, cache_date TEXT NOT NULL,
  points_avg_last_5 REAL, points_avg_last_10 REAL, points_avg_season REAL,
  minutes_avg_last_10 REAL, usage_rate_last_10 REAL, games_played_season INTEGER,
  team_pace_last_10 REAL, team_off_rating_last_10 REAL,
  games_in_last_7_days INTEGER, minutes_in_last_7_days REAL,
  primary_scoring_zone TEXT, paint_rate_last_10 REAL, three_pt_rate_last_10 REAL,
  data_quality_tier TEXT, early_season_flag INTEGER, cache_version TEXT,
  is_production_ready INTEGER, processed_at TEXT
);
CREATE INDEX IF NOT EXISTS nba_precompute.player_daily_cache_by_date
  ON player_daily_cache (cache_date);
";

/// Creates what is missing in `nba_predictions.db`.
pub const PREDICTIONS_TABLES: &str = "
CREATE TABLE IF NOT EXISTS nba_predictions.ml_feature_store_v2 (
  player_lookup TEXT NOT NULL, game_date TEXT NOT NULL, game_id TEXT NOT NULL,
  features TEXT, feature_names TEXT, feature_count INTEGER NOT NULL, feature_version TEXT NOT NULL,
  feature_quality_score REAL, default_feature_count INTEGER, opponent_team_abbr TEXT,
  is_home INTEGER, data_source TEXT NOT NULL, data_quality_tier TEXT,
  is_production_ready INTEGER, created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS nba_predictions.ml_feature_store_v2_by_date
  ON ml_feature_store_v2 (game_date);
";
