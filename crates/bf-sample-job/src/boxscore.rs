//! What happened in a game: made up, but the same every time, and adding up.
//!
//! A team's figures are the sums of its players' figures; nothing is drawn twice.

use crate::dice::Dice;
use crate::league::{Player, ROSTER};
use crate::schedule::Game;

/// Minutes of a rotation, the most used player first.
const MINUTES: [f64; 13] = [
    35.0, 34.0, 32.0, 31.0, 28.0, 25.0, 22.0, 18.0, 14.0, 10.0, 7.0, 5.0, 4.0,
];

/// One player in one game.
#[derive(Debug, Clone)]
pub struct Line {
    /// Who it is.
    pub player: Player,
    /// His figures; `None` when he was dressed and did not play.
    pub stats: Option<Stats>,
}

/// The figures of a player, or of a team.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Minutes, in tenths.
    pub tenths: u32,
    /// Field goals made (two-pointers and three-pointers).
    pub fg_makes: u32,
    /// Field goals tried.
    pub fg_attempts: u32,
    /// Three-pointers made.
    pub three_makes: u32,
    /// Three-pointers tried.
    pub three_attempts: u32,
    /// Free throws made.
    pub ft_makes: u32,
    /// Free throws tried.
    pub ft_attempts: u32,
    /// Two-pointers tried from the paint; the others are mid-range shots.
    pub paint_attempts: u32,
    /// Assists.
    pub assists: u32,
    /// Rebounds of missed shots of the own team.
    pub offensive_rebounds: u32,
    /// Rebounds of the opponents' missed shots.
    pub defensive_rebounds: u32,
    /// Turnovers.
    pub turnovers: u32,
}

impl Stats {
    /// Points scored.
    pub fn points(&self) -> u32 {
        2 * self.fg_makes + self.three_makes + self.ft_makes
    }

    /// Two-pointers tried from outside the paint.
    pub fn mid_range_attempts(&self) -> u32 {
        self.fg_attempts - self.three_attempts - self.paint_attempts
    }

    /// Plays ended: shots, trips to the line, turnovers.
    pub fn plays(&self) -> f64 {
        f64::from(self.fg_attempts) + 0.44 * f64::from(self.ft_attempts) + f64::from(self.turnovers)
    }

    /// Possessions, the usual estimate.
    pub fn possessions(&self) -> f64 {
        self.plays() - f64::from(self.offensive_rebounds)
    }

    /// Share of the team's plays a player used while on the floor, in percent; `None` without
    /// minutes.
    pub fn usage_rate(&self, team: &Stats) -> Option<f64> {
        let on_floor = f64::from(self.tenths) * team.plays();
        (self.tenths > 0).then(|| 100.0 * self.plays() * (f64::from(team.tenths) / 5.0) / on_floor)
    }

    fn add(&mut self, other: &Stats) {
        self.tenths += other.tenths;
        self.fg_makes += other.fg_makes;
        self.fg_attempts += other.fg_attempts;
        self.three_makes += other.three_makes;
        self.three_attempts += other.three_attempts;
        self.ft_makes += other.ft_makes;
        self.ft_attempts += other.ft_attempts;
        self.paint_attempts += other.paint_attempts;
        self.assists += other.assists;
        self.offensive_rebounds += other.offensive_rebounds;
        self.defensive_rebounds += other.defensive_rebounds;
        self.turnovers += other.turnovers;
    }
}

/// One team's side of a game.
#[derive(Debug, Clone)]
pub struct Side {
    /// Everyone who was dressed, those with minutes first.
    pub lines: Vec<Line>,
    /// The sums over the players.
    pub totals: Stats,
}

impl Side {
    fn of(lines: Vec<Line>) -> Self {
        let mut totals = Stats::default();
        lines
            .iter()
            .filter_map(|line| line.stats.as_ref())
            .for_each(|stats| totals.add(stats));
        Self { lines, totals }
    }
}

/// Both sides of a game.
#[derive(Debug, Clone)]
pub struct BoxScore {
    /// The home team.
    pub home: Side,
    /// The visitors.
    pub away: Side,
    /// Extra periods of five minutes.
    pub overtimes: u32,
    /// Whether play-by-play data exists, which the shot zones come from.
    pub has_zones: bool,
}

impl BoxScore {
    /// The box score of this game.
    pub fn of(game: &Game) -> Self {
        let mut dice = game.dice(31);
        let overtimes = match dice.unit() {
            luck if luck < 0.006 => 2,
            luck if luck < 0.06 => 1,
            _ => 0,
        };
        let pace = dice.around(100.0, 6.0) * f64::from(48 + 5 * overtimes) / 48.0;
        let has_zones = dice.chance(0.87);
        let home = lines(game, true, pace, overtimes);
        let mut away = lines(game, false, pace, overtimes);
        let (score, other) = (points(&home), points(&away));
        if score == other {
            // No draws: the visitors' first man makes one more free throw.
            if let Some(stats) = away.first_mut().and_then(|line| line.stats.as_mut()) {
                stats.ft_makes += 1;
                stats.ft_attempts = stats.ft_attempts.max(stats.ft_makes);
            }
        }
        Self {
            home: Side::of(home),
            away: Side::of(away),
            overtimes,
            has_zones,
        }
    }
}

fn points(lines: &[Line]) -> u32 {
    lines
        .iter()
        .filter_map(|line| line.stats)
        .map(|stats| stats.points())
        .sum()
}

/// How good a team is in a season: added points per hundred, roughly.
fn strength(team: u8, season: u16) -> f64 {
    let lasting = Dice::of(&[32, u64::from(team)]).around(0.0, 3.0);
    lasting + Dice::of(&[33, u64::from(team), u64::from(season)]).around(0.0, 6.0)
}

fn lines(game: &Game, home: bool, pace: f64, overtimes: u32) -> Vec<Line> {
    let (team, rival, played) = match home {
        true => (game.home, game.away, game.played[0]),
        false => (game.away, game.home, game.played[1]),
    };
    let mut dice = game.dice(34 + u64::from(home));
    let edge =
        strength(team, game.season) - strength(rival, game.season) + if home { 3.0 } else { -3.0 };
    let touch = 1.0 + edge / 260.0 + dice.around(0.0, 0.09);

    let slots = lineup(usize::from(played), &mut dice);
    let (playing, resting) = slots.split_at(usize::from(played));
    let styles: Vec<_> = playing
        .iter()
        .map(|slot| Player { team, slot: *slot }.style(game.season))
        .collect();
    let worked: Vec<f64> = (0..playing.len())
        .map(|rank| MINUTES[rank] * dice.around(1.0, 0.22))
        .collect();
    let minutes_each = f64::from(240 + 25 * overtimes) / worked.iter().sum::<f64>();
    let hunger: Vec<f64> = (0..playing.len())
        .map(|rank| styles[rank].appetite * worked[rank] * dice.around(1.0, 0.3))
        .collect();
    let plays_each = pace * 1.1 / hunger.iter().sum::<f64>();

    let mut lines = Vec::with_capacity(slots.len());
    for (rank, slot) in playing.iter().enumerate() {
        let style = &styles[rank];
        let tenths = (worked[rank] * minutes_each * 10.0).round() as u32;
        let plays = hunger[rank] * plays_each;
        let per_36 = f64::from(tenths) / 360.0;
        let fg_attempts = dice.rounded(plays * 0.79);
        let three_attempts = dice.successes(fg_attempts, style.three_share);
        let two_attempts = fg_attempts - three_attempts;
        let three_makes = dice.successes(three_attempts, style.three_pct * touch);
        let two_makes = dice.successes(two_attempts, style.two_pct * touch);
        let ft_attempts = 2 * dice.rounded(plays * 0.092) + u32::from(dice.chance(plays * 0.01));
        let stats = Stats {
            tenths,
            fg_makes: two_makes + three_makes,
            fg_attempts,
            three_makes,
            three_attempts,
            ft_makes: dice.successes(ft_attempts, style.free_pct),
            ft_attempts,
            paint_attempts: dice.successes(two_attempts, 0.66),
            assists: rate(&mut dice, style.assists * per_36),
            offensive_rebounds: rate(&mut dice, style.rebounds * per_36 * 0.23),
            defensive_rebounds: rate(&mut dice, style.rebounds * per_36 * 0.77),
            turnovers: rate(&mut dice, plays * 0.125),
        };
        lines.push(Line {
            player: Player { team, slot: *slot },
            stats: Some(stats),
        });
    }
    lines.extend(resting.iter().map(|slot| Line {
        player: Player { team, slot: *slot },
        stats: None,
    }));
    lines
}

fn rate(dice: &mut Dice, mean: f64) -> u32 {
    let form = dice.around(1.0, 0.9);
    dice.rounded(mean * form)
}

/// Who is dressed, thirteen or a little more, those who play first.
fn lineup(played: usize, dice: &mut Dice) -> Vec<u8> {
    let dressed = 13 + (dice.bits() % 3) as usize;
    let mut ranked: Vec<(f64, u8)> = (0..ROSTER as u8)
        .map(|slot| {
            let injured = if dice.chance(0.1) { 100.0 } else { 0.0 };
            (f64::from(slot) + 3.5 * dice.unit() + injured, slot)
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked
        .into_iter()
        .map(|(_, slot)| slot)
        .take(dressed.max(played))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;

    fn average(values: impl Iterator<Item = f64>) -> f64 {
        let (count, sum) =
            values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        sum / count
    }

    #[test]
    fn a_game_is_the_same_every_time_and_never_a_draw() {
        let schedule = Schedule::build();
        for game in schedule.games().iter().step_by(7) {
            let (once, again) = (BoxScore::of(game), BoxScore::of(game));
            assert_eq!(once.home.totals, again.home.totals);
            assert_ne!(once.home.totals.points(), once.away.totals.points());
            let players = |side: &Side| {
                side.lines
                    .iter()
                    .filter(|line| line.stats.is_some())
                    .count()
            };
            assert_eq!(
                [players(&once.home), players(&once.away)],
                game.played.map(usize::from)
            );
        }
    }

    #[test]
    fn figures_look_like_the_league() {
        let schedule = Schedule::build();
        let sides: Vec<(Side, u32)> = schedule
            .games()
            .iter()
            .step_by(5)
            .map(BoxScore::of)
            .flat_map(|score| [(score.home, score.overtimes), (score.away, score.overtimes)])
            .collect();
        let mean =
            |value: fn(&Stats) -> f64| average(sides.iter().map(|(side, _)| value(&side.totals)));
        let points = mean(|stats| f64::from(stats.points()));
        assert!((110.0..118.0).contains(&points), "points {points}");
        let spread = average(
            sides
                .iter()
                .map(|(side, _)| (f64::from(side.totals.points()) - points).powi(2)),
        )
        .sqrt();
        assert!((9.0..15.0).contains(&spread), "spread of points {spread}");
        let possessions = mean(Stats::possessions);
        assert!(
            (96.0..106.0).contains(&possessions),
            "possessions {possessions}"
        );
        let assists = mean(|stats| f64::from(stats.assists));
        assert!((20.0..30.0).contains(&assists), "assists {assists}");
        let minutes = mean(|stats| f64::from(stats.tenths) / 10.0);
        assert!((239.0..243.0).contains(&minutes), "minutes {minutes}");
    }

    #[test]
    fn usage_of_the_five_on_the_floor_averages_twenty_percent() {
        let schedule = Schedule::build();
        let score = BoxScore::of(&schedule.games()[100]);
        let totals = score.home.totals;
        let weighted: f64 = score
            .home
            .lines
            .iter()
            .filter_map(|line| line.stats)
            .filter_map(|stats| {
                stats
                    .usage_rate(&totals)
                    .map(|rate| rate * f64::from(stats.tenths))
            })
            .sum();
        assert!((weighted / f64::from(totals.tenths) - 20.0).abs() < 1e-9);
    }
}
