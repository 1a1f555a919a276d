//! Every game of every season: who plays whom on which day.
//!
//! The regular season is spread over its days by weekday habit and dealt out so that every
//! team plays 82 games; the play-offs follow the real series.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::dice::Dice;
use crate::league::{TEAMS, team};
use crate::seasons::{SEASONS, Season, day};

/// First day of the span whose number of player rows is fixed; it ends with the schedule.
const COUNTED_FROM: NaiveDate = day(2024, 5, 1);
/// Players who played, over all games of that span.
const COUNTED_PLAYERS: i64 = 38_547;

/// One game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Game {
    /// The day it is played.
    pub date: NaiveDate,
    /// The year its season began in.
    pub season: u16,
    /// The league's own number, `0022400561`.
    pub nba_game_id: String,
    /// Index of the home team.
    pub home: u8,
    /// Index of the visiting team.
    pub away: u8,
    /// How many players get minutes: home, away.
    pub played: [u8; 2],
}

impl Game {
    fn new(date: NaiveDate, season: u16, nba_game_id: String, home: u8, away: u8) -> Self {
        Self {
            date,
            season,
            nba_game_id,
            home,
            away,
            played: [0; 2],
        }
    }

    /// `20250115_LAL_PHI`: day, visitors, home team.
    pub fn game_id(&self) -> String {
        let (away, home) = (TEAMS[usize::from(self.away)], TEAMS[usize::from(self.home)]);
        format!("{}_{away}_{home}", self.date.format("%Y%m%d"))
    }

    /// The stream of numbers that belongs to this game and this purpose.
    pub fn dice(&self, purpose: u64) -> Dice {
        let number = self.date.num_days_from_ce() as u64;
        Dice::of(&[purpose, number, u64::from(self.home), u64::from(self.away)])
    }
}

/// All games, by day.
#[derive(Debug, Clone)]
pub struct Schedule {
    games: Vec<Game>,
}

impl Schedule {
    /// The schedule from 2021-10-19 to 2026-01-02.
    pub fn build() -> Self {
        let mut games = Vec::new();
        for season in &SEASONS {
            regular_season(season, &mut games);
            play_in(season, &mut games);
            play_offs(season, &mut games);
        }
        games.sort_by(|a, b| (a.date, &a.nba_game_id).cmp(&(b.date, &b.nba_game_id)));
        set_players(&mut games);
        Self { games }
    }

    /// All games, the oldest first.
    pub fn games(&self) -> &[Game] {
        &self.games
    }

    /// The days between these two, both included, that have games.
    pub fn game_dates(&self, start: NaiveDate, end: NaiveDate) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> = self
            .games
            .iter()
            .map(|game| game.date)
            .filter(|date| (start..=end).contains(date))
            .collect();
        dates.dedup();
        dates
    }

    /// The games of one day; empty on an off day.
    pub fn on(&self, date: NaiveDate) -> &[Game] {
        let first = self.games.partition_point(|game| game.date < date);
        let end = self.games.partition_point(|game| game.date <= date);
        &self.games[first..end]
    }
}

/// The days of a regular season with their number of games.
fn game_days(season: &Season) -> Vec<(NaiveDate, u32)> {
    let (first, last) = season.regular;
    let is_off = |date: &NaiveDate| {
        season
            .off
            .iter()
            .any(|(from, to)| (from..=to).contains(&date))
    };
    let dates: Vec<NaiveDate> = first
        .iter_days()
        .take_while(|d| *d <= last)
        .filter(|d| !is_off(d))
        .collect();
    let set = |date: &NaiveDate| {
        season
            .set_days
            .iter()
            .find(|(known, _)| known == date)
            .map(|(_, games)| *games)
    };

    let habits: Vec<f64> = dates
        .iter()
        .map(|date| {
            if set(date).is_some() {
                0.0
            } else {
                habit(*date)
            }
        })
        .collect();
    let taken: u32 = dates.iter().filter_map(set).sum();
    let open = f64::from(season.regular_games - taken);
    let shares: Vec<f64> = habits
        .iter()
        .map(|weight| open * weight / habits.iter().sum::<f64>())
        .collect();

    // Whole games: everyone gets the floor, the largest remainders get the rest.
    let mut counts: Vec<u32> = shares.iter().map(|share| *share as u32).collect();
    let left = (season.regular_games - taken - counts.iter().sum::<u32>()) as usize;
    let mut by_remainder: Vec<usize> = (0..dates.len()).collect();
    by_remainder.sort_by(|a, b| {
        shares[*b]
            .fract()
            .total_cmp(&shares[*a].fract())
            .then(a.cmp(b))
    });
    by_remainder
        .iter()
        .take(left)
        .for_each(|index| counts[*index] += 1);

    dates
        .into_iter()
        .zip(counts)
        .map(|(date, count)| (date, set(&date).unwrap_or(count)))
        .collect()
}

/// How busy a day of the week usually is, with some chance.
fn habit(date: NaiveDate) -> f64 {
    let usual = match date.weekday() {
        Weekday::Mon => 8.5,
        Weekday::Tue => 6.0,
        Weekday::Wed => 10.5,
        Weekday::Thu => 3.6,
        Weekday::Fri => 10.5,
        Weekday::Sat => 8.0,
        Weekday::Sun => 7.0,
    };
    usual * Dice::of(&[21, date.num_days_from_ce() as u64]).around(1.0, 0.3)
}

fn regular_season(season: &Season, games: &mut Vec<Game>) {
    let mut table = Standings::default();
    let mut number = 0;
    for (date, count) in game_days(season) {
        for (home, away) in table.pair(date, count as usize) {
            number += 1;
            let id = format!("002{:02}{number:05}", season.year % 100);
            games.push(Game::new(date, season.year, id, home, away));
        }
    }
}

/// Who has played how often, and against whom, this season.
#[derive(Default)]
struct Standings {
    games: [u32; 30],
    home_games: [u32; 30],
    meetings: [[u8; 30]; 30],
}

impl Standings {
    /// Pairs teams for one day. The teams with the fewest games come first, so that nobody is
    /// ever more than one game ahead and a full season ends with 82 games each.
    fn pair(&mut self, date: NaiveDate, count: usize) -> Vec<(u8, u8)> {
        let mut dice = Dice::of(&[22, date.num_days_from_ce() as u64]);
        let luck: Vec<u64> = TEAMS.iter().map(|_| dice.bits()).collect();
        let mut order: Vec<usize> = (0..TEAMS.len()).collect();
        order.sort_by_key(|team| (self.games[*team], luck[*team]));
        order.truncate(count * 2);
        order.sort_by_key(|team| luck[*team]);

        let mut pairs = Vec::with_capacity(count);
        while let Some(one) = order.pop() {
            let Some(rival) =
                (0..order.len()).min_by_key(|index| self.meetings[one][order[*index]])
            else {
                break;
            };
            let other = order.remove(rival);
            let at_home =
                (self.home_games[one], luck[one]) <= (self.home_games[other], luck[other]);
            let (home, away) = if at_home { (one, other) } else { (other, one) };
            self.home_games[home] += 1;
            for (a, b) in [(home, away), (away, home)] {
                self.games[a] += 1;
                self.meetings[a][b] += 1;
            }
            pairs.push((home as u8, away as u8));
        }
        pairs
    }
}

fn play_in(season: &Season, games: &mut Vec<Game>) {
    for (index, (date, home, away)) in season.play_in.iter().enumerate() {
        let id = format!("005{:02}00{}01", season.year % 100, index + 1);
        games.push(Game::new(*date, season.year, id, team(home), team(away)));
    }
}

fn play_offs(season: &Season, games: &mut Vec<Game>) {
    for (round, plan) in season.rounds.iter().enumerate() {
        for (index, (strong, weak, length)) in plan.series.iter().enumerate() {
            let begin = plan.first_day + Days::new(index as u64 % 2);
            for game in 0..usize::from(*length) {
                // The stronger team has games 1, 2, 5 and 7 at home.
                let (home, away) = if matches!(game, 0 | 1 | 4 | 6) {
                    (strong, weak)
                } else {
                    (weak, strong)
                };
                let id = format!(
                    "004{:02}00{}{index}{}",
                    season.year % 100,
                    round + 1,
                    game + 1
                );
                let date = begin + Days::new(plan.rhythm[game]);
                games.push(Game::new(date, season.year, id, team(home), team(away)));
            }
        }
    }
}

/// Decides how many players each team uses, eight to thirteen, and then moves single teams by
/// one until the counted span has exactly its number of player rows.
fn set_players(games: &mut [Game]) {
    for game in games.iter_mut() {
        let mut dice = game.dice(23);
        game.played = [bench(dice.unit()), bench(dice.unit())];
    }
    let counted = games.partition_point(|game| game.date < COUNTED_FROM);
    let counted = &mut games[counted..];
    let total: i64 = counted
        .iter()
        .flat_map(|game| game.played)
        .map(i64::from)
        .sum();
    let mut missing = COUNTED_PLAYERS - total;
    let mut order: Vec<usize> = (0..counted.len() * 2).collect();
    order.sort_by_key(|index| {
        (
            counted[index / 2].dice(24 + *index as u64 % 2).bits(),
            *index,
        )
    });
    for index in order {
        let played = &mut counted[index / 2].played[index % 2];
        match missing {
            0 => break,
            1.. if *played < 13 => (*played, missing) = (*played + 1, missing - 1),
            ..0 if *played > 8 => (*played, missing) = (*played - 1, missing + 1),
            _ => {}
        }
    }
}

fn bench(luck: f64) -> u8 {
    match luck {
        l if l < 0.06 => 8,
        l if l < 0.26 => 9,
        l if l < 0.59 => 10,
        l if l < 0.85 => 11,
        l if l < 0.97 => 12,
        _ => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seasons::{FIRST_DAY, LAST_DAY};
    use std::collections::{BTreeMap, HashMap, HashSet};

    #[test]
    fn the_schedule_has_exactly_5798_games_with_ids_of_their_own() {
        let schedule = Schedule::build();
        let games = schedule.games();
        assert_eq!(games.len(), 5_798);
        assert_eq!(games[0].date, FIRST_DAY);
        assert_eq!(games[games.len() - 1].date, LAST_DAY);
        let ids: HashSet<String> = games.iter().map(Game::game_id).collect();
        let numbers: HashSet<&String> = games.iter().map(|game| &game.nba_game_id).collect();
        assert_eq!((ids.len(), numbers.len()), (5_798, 5_798));
    }

    #[test]
    fn the_counted_span_has_exactly_38547_players() {
        let schedule = Schedule::build();
        let counted = schedule
            .games()
            .iter()
            .filter(|game| game.date >= COUNTED_FROM);
        let players: i64 = counted.flat_map(|game| game.played).map(i64::from).sum();
        assert_eq!(players, COUNTED_PLAYERS);
    }

    #[test]
    fn every_day_is_playable_and_every_full_season_has_82_games_a_team() {
        let schedule = Schedule::build();
        let mut days: BTreeMap<NaiveDate, Vec<u8>> = BTreeMap::new();
        let mut season_games: HashMap<(u16, u8), u32> = HashMap::new();
        for game in schedule.games() {
            days.entry(game.date)
                .or_default()
                .extend([game.home, game.away]);
            if game.nba_game_id.starts_with("002") {
                *season_games.entry((game.season, game.home)).or_default() += 1;
                *season_games.entry((game.season, game.away)).or_default() += 1;
            }
        }
        for (date, teams) in &days {
            assert!(
                (1..=15).contains(&(teams.len() / 2)),
                "{date}: {} games",
                teams.len() / 2
            );
            let once: HashSet<&u8> = teams.iter().collect();
            assert_eq!(once.len(), teams.len(), "a team plays twice on {date}");
        }
        for year in 2021..=2024 {
            for team in 0..30 {
                assert_eq!(
                    season_games[&(year, team)],
                    82,
                    "{year} {}",
                    TEAMS[usize::from(team)]
                );
            }
        }
    }

    #[test]
    fn off_days_have_no_games() {
        let schedule = Schedule::build();
        for date in [
            day(2021, 11, 25),
            day(2022, 2, 20),
            day(2022, 7, 4),
            day(2025, 12, 24),
        ] {
            assert!(schedule.on(date).is_empty(), "{date}");
        }
        assert_eq!(schedule.on(day(2021, 12, 25)).len(), 5);
    }
}
