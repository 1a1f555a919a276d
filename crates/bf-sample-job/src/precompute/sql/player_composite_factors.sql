-- What speaks for and against each player of the date: rest, his shots against the opponent's weak
-- zone, the opponent's pace, his recent share of the plays.
WITH today AS (
  SELECT * FROM nba_analytics.player_game_summary
  WHERE game_date = :date AND points IS NOT NULL
), before AS (
  SELECT
    player_lookup,
    julianday(:date) - julianday(max(game_date)) AS days_rest,
    sum(game_date >= date(:date, '-7 days')) AS games_last_7,
    avg(iif(game_date >= date(:date, '-7 days'), usage_rate, NULL)) AS usage_last_7,
    avg(usage_rate) AS usage_last_30
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN date(:date, '-30 days') AND date(:date, '-1 day') AND points IS NOT NULL
  GROUP BY player_lookup
), league AS (
  SELECT avg(paint_attempts_allowed_per_game) AS paint, avg(opponent_pace) AS pace
  FROM nba_precompute.team_defense_zone_analysis
  WHERE analysis_date = :date
), score AS (
  SELECT
    today.player_lookup,
    today.game_id,
    cast(max(0, 100 - iif(before.days_rest <= 1, 15, 0) - 5 * coalesce(before.games_last_7, 0)) AS INTEGER)
      AS fatigue,
    round(max(-10, min(10,
      zones.paint_rate_last_10 / 10 * (defense.paint_attempts_allowed_per_game / league.paint - 1) * 4
      + zones.three_pt_rate_last_10 / 100 * defense.three_pt_defense_vs_league_avg)), 1) AS mismatch,
    round(max(-3, min(3, (defense.opponent_pace - league.pace) / 2)), 1) AS pace,
    round(max(-3, min(3, coalesce(before.usage_last_7 - before.usage_last_30, 0) / 3)), 1) AS usage,
    zones.games_in_sample_10 AS games,
    zones.data_quality_tier AS tier
  FROM today
  LEFT JOIN before ON before.player_lookup = today.player_lookup
  LEFT JOIN nba_precompute.player_shot_zone_analysis AS zones
    ON zones.analysis_date = :date AND zones.player_lookup = today.player_lookup
  LEFT JOIN nba_precompute.team_defense_zone_analysis AS defense
    ON defense.analysis_date = :date AND defense.team_abbr = today.opponent_team_abbr
  CROSS JOIN league
)
INSERT INTO nba_precompute.player_composite_factors
SELECT
  player_lookup,
  :date,
  game_id,
  fatigue,
  mismatch,
  pace,
  usage,
  round((fatigue - 100) * 0.05 + coalesce(mismatch, 0) + coalesce(pace, 0) + usage, 2),
  'v1_4factors',
  100.0 - 25 * ((mismatch IS NULL) + (pace IS NULL)),
  coalesce(tier, 'low'),
  coalesce(games, 0) < 10,
  mismatch IS NOT NULL AND pace IS NOT NULL,
  :now
FROM score
ORDER BY game_id, player_lookup
