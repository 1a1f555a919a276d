-- Where each player has shot from in his last 10 games. Games without play-by-play data have no
-- zones; they count as games and not as shots.
WITH recent AS (
  SELECT *, row_number() OVER (PARTITION BY player_lookup ORDER BY game_date DESC) AS age
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN date(:date, '-30 days') AND :date AND points IS NOT NULL
), player AS (
  SELECT
    player_lookup,
    count(*) AS games,
    sum(fg_attempts) AS shots,
    sum(paint_attempts) AS paint,
    sum(mid_range_attempts) AS mid_range,
    sum(iif(paint_attempts IS NULL, NULL, three_pt_attempts)) AS threes,
    sum(three_pt_makes) AS three_makes,
    sum(three_pt_attempts) AS three_attempts
  FROM recent
  WHERE age <= 10
  GROUP BY player_lookup
), zoned AS (
  SELECT *, nullif(paint + mid_range + threes, 0) AS zoned_shots FROM player
)
INSERT INTO nba_precompute.player_shot_zone_analysis
SELECT
  player_lookup,
  :date,
  round(100.0 * paint / zoned_shots, 2),
  round(100.0 * mid_range / zoned_shots, 2),
  round(100.0 * threes / zoned_shots, 2),
  round(1.0 * three_makes / nullif(three_attempts, 0), 3),
  shots,
  games,
  CASE WHEN games >= 10 THEN 'excellent' WHEN games >= 7 THEN 'good' ELSE 'limited' END,
  CASE
    WHEN zoned_shots IS NULL THEN NULL
    WHEN paint >= mid_range AND paint >= threes THEN 'paint'
    WHEN threes >= mid_range THEN 'perimeter'
    ELSE 'mid_range'
  END,
  CASE WHEN games >= 10 THEN 'high' WHEN games >= 5 THEN 'medium' ELSE 'low' END,
  games < 10,
  games >= 3,
  :now
FROM zoned
ORDER BY player_lookup
