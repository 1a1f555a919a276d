//! The `rerun:` of a config, looked at before anything is read: under a name that is misspelt the suite's own
//! command would be printed, and be run by whoever trusts it.

use bf_cli::Failure;
use bf_config::Loaded;

use crate::suite::{Builtin, Suite};

/// Of a name with fewer letters, one letter is too much to be a slip.
const SHORT: usize = 4;

/// Refuses a command for a suite whose name is a slip away from that of a built-in one or of `own`. Any other
/// name may be that of a suite that is not known here.
///
/// # Errors
/// A name that is misspelt: usage (exit 2).
pub(crate) fn verify(loaded: &Loaded, own: &Suite) -> Result<(), Failure> {
    let commands = &loaded.config.rerun;
    if commands.is_empty() {
        return Ok(());
    }
    let known = [
        own.suite.clone(),
        Builtin::TeamOffense.suite()?.suite.clone(),
        Builtin::PlayerGameSummary.suite()?.suite.clone(),
    ];
    for name in commands.keys().filter(|name| !known.contains(name)) {
        // Where the right name is there as well, the other one is meant.
        let mut missing = known.iter().filter(|known| !commands.contains_key(*known));
        if let Some(meant) = missing.find(|known| is_slip(name, known)) {
            return Err(Failure::usage(format!(
                "{}: no suite is called {name}",
                loaded.place("rerun", name)
            ))
            .hint(format!(
                "did you mean {meant}? If there is a suite {name}, give {meant} a command, too"
            )));
        }
    }
    Ok(())
}

/// Whether `name` is `meant` in other letters' case, with another sign between its words, or with one letter too
/// many, too few, wrong, or in the next one's place. Two names that differ by a digit are two names, and so are
/// two short ones.
pub(crate) fn is_slip(name: &str, meant: &str) -> bool {
    let plain = |text: &str| -> Vec<char> {
        let text = text.chars().flat_map(char::to_lowercase);
        text.map(|sign| if sign.is_alphanumeric() { sign } else { '_' })
            .collect()
    };
    let (name, meant) = (plain(name), plain(meant));
    if meant.len() < SHORT {
        return name == meant;
    }
    let both = || name.iter().zip(&meant);
    let head = both().take_while(|(a, b)| a == b).count();
    let (name, meant) = (&name[head..], &meant[head..]);
    let ends = name.iter().rev().zip(meant.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let (name, meant) = (&name[..name.len() - tail], &meant[..meant.len() - tail]);
    match (name, meant) {
        ([], []) => true,
        ([a], []) | ([], [a]) => !a.is_numeric(),
        ([a], [b]) => !a.is_numeric() || !b.is_numeric(),
        ([a, b], [c, d]) => a == d && b == c && !(a.is_numeric() && b.is_numeric()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn one_slip_is_found_and_another_suite_is_not() {
        for name in [
            "team_offence",
            "team_ofense",
            "team_offennse",
            "tema_offense",
            "team-offense",
            "Team Offense",
            "team_offenses",
        ] {
            assert!(is_slip(name, "team_offense"), "{name}");
        }
        for name in ["team_defense", "team", "", "team_offense_v2", "orders"] {
            assert!(!is_slip(name, "team_offense"), "{name}");
        }
        assert!(!is_slip("orders_2", "orders_1"));
        assert!(!is_slip("orders2", "orders"));
        assert!(!is_slip("runs_21", "runs_12"));
        assert!(!is_slip("own", "now") && !is_slip("on", "own"));
        assert!(is_slip("aaaaa", "aaaa") && is_slip("aaaa", "aaaaa"));
    }
}
