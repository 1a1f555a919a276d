//! Where things are drawn: coordinates in, coordinates out. No markup.

use bf_contract::{MonthValue, PhaseAttempt, Threshold};
use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// The step from one cell of a calendar to the next.
pub(crate) const CELL: u32 = 12;
/// The height of the months above a year.
pub(crate) const MONTHS: u32 = 14;
/// A year has at most 54 weeks that it shares days with.
pub(crate) const WEEKS: u32 = 54;

/// Where a day is in the picture of its year, below the months' names: a column is a week, which begins on Monday.
pub(crate) fn cell(date: NaiveDate) -> (u32, u32) {
    let first = date.with_ordinal(1).unwrap_or(date);
    let offset = first.weekday().num_days_from_monday();
    let column = (date.ordinal0() + offset) / 7;
    (column * CELL, date.weekday().num_days_from_monday() * CELL)
}

/// Where a month's name is written.
pub(crate) fn month_label(year: i32, month: u32) -> u32 {
    NaiveDate::from_ymd_opt(year, month, 1).map_or(0, |first| cell(first).0)
}

/// A bar of a chart, from its top to the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A chart of one figure by month.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// `None` for a month without a figure.
    pub bars: Vec<Option<Bar>>,
    /// The height of the threshold; `None` without one.
    pub threshold: Option<f64>,
    /// The figure at the top.
    pub top: f64,
}

pub(crate) const CHART_WIDTH: f64 = 640.0;
pub(crate) const CHART_HEIGHT: f64 = 60.0;

/// Draws the figures of months. The ground is zero, the top is the largest figure or the threshold.
pub(crate) fn chart(months: &[MonthValue], threshold: Option<Threshold>) -> Chart {
    let limit = threshold.map(|threshold| threshold.value);
    let top = months
        .iter()
        .filter_map(|month| month.value)
        .chain(limit)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let top = if top > 0.0 { top } else { 1.0 };
    let height = |value: f64| (value.clamp(0.0, top) / top * CHART_HEIGHT * 10.0).round() / 10.0;
    #[allow(clippy::cast_precision_loss)] // a few hundred months
    let step = CHART_WIDTH / months.len().max(1) as f64;
    let bars = months
        .iter()
        .enumerate()
        .map(|(at, month)| {
            let value = month.value.filter(|value| value.is_finite())?;
            // A month of zero can be seen as well.
            let height = height(value).max(1.0);
            #[allow(clippy::cast_precision_loss)]
            let x = step * at as f64;
            Some(Bar {
                x: (x * 10.0).round() / 10.0,
                y: CHART_HEIGHT - height,
                width: (step * 8.0).round() / 10.0,
                height,
            })
        })
        .collect();
    Chart {
        bars,
        threshold: limit.map(|limit| CHART_HEIGHT - height(limit)),
        top,
    }
}

/// What a phase does in a part of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Waiting,
    Running,
    Validating,
}

/// A part of a timeline, in thousandths of its width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segment {
    pub activity: Activity,
    /// The attempt, from 1; 0 while waiting.
    pub attempt: u64,
    pub from: u32,
    pub to: u32,
}

/// The time that a timeline shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Axis {
    /// From the run's beginning to the last thing that is known; `None` if no attempt has a time.
    pub(crate) fn of<'a>(
        started_at: Option<DateTime<Utc>>,
        attempts: impl Iterator<Item = &'a PhaseAttempt>,
    ) -> Option<Self> {
        let times: Vec<DateTime<Utc>> = attempts
            .flat_map(|attempt| {
                [
                    Some(attempt.started_at),
                    attempt.job_ended_at,
                    attempt.ended_at,
                ]
            })
            .flatten()
            .collect();
        let first = times.iter().min()?;
        let start = started_at.map_or(*first, |started_at| started_at.min(*first));
        let end = *times.iter().max()?;
        Some(Self { start, end })
    }

    fn place(&self, time: DateTime<Utc>) -> u32 {
        let whole = (self.end - self.start).num_milliseconds().max(1);
        let part = (time - self.start).num_milliseconds().clamp(0, whole);
        u32::try_from(part * 1000 / whole).unwrap_or(1000)
    }

    /// What a phase did when. An attempt that has not ended lasts to the end.
    pub(crate) fn segments(&self, attempts: &[PhaseAttempt]) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut at = 0;
        for attempt in attempts {
            let number = attempt.number;
            let mut add = |activity, attempt, to: u32| {
                let to = to.max(at);
                if to > at || activity != Activity::Waiting {
                    segments.push(Segment {
                        activity,
                        attempt,
                        from: at,
                        to,
                    });
                }
                at = to;
            };
            add(Activity::Waiting, 0, self.place(attempt.started_at));
            let end = attempt.ended_at.unwrap_or(self.end);
            let job_end = attempt.job_ended_at.unwrap_or(end);
            add(Activity::Running, number, self.place(job_end));
            if attempt.job_ended_at.is_some() {
                add(Activity::Validating, number, self.place(end));
            }
        }
        segments
    }
}

#[cfg(test)]
mod tests {
    use bf_contract::{Comparison, MonthValue, PhaseAttempt, PhaseStatus, Threshold};
    use chrono::DateTime;

    use super::{Activity, Axis, CELL, CHART_HEIGHT, cell, chart, month_label};

    #[test]
    fn a_day_is_in_the_column_of_its_week_and_the_row_of_its_weekday() {
        let of = |date: &str| cell(date.parse().expect("a date"));
        // 2024 began on a Monday.
        assert_eq!(of("2024-01-01"), (0, 0));
        assert_eq!(of("2024-01-07"), (0, 6 * CELL));
        assert_eq!(of("2024-01-08"), (CELL, 0));
        assert_eq!(of("2024-12-31"), (52 * CELL, CELL));
        // 2023 on a Sunday.
        assert_eq!(of("2023-01-01"), (0, 6 * CELL));
        assert_eq!(of("2023-01-02"), (CELL, 0));
        // The longest: a leap year that begins on a Sunday.
        assert_eq!(of("2012-12-31"), (53 * CELL, 0));
        assert_eq!(month_label(2024, 2), 4 * CELL);
    }

    fn month(value: Option<f64>) -> MonthValue {
        MonthValue {
            month: "2024-01".to_owned(),
            value,
            rows: 1,
        }
    }

    #[test]
    fn bars_stand_on_zero_and_reach_as_high_as_their_figure() {
        let threshold = Threshold {
            op: Comparison::AtLeast,
            value: 50.0,
        };
        let months = [
            month(Some(100.0)),
            month(Some(0.0)),
            month(None),
            month(Some(25.0)),
        ];
        let chart = chart(&months, Some(threshold));
        assert_eq!(
            (chart.top, chart.threshold),
            (100.0, Some(CHART_HEIGHT / 2.0))
        );
        let bars: Vec<_> = chart
            .bars
            .iter()
            .map(|bar| bar.map(|bar| (bar.x, bar.y, bar.height)))
            .collect();
        assert_eq!(
            bars,
            [
                Some((0.0, 0.0, 60.0)),
                Some((160.0, 59.0, 1.0)),
                None,
                Some((480.0, 45.0, 15.0))
            ]
        );
    }

    #[test]
    fn figures_that_are_not_numbers_are_not_drawn() {
        let chart = chart(&[month(Some(f64::NAN)), month(Some(f64::INFINITY))], None);
        assert_eq!(chart.bars, [None, None]);
        assert_eq!(chart.top, 1.0);
    }

    #[test]
    fn a_phase_waits_runs_is_validated_and_runs_again() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        let attempt = |number, from, job_end: Option<i64>, end: Option<i64>| PhaseAttempt {
            number,
            window: None,
            started_at: at(from),
            job_ended_at: job_end.map(at),
            ended_at: end.map(at),
            status: PhaseStatus::Failed,
            reason: String::new(),
        };
        let attempts = [
            attempt(1, 100, Some(400), Some(500)),
            attempt(2, 600, None, None),
        ];
        let other = [attempt(1, 0, Some(900), Some(1000))];
        let axis = Axis::of(Some(at(0)), attempts.iter().chain(&other)).expect("times");
        let segments: Vec<_> = axis
            .segments(&attempts)
            .iter()
            .map(|one| (one.activity, one.attempt, one.from, one.to))
            .collect();
        assert_eq!(
            segments,
            [
                (Activity::Waiting, 0, 0, 100),
                (Activity::Running, 1, 100, 400),
                (Activity::Validating, 1, 400, 500),
                (Activity::Waiting, 0, 500, 600),
                (Activity::Running, 2, 600, 1000),
            ]
        );
        assert_eq!(Axis::of(Some(at(0)), [].iter()), None);
    }
}
