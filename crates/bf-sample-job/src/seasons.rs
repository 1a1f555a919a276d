//! When the league played: public facts about the seasons 2021-22 to 2025-26.

use chrono::NaiveDate;

/// A calendar day; an impossible one does not compile.
pub const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => panic!("no such day"),
    }
}

/// The first day of the first season.
pub const FIRST_DAY: NaiveDate = day(2021, 10, 19);
/// The last day that has games.
pub const LAST_DAY: NaiveDate = day(2026, 1, 2);

/// One season as it was planned.
#[derive(Debug)]
pub struct Season {
    /// The year it began in: 2024 for 2024-25.
    pub year: u16,
    /// First and last day of the regular season (for the running season: of what is known).
    pub regular: (NaiveDate, NaiveDate),
    /// Games of the regular season between these days.
    pub regular_games: u32,
    /// Days of the regular season without games, both ends included.
    pub off: &'static [(NaiveDate, NaiveDate)],
    /// Days whose number of games is known beforehand: opening night, the cup, Christmas.
    pub set_days: &'static [(NaiveDate, u32)],
    /// The play-in games: day, home team, away team.
    pub play_in: &'static [(NaiveDate, &'static str, &'static str)],
    /// The play-offs, round by round.
    pub rounds: &'static [Round],
}

/// One round of the play-offs.
#[derive(Debug)]
pub struct Round {
    /// Day of its first game; every second series begins a day later.
    pub first_day: NaiveDate,
    /// Days after a series' first game on which its games are played.
    pub rhythm: [u64; 7],
    /// Team with the home advantage, its opponent, and how many games the series took.
    pub series: &'static [(&'static str, &'static str, u8)],
}

const EARLY_ROUND: [u64; 7] = [0, 2, 5, 7, 9, 11, 13];
const CONFERENCE_FINAL: [u64; 7] = [0, 2, 4, 6, 8, 10, 12];
const FINAL: [u64; 7] = [0, 3, 6, 8, 11, 14, 17];

const fn one(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    (date, date)
}

/// The first day of the season that is on, or was last, on this day.
pub fn opening_night_before(date: NaiveDate) -> Option<NaiveDate> {
    let openings = SEASONS.iter().map(|season| season.regular.0);
    openings.take_while(|opening| *opening <= date).last()
}

/// All seasons, the oldest first.
pub const SEASONS: [Season; 5] = [
    Season {
        year: 2021,
        regular: (FIRST_DAY, day(2022, 4, 10)),
        regular_games: 1230,
        off: &[
            one(day(2021, 11, 25)),
            one(day(2021, 12, 24)),
            (day(2022, 2, 18), day(2022, 2, 23)),
            one(day(2022, 4, 4)),
        ],
        set_days: &[
            (day(2021, 10, 19), 2),
            (day(2021, 10, 20), 11),
            (day(2021, 12, 25), 5),
            (day(2022, 2, 17), 3),
            (day(2022, 4, 10), 15),
        ],
        play_in: &[
            (day(2022, 4, 12), "BKN", "CLE"),
            (day(2022, 4, 12), "MIN", "LAC"),
            (day(2022, 4, 13), "ATL", "CHA"),
            (day(2022, 4, 13), "NOP", "SAS"),
            (day(2022, 4, 15), "CLE", "ATL"),
            (day(2022, 4, 15), "LAC", "NOP"),
        ],
        rounds: &[
            Round {
                first_day: day(2022, 4, 16),
                rhythm: EARLY_ROUND,
                series: &[
                    ("DAL", "UTA", 6),
                    ("MIA", "ATL", 5),
                    ("MEM", "MIN", 6),
                    ("BOS", "BKN", 4),
                    ("PHI", "TOR", 6),
                    ("MIL", "CHI", 5),
                    ("GSW", "DEN", 5),
                    ("PHX", "NOP", 6),
                ],
            },
            Round {
                first_day: day(2022, 5, 1),
                rhythm: EARLY_ROUND,
                series: &[
                    ("BOS", "MIL", 7),
                    ("MIA", "PHI", 6),
                    ("MEM", "GSW", 6),
                    ("PHX", "DAL", 7),
                ],
            },
            Round {
                first_day: day(2022, 5, 17),
                rhythm: CONFERENCE_FINAL,
                series: &[("MIA", "BOS", 7), ("GSW", "DAL", 5)],
            },
            Round {
                first_day: day(2022, 6, 2),
                rhythm: FINAL,
                series: &[("GSW", "BOS", 6)],
            },
        ],
    },
    Season {
        year: 2022,
        regular: (day(2022, 10, 18), day(2023, 4, 9)),
        regular_games: 1230,
        off: &[
            one(day(2022, 11, 8)),
            one(day(2022, 11, 24)),
            one(day(2022, 12, 24)),
            (day(2023, 2, 17), day(2023, 2, 22)),
            one(day(2023, 4, 3)),
        ],
        set_days: &[
            (day(2022, 10, 18), 2),
            (day(2022, 10, 19), 12),
            (day(2022, 11, 7), 15),
            (day(2022, 12, 25), 5),
            (day(2023, 2, 16), 3),
            (day(2023, 4, 9), 15),
        ],
        play_in: &[
            (day(2023, 4, 11), "MIA", "ATL"),
            (day(2023, 4, 11), "LAL", "MIN"),
            (day(2023, 4, 12), "TOR", "CHI"),
            (day(2023, 4, 12), "NOP", "OKC"),
            (day(2023, 4, 14), "MIA", "CHI"),
            (day(2023, 4, 14), "MIN", "OKC"),
        ],
        rounds: &[
            Round {
                first_day: day(2023, 4, 15),
                rhythm: EARLY_ROUND,
                series: &[
                    ("PHI", "BKN", 4),
                    ("MIL", "MIA", 5),
                    ("BOS", "ATL", 6),
                    ("MEM", "LAL", 6),
                    ("CLE", "NYK", 5),
                    ("PHX", "LAC", 5),
                    ("SAC", "GSW", 7),
                    ("DEN", "MIN", 5),
                ],
            },
            Round {
                first_day: day(2023, 5, 1),
                rhythm: EARLY_ROUND,
                series: &[
                    ("BOS", "PHI", 7),
                    ("DEN", "PHX", 6),
                    ("NYK", "MIA", 6),
                    ("GSW", "LAL", 6),
                ],
            },
            Round {
                first_day: day(2023, 5, 16),
                rhythm: CONFERENCE_FINAL,
                series: &[("DEN", "LAL", 4), ("BOS", "MIA", 7)],
            },
            Round {
                first_day: day(2023, 6, 1),
                rhythm: FINAL,
                series: &[("DEN", "MIA", 5)],
            },
        ],
    },
    Season {
        year: 2023,
        regular: (day(2023, 10, 24), day(2024, 4, 14)),
        regular_games: 1230,
        off: &[
            one(day(2023, 11, 7)),
            one(day(2023, 11, 23)),
            one(day(2023, 12, 3)),
            one(day(2023, 12, 24)),
            (day(2024, 2, 16), day(2024, 2, 21)),
            one(day(2024, 4, 8)),
        ],
        set_days: &[
            (day(2023, 10, 24), 2),
            (day(2023, 10, 25), 12),
            (day(2023, 11, 8), 14),
            (day(2023, 12, 4), 2),
            (day(2023, 12, 5), 2),
            (day(2023, 12, 7), 2),
            (day(2023, 12, 9), 1),
            (day(2023, 12, 25), 5),
            (day(2024, 2, 15), 3),
            (day(2024, 4, 14), 15),
        ],
        play_in: &[
            (day(2024, 4, 16), "NOP", "LAL"),
            (day(2024, 4, 16), "SAC", "GSW"),
            (day(2024, 4, 17), "PHI", "MIA"),
            (day(2024, 4, 17), "CHI", "ATL"),
            (day(2024, 4, 19), "NOP", "SAC"),
            (day(2024, 4, 19), "MIA", "CHI"),
        ],
        rounds: &[
            Round {
                first_day: day(2024, 4, 20),
                rhythm: EARLY_ROUND,
                series: &[
                    ("CLE", "ORL", 7),
                    ("BOS", "MIA", 5),
                    ("MIN", "PHX", 4),
                    ("LAC", "DAL", 6),
                    ("NYK", "PHI", 6),
                    ("MIL", "IND", 6),
                    ("DEN", "LAL", 5),
                    ("OKC", "NOP", 4),
                ],
            },
            Round {
                first_day: day(2024, 5, 5),
                rhythm: EARLY_ROUND,
                series: &[
                    ("DEN", "MIN", 7),
                    ("NYK", "IND", 7),
                    ("OKC", "DAL", 6),
                    ("BOS", "CLE", 5),
                ],
            },
            Round {
                first_day: day(2024, 5, 21),
                rhythm: CONFERENCE_FINAL,
                series: &[("BOS", "IND", 4), ("MIN", "DAL", 5)],
            },
            Round {
                first_day: day(2024, 6, 6),
                rhythm: FINAL,
                series: &[("BOS", "DAL", 5)],
            },
        ],
    },
    Season {
        year: 2024,
        regular: (day(2024, 10, 22), day(2025, 4, 13)),
        regular_games: 1230,
        off: &[
            one(day(2024, 11, 5)),
            one(day(2024, 11, 28)),
            one(day(2024, 12, 24)),
            (day(2025, 2, 14), day(2025, 2, 18)),
            one(day(2025, 4, 7)),
        ],
        set_days: &[
            (day(2024, 10, 22), 2),
            (day(2024, 10, 23), 12),
            (day(2024, 11, 4), 15),
            (day(2024, 12, 10), 2),
            (day(2024, 12, 11), 2),
            (day(2024, 12, 14), 2),
            (day(2024, 12, 17), 1),
            (day(2024, 12, 25), 5),
            (day(2025, 2, 13), 4),
            (day(2025, 2, 19), 1),
            (day(2025, 4, 13), 15),
        ],
        play_in: &[
            (day(2025, 4, 15), "ORL", "ATL"),
            (day(2025, 4, 15), "GSW", "MEM"),
            (day(2025, 4, 16), "CHI", "MIA"),
            (day(2025, 4, 16), "SAC", "DAL"),
            (day(2025, 4, 18), "ATL", "MIA"),
            (day(2025, 4, 18), "MEM", "DAL"),
        ],
        rounds: &[
            Round {
                first_day: day(2025, 4, 19),
                rhythm: EARLY_ROUND,
                series: &[
                    ("IND", "MIL", 5),
                    ("CLE", "MIA", 4),
                    ("NYK", "DET", 6),
                    ("OKC", "MEM", 4),
                    ("LAL", "MIN", 5),
                    ("BOS", "ORL", 5),
                    ("DEN", "LAC", 7),
                    ("HOU", "GSW", 7),
                ],
            },
            Round {
                first_day: day(2025, 5, 5),
                rhythm: EARLY_ROUND,
                series: &[
                    ("OKC", "DEN", 7),
                    ("CLE", "IND", 5),
                    ("BOS", "NYK", 6),
                    ("MIN", "GSW", 5),
                ],
            },
            Round {
                first_day: day(2025, 5, 20),
                rhythm: CONFERENCE_FINAL,
                series: &[("OKC", "MIN", 5), ("NYK", "IND", 6)],
            },
            Round {
                first_day: day(2025, 6, 5),
                rhythm: FINAL,
                series: &[("OKC", "IND", 7)],
            },
        ],
    },
    Season {
        year: 2025,
        regular: (day(2025, 10, 21), LAST_DAY),
        regular_games: 517,
        off: &[one(day(2025, 11, 27)), one(day(2025, 12, 24))],
        set_days: &[
            (day(2025, 10, 21), 2),
            (day(2025, 10, 22), 12),
            (day(2025, 12, 9), 2),
            (day(2025, 12, 10), 2),
            (day(2025, 12, 13), 2),
            (day(2025, 12, 16), 1),
            (day(2025, 12, 25), 5),
        ],
        play_in: &[],
        rounds: &[],
    },
];
