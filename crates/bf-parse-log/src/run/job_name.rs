//! What a job is called, whoever tells it.

use crate::line::fields::text;

/// `TeamDefenseZoneAnalysisProcessor`, `Upcoming Player Game Context`,
/// `/app/x_analytics_backfill.py`: one way to name a job.
pub(crate) fn job_name(name: &[u8]) -> String {
    let name = text(name, 120);
    let name = name.rsplit('/').next().unwrap_or_default();
    let mut name = name.trim_end_matches(".py").trim_end_matches("Processor");
    for suffix in ["_backfill_job", "_backfill", "_analytics", "_precompute"] {
        name = name.strip_suffix(suffix).unwrap_or(name);
    }
    let mut snake = String::with_capacity(name.len() + 8);
    let mut last = ' ';
    for character in name.chars() {
        if character == ' ' || character == '_' {
            if !snake.ends_with('_') {
                snake.push('_');
            }
        } else {
            if character.is_ascii_uppercase() && last.is_ascii_lowercase() {
                snake.push('_');
            }
            snake.push(character.to_ascii_lowercase());
        }
        last = character;
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::job_name;

    #[test]
    fn a_job_has_one_name_whoever_tells_it() {
        for (told, name) in [
            (
                "TeamDefenseZoneAnalysisProcessor",
                "team_defense_zone_analysis",
            ),
            (
                "Upcoming Player Game Context",
                "upcoming_player_game_context",
            ),
            (
                "jobs/team_offense_game_summary_analytics_backfill.py",
                "team_offense_game_summary",
            ),
            ("player_game_summary_backfill_job.py", "player_game_summary"),
        ] {
            assert_eq!(job_name(told.as_bytes()), name);
        }
    }
}
