//! The suites that are built in, and the sections of the config that feed them.

use bf_cli::Failure;
use bf_config::Config;

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

/// The numbers of a config section by key; `None` where there is no such section.
pub(super) fn numbers(config: &Config, section: &str) -> Option<Vec<(&'static str, f64)>> {
    Some(config.thresholds(section)?.numbers().collect())
}

/// The smallest success rate that a suite's log may have, in percent: its own, the config section's, else 100.
#[must_use]
pub(crate) fn min_success_rate(config: &Config, suite: &Suite) -> f64 {
    let section = suite.config_section.as_deref();
    let of_section = section
        .and_then(|section| numbers(config, section))
        .and_then(|numbers| {
            numbers
                .into_iter()
                .find(|(key, _)| *key == "min_success_rate")
        })
        .map(|(_, value)| value);
    suite.min_success_rate.or(of_section).unwrap_or(100.0)
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
