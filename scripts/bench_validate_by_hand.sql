-- What both suites ask of the tables, written by hand: the least that the duckdb program needs for the same answers.
.mode csv
.output /dev/null
-- team_offense_game_summary
SELECT game_date, count(*), count(DISTINCT game_id), count(points_scored), avg(quality_score), count(quality_score),
  count(*) FILTER (is_production_ready), count(quality_tier), count(*) FILTER (quality_tier IN ('gold', 'silver')),
  count(*) FILTER (points_scored < 40 OR points_scored > 220), max(processed_at),
  count(*) FILTER (game_id <> trim(game_id) OR game_id <> upper(game_id)),
  count(*) FILTER (contains(quality_issues, '"all_sources_failed"') OR contains(quality_issues, '"missing_required"'))
FROM nba_analytics.team_offense_game_summary WHERE game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY game_date;
SELECT date_trunc('month', game_date), team_abbr, count(*), count(points_scored)
FROM nba_analytics.team_offense_game_summary WHERE game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY ALL;
SELECT count(*) FROM (SELECT game_date, game_id, count(*) AS n FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY ALL HAVING n <> 2);
SELECT count(*) FROM (SELECT game_id, team_abbr FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY ALL HAVING count(*) > 1);
SELECT count(*) FROM (SELECT game_id, home_game FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY ALL HAVING count(*) <> 1);
SELECT h.game_date, count(*), count(*) FILTER (s.game_id IS NULL)
FROM nba_analytics.team_offense_game_summary h LEFT JOIN nba_reference.nba_schedule s
  ON s.game_date = h.game_date AND s.game_id = h.game_id
WHERE h.game_date BETWEEN '2021-10-19' AND '2026-01-02' GROUP BY ALL;
-- player_game_summary
SELECT game_date, count(*), count(points), count(DISTINCT game_id) FILTER (points IS NOT NULL), count(minutes_played),
  count(usage_rate), count(paint_attempts), avg(usage_rate), avg(minutes_played), avg(quality_score), count(quality_score),
  count(*) FILTER (is_production_ready), count(quality_tier), count(*) FILTER (quality_tier IN ('gold', 'silver')),
  min(minutes_played), max(minutes_played), min(usage_rate), max(usage_rate), min(paint_attempts), max(paint_attempts),
  max(processed_at), count(*) FILTER (minutes_played > 0 AND points IS NULL),
  count(*) FILTER (player_lookup <> trim(player_lookup) OR player_lookup <> lower(player_lookup)),
  count(*) FILTER (contains(quality_issues, '"all_sources_failed"') OR contains(quality_issues, '"missing_required"'))
FROM nba_analytics.player_game_summary WHERE game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY game_date;
SELECT date_trunc('month', game_date), team_abbr, count(*), count(minutes_played), count(usage_rate)
FROM nba_analytics.player_game_summary WHERE points IS NOT NULL AND game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL;
SELECT count(*) FROM (SELECT game_id, player_lookup FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL HAVING count(*) > 1);
SELECT count(*) FROM (SELECT game_id, team_abbr, count(*) AS n, max(minutes_played) AS minutes, max(usage_rate) AS usage
  FROM nba_analytics.player_game_summary WHERE game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL
  HAVING n < 8 OR n > 22 OR minutes = 0 OR usage = 0);
SELECT h.game_date, count(*), count(*) FILTER (s.game_id IS NULL)
FROM nba_analytics.player_game_summary h LEFT JOIN nba_reference.nba_schedule s
  ON s.game_date = h.game_date AND s.game_id = h.game_id
WHERE h.game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL;
SELECT coalesce(p.game_date, t.game_date), count(*) FILTER (t.points_scored IS NULL), count(*) FILTER (p.points IS NULL),
  count(*) FILTER (p.points <> t.points_scored)
FROM (SELECT game_date, game_id, team_abbr, sum(points) AS points FROM nba_analytics.player_game_summary
    WHERE game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL) p
  FULL JOIN (SELECT game_date, game_id, team_abbr, sum(points_scored) AS points_scored
    FROM nba_analytics.team_offense_game_summary WHERE game_date BETWEEN '2024-05-01' AND '2026-01-02' GROUP BY ALL) t
  USING (game_date, game_id, team_abbr)
GROUP BY 1;
