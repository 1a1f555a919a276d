//! Every game from 2021-10-19 to 2026-01-02: who plays whom on which day.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};

use crate::dates;
use crate::hash::{Hash, part};

/// One line a day: date, season, stage (`regular`, `play_in` or `playoffs`), games as AWAY@HOME.
const SCHEDULE: &str = include_str!("schedule.csv");
/// First day of the span whose player rows are counted; it ends with the schedule.
const COUNTED_FROM: &str = "2024-05-01";
/// Players with points in all games of that span.
const COUNTED_PLAYERS: usize = 38_547;

/// One game.
#[derive(Debug, Clone)]
pub(crate) struct Game {
    pub(crate) date: NaiveDate,
    /// The year that its season began in.
    pub(crate) season: u16,
    /// The league's own number, `0022400561`.
    pub(crate) nba_game_id: String,
    pub(crate) is_playoffs: bool,
    pub(crate) home: &'static str,
    pub(crate) away: &'static str,
    /// How many players get minutes: away, home.
    pub(crate) played: [usize; 2],
}

impl Game {
    /// `20250115_LAL_PHI`: day, visitors, home team.
    pub(crate) fn game_id(&self) -> String {
        format!("{}_{}_{}", self.date.format("%Y%m%d"), self.away, self.home)
    }

    /// The stream of numbers of this game and this purpose.
    pub(crate) fn hash(&self, purpose: &str) -> Hash {
        let day = u64::from(self.date.num_days_from_ce().unsigned_abs());
        Hash::of(&[part(purpose), day, part(self.away), part(self.home)])
    }
}

/// All games, by day.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    games: Vec<Game>,
}

impl Schedule {
    /// The schedule from 2021-10-19 to 2026-01-02.
    pub(crate) fn load() -> Self {
        let mut games: Vec<Game> = SCHEDULE.lines().skip(1).flat_map(games_of).collect();
        let mut numbers = HashMap::new();
        for game in &mut games {
            // The first five digits are the stage and the season.
            let number = numbers.entry(game.nba_game_id.clone()).or_insert(0);
            *number += 1;
            game.nba_game_id += &format!("{number:05}");
        }
        set_players(&mut games);
        Self { games }
    }

    /// All games, the oldest first.
    pub(crate) fn games(&self) -> &[Game] {
        &self.games
    }

    /// The days between these two, both included, that have games.
    pub(crate) fn game_dates(&self, start: NaiveDate, end: NaiveDate) -> Vec<NaiveDate> {
        let dates = self.games.iter().map(|game| game.date);
        let mut dates: Vec<_> = dates.filter(|date| (start..=end).contains(date)).collect();
        dates.dedup();
        dates
    }

    /// The games of one day; empty on an off day.
    pub(crate) fn on(&self, date: NaiveDate) -> &[Game] {
        let first = self.games.partition_point(|game| game.date < date);
        let end = self.games.partition_point(|game| game.date <= date);
        &self.games[first..end]
    }

    /// The first day of the season of this day, or of the last one before it.
    pub(crate) fn season_start(&self, date: NaiveDate) -> Option<NaiveDate> {
        let before = self.games.partition_point(|game| game.date <= date);
        let season = self.games[..before].last()?.season;
        let mut games = self.games.iter();
        games
            .find(|game| game.season == season)
            .map(|game| game.date)
    }
}

/// The games of a line of the schedule, without their numbers.
fn games_of(line: &'static str) -> impl Iterator<Item = Game> {
    let fields: Vec<&'static str> = line.split(',').collect();
    let field = move |index: usize| fields.get(index).copied().unwrap_or_default();
    let date = dates::parse(field(0)).unwrap_or_default();
    let season = field(1).parse().unwrap_or_default();
    let stage = match field(2) {
        "regular" => "002",
        "playoffs" => "004",
        _ => "005",
    };
    let pairs = field(3).split(' ').filter_map(|pair| pair.split_once('@'));
    pairs.map(move |(away, home)| Game {
        date,
        season,
        nba_game_id: format!("{stage}{:02}", season % 100),
        is_playoffs: stage == "004",
        home,
        away,
        played: [0; 2],
    })
}

/// Eight to thirteen players a team; those of the counted span add up to their number.
fn set_players(games: &mut [Game]) {
    let from = dates::parse(COUNTED_FROM).unwrap_or_default();
    let first = games.partition_point(|game| game.date < from);
    let counted = 2 * (games.len() - first);
    for (index, game) in games.iter_mut().enumerate() {
        let more = game.hash("players").between(0, 2) as usize;
        // An even spread, and what one team has more the other has less.
        let share = |side: usize| match (2 * index + side).checked_sub(2 * first) {
            Some(at) => (at + 1) * COUNTED_PLAYERS / counted - at * COUNTED_PLAYERS / counted,
            None => 10,
        };
        game.played = [share(0) - more, share(1) + more];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_schedule_has_the_documented_games_and_players() {
        let schedule = Schedule::load();
        let games = schedule.games();
        let [first, last] = ["2021-10-19", "2026-01-02"].map(|text| dates::parse(text).unwrap());
        assert_eq!((games[0].date, games[games.len() - 1].date), (first, last));
        assert!(games.is_sorted_by_key(|game| game.date));
        let ids: HashSet<String> = games.iter().map(Game::game_id).collect();
        let numbers: HashSet<&String> = games.iter().map(|game| &game.nba_game_id).collect();
        assert_eq!((ids.len(), numbers.len()), (5_798, 5_798));
        let from = dates::parse(COUNTED_FROM).unwrap();
        let counted = games.iter().filter(|game| game.date >= from);
        let players: usize = counted.flat_map(|game| game.played).sum();
        assert_eq!(players, COUNTED_PLAYERS);
        assert!(
            games
                .iter()
                .flat_map(|game| game.played)
                .all(|n| (8..=13).contains(&n))
        );
    }
}
