-- One vector for each player and game, put together from all tables of phase 4. A figure that is
-- not there gets a default, and is counted.
WITH joined AS (
  SELECT
    factors.player_lookup,
    factors.game_id,
    game.opponent_team_abbr,
    game.game_id LIKE '%_' || game.team_abbr AS is_home,
    cache.points_avg_last_5, cache.points_avg_last_10, cache.points_avg_season,
    cache.games_in_last_7_days, cache.minutes_avg_last_10, cache.team_pace_last_10,
    factors.fatigue_score, factors.shot_zone_mismatch_score, factors.pace_score,
    factors.usage_spike_score,
    defense.defensive_rating_last_15, defense.opponent_pace,
    zones.paint_rate_last_10, zones.mid_range_rate_last_10, zones.three_pt_rate_last_10
  FROM nba_precompute.player_composite_factors AS factors
  JOIN nba_analytics.player_game_summary AS game
    ON game.game_date = :date AND game.game_id = factors.game_id
    AND game.player_lookup = factors.player_lookup
  LEFT JOIN nba_precompute.player_daily_cache AS cache
    ON cache.cache_date = :date AND cache.player_lookup = factors.player_lookup
  LEFT JOIN nba_precompute.player_shot_zone_analysis AS zones
    ON zones.analysis_date = :date AND zones.player_lookup = factors.player_lookup
  LEFT JOIN nba_precompute.team_defense_zone_analysis AS defense
    ON defense.analysis_date = :date AND defense.team_abbr = game.opponent_team_abbr
  WHERE factors.game_date = :date
), counted AS (
  SELECT *,
    (points_avg_last_5 IS NULL) + (points_avg_last_10 IS NULL) + (points_avg_season IS NULL)
    + (games_in_last_7_days IS NULL) + (minutes_avg_last_10 IS NULL) + (team_pace_last_10 IS NULL)
    + (fatigue_score IS NULL) + (shot_zone_mismatch_score IS NULL) + (pace_score IS NULL)
    + (usage_spike_score IS NULL) + (defensive_rating_last_15 IS NULL) + (opponent_pace IS NULL)
    + (paint_rate_last_10 IS NULL) + (mid_range_rate_last_10 IS NULL)
    + (three_pt_rate_last_10 IS NULL) AS defaults
  FROM joined
)
INSERT INTO nba_predictions.ml_feature_store_v2
SELECT
  player_lookup,
  :date,
  game_id,
  json_array(
    coalesce(points_avg_last_5, 10.0), coalesce(points_avg_last_10, 10.0),
    coalesce(points_avg_season, 10.0), coalesce(games_in_last_7_days, 3),
    coalesce(fatigue_score, 80), coalesce(shot_zone_mismatch_score, 0.0), coalesce(pace_score, 0.0),
    coalesce(usage_spike_score, 0.0), coalesce(defensive_rating_last_15, 112.0),
    coalesce(opponent_pace, 100.0), is_home, coalesce(paint_rate_last_10, 40.0),
    coalesce(mid_range_rate_last_10, 20.0), coalesce(three_pt_rate_last_10, 40.0),
    coalesce(minutes_avg_last_10, 20.0), coalesce(team_pace_last_10, 100.0)),
  json_array(
    'points_avg_last_5', 'points_avg_last_10', 'points_avg_season', 'games_in_last_7_days',
    'fatigue_score', 'shot_zone_mismatch_score', 'pace_score', 'usage_spike_score',
    'opponent_def_rating', 'opponent_pace', 'home_away', 'pct_paint', 'pct_mid_range', 'pct_three',
    'minutes_avg_last_10', 'team_pace_last_10'),
  16,
  'v1_sample_16',
  round(100.0 - 100.0 * defaults / 16, 2),
  defaults,
  opponent_team_abbr,
  is_home,
  iif(defaults = 0, 'phase4', 'mixed'),
  CASE WHEN defaults = 0 THEN 'high' WHEN defaults <= 3 THEN 'medium' ELSE 'low' END,
  defaults = 0,
  :now
FROM counted
ORDER BY game_id, player_lookup
