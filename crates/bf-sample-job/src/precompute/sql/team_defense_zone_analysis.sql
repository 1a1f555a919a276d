-- What each team has allowed over its last 15 games.
WITH recent AS (
  SELECT *, row_number() OVER (PARTITION BY defending_team_abbr ORDER BY game_date DESC) AS age
  FROM nba_analytics.team_defense_game_summary
  WHERE game_date BETWEEN date(:date, '-60 days') AND :date
), team AS (
  SELECT
    defending_team_abbr AS team_abbr,
    avg(opp_paint_attempts) AS paint,
    avg(opp_mid_range_attempts) AS mid_range,
    avg(opp_three_pt_attempts) AS threes,
    1.0 * sum(opp_three_pt_makes) / nullif(sum(opp_three_pt_attempts), 0) AS three_pct,
    avg(defensive_rating) AS rating,
    avg(points_allowed) AS points,
    avg(opponent_pace) AS pace,
    count(*) AS games
  FROM recent
  WHERE age <= 15
  GROUP BY defending_team_abbr
), league AS (
  SELECT avg(three_pct) AS three_pct FROM team
)
INSERT INTO nba_precompute.team_defense_zone_analysis
SELECT
  team.team_abbr,
  :date,
  round(team.paint, 1),
  round(team.mid_range, 1),
  round(team.threes, 1),
  round(team.three_pct, 3),
  round(100 * (team.three_pct - league.three_pct), 2),
  round(team.rating, 2),
  round(team.points, 1),
  round(team.pace, 1),
  team.games,
  iif(team.three_pct > league.three_pct, 'perimeter', 'paint'),
  CASE WHEN team.games >= 15 THEN 'high' WHEN team.games >= 10 THEN 'medium' ELSE 'low' END,
  team.games < 10,
  team.games >= 5,
  :now
FROM team, league
ORDER BY team.team_abbr
