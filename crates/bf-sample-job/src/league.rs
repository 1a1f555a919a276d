//! The thirty teams and their made-up players.

use crate::dice::Dice;

/// The teams' abbreviations; a team is an index into this list everywhere else.
pub const TEAMS: [&str; 30] = [
    "ATL", "BKN", "BOS", "CHA", "CHI", "CLE", "DAL", "DEN", "DET", "GSW", "HOU", "IND", "LAC",
    "LAL", "MEM", "MIA", "MIL", "MIN", "NOP", "NYK", "OKC", "ORL", "PHI", "PHX", "POR", "SAC",
    "SAS", "TOR", "UTA", "WAS",
];

/// Players under contract with one team.
pub const ROSTER: usize = 17;

// 43 and 47 have no common divisor, so 43 × 47 numbered players have different full names.
const FIRST: [&str; 43] = [
    "Aaron", "Ben", "Caleb", "Darius", "Eli", "Felix", "Gabe", "Hugo", "Isaac", "Jalen", "Kofi",
    "Luka", "Marcus", "Noah", "Omar", "Paolo", "Quinn", "Rui", "Silas", "Theo", "Ugo", "Victor",
    "Wes", "Xavier", "Yann", "Zeke", "Andre", "Bol", "Cody", "Dante", "Emeka", "Franz", "Grant",
    "Harry", "Ivan", "Jonas", "Kai", "Leo", "Milos", "Nico", "Otto", "Pat", "Ray",
];
const LAST: [&str; 47] = [
    "Abara",
    "Bishop",
    "Carver",
    "Dunmore",
    "Ellery",
    "Fontaine",
    "Garrick",
    "Holloway",
    "Ibanez",
    "Jarvis",
    "Kessler",
    "Langford",
    "Mbaye",
    "Novak",
    "Okafor",
    "Prince",
    "Quarles",
    "Rowe",
    "Sandoval",
    "Thibault",
    "Underhill",
    "Vance",
    "Whitlock",
    "Yates",
    "Zubac",
    "Ashby",
    "Bamba",
    "Crowder",
    "Diallo",
    "Easton",
    "Fields",
    "Gallagher",
    "Hart",
    "Ingles",
    "Joseph",
    "Kane",
    "Lowry",
    "Maxwell",
    "Nunn",
    "Osman",
    "Porter",
    "Reaves",
    "Sharpe",
    "Tucker",
    "Vassell",
    "Walker",
    "Young",
];

/// The index of an abbreviation.
///
/// # Panics
/// When the abbreviation is none of [`TEAMS`]: it is only called with the season data of this
/// crate, which a test goes through.
pub fn team(abbr: &str) -> u8 {
    let found = TEAMS.iter().position(|known| *known == abbr);
    found.unwrap_or_else(|| panic!("unknown team {abbr}")) as u8
}

/// One player of one team; the same person in every season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Player {
    /// Index of the team.
    pub team: u8,
    /// Place in the roster, the best first.
    pub slot: u8,
}

impl Player {
    fn number(self) -> usize {
        usize::from(self.team) * ROSTER + usize::from(self.slot)
    }

    /// `Jalen Okafor`.
    pub fn full_name(self) -> String {
        let number = self.number();
        format!(
            "{} {}",
            FIRST[number % FIRST.len()],
            LAST[number % LAST.len()]
        )
    }

    /// `jalenokafor`: the name as other tables join on it.
    pub fn lookup(self) -> String {
        self.full_name().replace(' ', "").to_lowercase()
    }

    /// How this player plays in a season.
    pub fn style(self, season: u16) -> Style {
        let mut dice = Dice::of(&[11, self.number() as u64]);
        let mut year = Dice::of(&[12, self.number() as u64, u64::from(season)]);
        let standing = 1.45 - 0.16 * f64::from(self.slot.min(4)) - 0.02 * f64::from(self.slot);
        Style {
            appetite: standing * dice.around(1.0, 0.15) * year.around(1.0, 0.08),
            three_share: dice.around(0.40, 0.28).clamp(0.02, 0.75),
            three_pct: dice.around(0.36, 0.04) + year.around(0.0, 0.02),
            two_pct: dice.around(0.545, 0.05) + year.around(0.0, 0.02),
            free_pct: dice.around(0.78, 0.12) + year.around(0.0, 0.02),
            assists: dice.around(4.2, 2.5),
            rebounds: dice.around(6.6, 3.5),
        }
    }
}

/// What a player tends to do; rates are per 36 minutes, shares between 0 and 1.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// How many of the team's plays he takes, relative to his minutes.
    pub appetite: f64,
    /// Share of his shots that are three-pointers.
    pub three_share: f64,
    /// Three-point percentage.
    pub three_pct: f64,
    /// Two-point percentage.
    pub two_pct: f64,
    /// Free-throw percentage.
    pub free_pct: f64,
    /// Assists per 36 minutes.
    pub assists: f64,
    /// Rebounds per 36 minutes.
    pub rebounds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_players_share_a_name() {
        let players =
            (0..30).flat_map(|team| (0..ROSTER as u8).map(move |slot| Player { team, slot }));
        let names: HashSet<String> = players.map(Player::lookup).collect();
        assert_eq!(names.len(), 30 * ROSTER);
    }
}
