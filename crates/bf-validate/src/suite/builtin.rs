//! The suites that are built in.

use bf_cli::Failure;

use super::Suite;

/// A suite that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    /// `nba_analytics.team_offense_game_summary`.
    TeamOffense,
    /// `nba_analytics.player_game_summary`.
    PlayerGameSummary,
}

impl Builtin {
    /// Its text, the same as in `config/suites/`.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::TeamOffense => include_str!("../../../../config/suites/team_offense.yaml"),
            Self::PlayerGameSummary => {
                include_str!("../../../../config/suites/player_game_summary.yaml")
            }
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Never in a build whose tests pass.
    pub(crate) fn suite(self) -> Result<Suite, Failure> {
        Suite::parse(self.text(), "the built-in suite")
    }
}

#[cfg(test)]
mod tests {
    use bf_config::Config;

    use super::Builtin;

    #[test]
    fn the_built_in_suites_can_be_read() {
        for builtin in [Builtin::TeamOffense, Builtin::PlayerGameSummary] {
            let suite = builtin.suite().expect("valid");
            suite
                .configured(&Config::default())
                .expect("every config_key is in its section");
        }
    }
}
