//! Which dates a command line asks for, and what each job says to one that it cannot read.

use chrono::{Days, Local, NaiveDate};

use super::Precompute;
use crate::cli::PrecomputeArgs;
use crate::job::Range;
use crate::target::parse;

/// Which dates are processed.
pub enum Target {
    /// These, one after the other.
    Dates(Vec<NaiveDate>),
    /// The game dates of a range.
    Range(Range),
}

/// A date that is none.
pub enum Wrong {
    /// The job says so.
    Said(Vec<String>),
    /// Nobody caught the exception; its traceback.
    Uncaught(String),
}

/// What the command line asks for.
pub fn target(job: Precompute, args: &PrecomputeArgs) -> Result<Target, Wrong> {
    if let Some(list) = &args.dates {
        let dates = list.split(',').map(|text| {
            let text = text.trim();
            parse(text).ok_or_else(|| in_list(job, text))
        });
        return dates.collect::<Result<_, _>>().map(Target::Dates);
    }
    let today = Local::now().date_naive();
    let read = |which: &str, text: &Option<String>, days_ago| match text {
        Some(text) => parse(text).ok_or_else(|| in_range(job, which, text)),
        None => Ok(today - Days::new(days_ago)),
    };
    let start = read("start", &args.start_date, 7)?;
    let end = read("end", &args.end_date, 1)?;
    Ok(Target::Range(Range { start, end }))
}

fn in_list(job: Precompute, text: &str) -> Wrong {
    let said = format!("Invalid date format: {}", does_not_match(text));
    match job {
        Precompute::TeamDefenseZones => Wrong::Said(vec![
            said,
            "Expected format: YYYY-MM-DD,YYYY-MM-DD,...".to_owned(),
        ]),
        Precompute::PlayerShotZones | Precompute::FeatureStore => Wrong::Said(vec![said]),
        Precompute::CompositeFactors | Precompute::DailyCache => uncaught(job, text),
    }
}

fn in_range(job: Precompute, which: &str, text: &str) -> Wrong {
    match job {
        Precompute::TeamDefenseZones => {
            Wrong::Said(vec![format!("Invalid {which} date format: {text}")])
        }
        _ => uncaught(job, text),
    }
}

fn does_not_match(text: &str) -> String {
    format!("time data '{text}' does not match format '%Y-%m-%d'")
}

fn uncaught(job: Precompute, text: &str) -> Wrong {
    Wrong::Uncaught(format!(
        "Traceback (most recent call last):\n  File \"{}\", line 280, in <module>\n    main()\nValueError: {}",
        job.script(),
        does_not_match(text)
    ))
}
