-- What is known about each player of the date over his last games and the season.
WITH today AS (
  SELECT player_lookup, team_abbr, season_year FROM nba_analytics.player_game_summary
  WHERE game_date = :date AND points IS NOT NULL
), games AS (
  SELECT game.*, row_number() OVER (PARTITION BY game.player_lookup ORDER BY game.game_date DESC) AS age
  FROM nba_analytics.player_game_summary AS game
  WHERE game.game_date BETWEEN date(:date, '-300 days') AND :date
    AND game.points IS NOT NULL
    AND game.season_year = (SELECT max(season_year) FROM today)
    AND game.player_lookup IN (SELECT player_lookup FROM today)
), player AS (
  SELECT
    player_lookup,
    avg(iif(age <= 5, points, NULL)) AS points_5,
    avg(iif(age <= 10, points, NULL)) AS points_10,
    avg(points) AS points_season,
    avg(iif(age <= 10, minutes_played, NULL)) AS minutes_10,
    avg(iif(age <= 10, usage_rate, NULL)) AS usage_10,
    count(*) AS games,
    sum(game_date > date(:date, '-7 days')) AS games_7,
    sum(iif(game_date > date(:date, '-7 days'), minutes_played, 0)) AS minutes_7
  FROM games
  GROUP BY player_lookup
), team_games AS (
  SELECT
    team_abbr, pace, offensive_rating,
    row_number() OVER (PARTITION BY team_abbr ORDER BY game_date DESC) AS age
  FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN date(:date, '-60 days') AND :date
), team AS (
  SELECT team_abbr, avg(pace) AS pace, avg(offensive_rating) AS rating
  FROM team_games
  WHERE age <= 10
  GROUP BY team_abbr
)
INSERT INTO nba_precompute.player_daily_cache
SELECT
  today.player_lookup,
  :date,
  round(player.points_5, 1),
  round(player.points_10, 1),
  round(player.points_season, 1),
  round(player.minutes_10, 1),
  round(player.usage_10, 2),
  player.games,
  round(team.pace, 1),
  round(team.rating, 2),
  player.games_7,
  round(player.minutes_7, 1),
  zones.primary_scoring_zone,
  zones.paint_rate_last_10,
  zones.three_pt_rate_last_10,
  CASE WHEN player.games >= 10 THEN 'high' WHEN player.games >= 5 THEN 'medium' ELSE 'low' END,
  player.games < 10,
  'v1',
  player.points_10 IS NOT NULL AND team.pace IS NOT NULL AND zones.paint_rate_last_10 IS NOT NULL,
  :now
FROM today
JOIN player ON player.player_lookup = today.player_lookup
LEFT JOIN team ON team.team_abbr = today.team_abbr
LEFT JOIN nba_precompute.player_shot_zone_analysis AS zones
  ON zones.analysis_date = :date AND zones.player_lookup = today.player_lookup
ORDER BY today.player_lookup
