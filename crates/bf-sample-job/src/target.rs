//! Which dates a command line asks for.
//!
//! Dates are read here and not by clap, because the real jobs answer a wrong one with log
//! lines and exit code 1.

use chrono::{Days, Local, NaiveDate};

use crate::cli::JobArgs;
use crate::job::{Job, Range};

/// Which dates are processed.
pub enum Target {
    /// These, one after the other.
    Dates(Vec<NaiveDate>),
    /// All of a range.
    Range(Range),
}

/// What the command line asks for, or the error lines of a command line that asks for nothing.
pub fn target(job: Job, args: &JobArgs) -> Result<Target, Vec<String>> {
    if let Some(list) = &args.dates {
        let dates = list
            .split(',')
            .map(|text| parse(text.trim()).ok_or(text.trim()));
        return dates
            .collect::<Result<_, _>>()
            .map(Target::Dates)
            .map_err(|text| {
                vec![
                    format!(
                        "Invalid date format: time data '{text}' does not match format '%Y-%m-%d'"
                    ),
                    "Expected format: YYYY-MM-DD,YYYY-MM-DD,...".to_owned(),
                ]
            });
    }
    let read = |which: &str, text: &str| {
        parse(text).ok_or_else(|| {
            vec![
                format!("Invalid {which} date format: {text}"),
                "Expected format: YYYY-MM-DD".to_owned(),
            ]
        })
    };
    let today = Local::now().date_naive();
    let start = match (&args.start_date, job) {
        (Some(text), _) => read("start", text)?,
        (None, Job::PlayerSummary) => today - Days::new(7),
        (None, Job::TeamOffense | Job::TeamDefense) => {
            return Err(vec![
                "--start-date is required for range processing".to_owned(),
            ]);
        }
    };
    let end = match (&args.end_date, job) {
        (Some(text), _) => read("end", text)?,
        (None, Job::PlayerSummary) => today - Days::new(1),
        (None, Job::TeamOffense | Job::TeamDefense) => start,
    };
    Ok(Target::Range(Range { start, end }))
}

/// A date as the command line writes it.
pub fn parse(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}
