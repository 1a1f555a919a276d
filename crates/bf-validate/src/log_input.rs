//! What the log claims, read from any stream of bf documents.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bf_cli::{Context, Failure};
use bf_contract::{
    Document, DocumentError, LedgerEntry, LedgerStatus, LogSummary, ProcessEventKind, ProcessExit,
    read_document,
};
use chrono::{DateTime, NaiveDate, Utc};

/// What a stream of documents says about a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LogInput {
    /// The last log summary.
    pub summary: LogSummary,
    /// The last word on each date, where the stream has ledger entries.
    pub ledger: BTreeMap<NaiveDate, LedgerEntry>,
    /// When the job's process started, where a monitor's events say so.
    pub started_at: Option<DateTime<Utc>>,
    /// How the job's process ended, where the stream is a monitor's.
    pub process: ProcessEnd,
    /// Why the ledger entries are not all that the log claims; `None` where they are.
    pub incomplete: Option<String>,
}

/// What a monitor's events say of the end of the job's process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum ProcessEnd {
    /// The stream has no events.
    #[default]
    Unwatched,
    /// The process was watched, and nothing says that it has ended.
    Open,
    /// The last event, and the exit if it was seen.
    Told(ProcessEventKind, Option<ProcessExit>),
}

impl LogInput {
    /// Reads the file, or `stdin` for `-`.
    ///
    /// # Errors
    /// It cannot be read, holds a malformed document, or no log summary: could not check (exit 3).
    pub(crate) fn read(path: &Path, stdin: Box<dyn Read + Send>) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::read_from(stdin, "standard input");
        }
        let name = path.display().to_string();
        let file = std::fs::File::open(path)
            .or_could_not_check(|| format!("reading the log summary {name}"))
            .map_err(|failure| failure.hint("make one with: bf-parse-log LOG > FILE"))?;
        Self::read_from(file, &name)
    }

    fn read_from(stream: impl Read, name: &str) -> Result<Self, Failure> {
        let mut input = Self::default();
        let mut summary: Option<LogSummary> = None;
        let mut reader = BufReader::with_capacity(64 * 1024, stream);
        let mut line = Vec::new();
        let mut number = 0_u64;
        // A log summary ends what is told of one log: the entries after it are of another.
        let mut is_told = false;
        let mut ends_with_entries = false;
        loop {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .or_could_not_check(|| format!("reading the log summary {name}"))?;
            if read == 0 {
                break;
            }
            number += 1;
            let text = String::from_utf8_lossy(&line);
            match read_document(&text) {
                Ok(Document::LogSummary(found)) => {
                    summary = Some(*found);
                    is_told = true;
                    ends_with_entries = false;
                }
                Ok(Document::LedgerEntry(entry)) => {
                    if std::mem::take(&mut is_told) {
                        input.ledger.clear();
                    }
                    input.ledger.insert(entry.date, entry);
                    ends_with_entries = true;
                }
                Ok(Document::ProcessEvent(event)) => {
                    input.started_at = event.started_at.or(input.started_at);
                    input.process = match event.event {
                        ProcessEventKind::Exited
                        | ProcessEventKind::TimedOut
                        | ProcessEventKind::Lost => ProcessEnd::Told(event.event, event.exit),
                        // Of a newer bf-monitor: what was known stays so.
                        ProcessEventKind::Unknown => input.process,
                        _ => ProcessEnd::Open,
                    };
                    if let Some(found) = event.log_summary {
                        summary = Some(found);
                        ends_with_entries = false;
                    }
                }
                Ok(_) => {}
                // Anything may stand between the documents, such as a banner.
                Err(DocumentError::NotADocument(_)) if !is_cut(&text) => {}
                Err(DocumentError::NotADocument(_)) => {
                    return Err(Failure::could_not_check(format!(
                        "{name}: line {number}: a document that is cut short"
                    ))
                    .hint("make the file again: bf-parse-log --ledger LOG > FILE"));
                }
                Err(error @ DocumentError::Malformed { .. }) => {
                    return Err(Failure::could_not_check(format!(
                        "{name}: line {number}: {error}"
                    )));
                }
            }
        }
        input.summary = summary.ok_or_else(|| {
            Failure::could_not_check(format!("{name}: no log_summary in it")).hint(
                "pipe bf-parse-log into it, or give a file that bf-parse-log or bf-monitor wrote",
            )
        })?;
        input.incomplete = if ends_with_entries && !input.ledger.is_empty() {
            Some("ledger entries without the summary that ends them".to_owned())
        } else {
            shortfall(&input.ledger, &input.summary)
        };
        Ok(input)
    }
}

/// Whether a line begins as a document does and is no JSON: what a full disk or a killed writer leaves.
fn is_cut(line: &str) -> bool {
    line.trim_start().starts_with("{\"")
        && serde_json::from_str::<serde::de::IgnoredAny>(line).is_err()
}

/// Where the entries, if there are any, do not come to what the summary counts.
fn shortfall(ledger: &BTreeMap<NaiveDate, LedgerEntry>, summary: &LogSummary) -> Option<String> {
    if ledger.is_empty() {
        return None;
    }
    let with = |status: LedgerStatus| ledger.values().filter(move |entry| entry.status == status);
    let counts = [
        ("successful", LedgerStatus::Success, summary.successful_days),
        ("failed", LedgerStatus::Failed, summary.failed_days),
    ];
    for (word, status, counted) in counts {
        let entries = with(status).count() as u64;
        if entries != counted {
            return Some(format!(
                "{entries} of its entries are {word} dates, and its summary counts {counted}"
            ));
        }
    }
    let records = with(LedgerStatus::Success)
        .filter_map(|entry| entry.records)
        .fold(0_u64, u64::saturating_add);
    (records != summary.total_records).then(|| {
        format!(
            "its entries come to {records} records, and its summary to {}",
            summary.total_records
        )
    })
}

#[cfg(test)]
mod tests {
    use super::LogInput;

    fn summary(days: u64) -> String {
        let document = bf_contract::LogSummary {
            successful_days: days,
            ..Default::default()
        };
        serde_json::to_string(&document).expect("JSON")
    }

    #[test]
    fn the_last_summary_counts() {
        let stream = format!("a banner\n{}\n{}\n", summary(1), summary(2));
        let input = LogInput::read_from(stream.as_bytes(), "test").expect("a summary");
        assert_eq!(input.summary.successful_days, 2);
    }

    #[test]
    fn the_dates_of_an_earlier_log_are_no_claims_of_the_last_one() {
        let entry = |day: u32| {
            format!(
                "{{\"type\":\"ledger_entry\",\"schema\":1,\"date\":\"2024-12-{day:02}\",\
                 \"status\":\"success\",\"records\":16,\"attempts\":1,\"run\":1,\"reason\":null}}\n"
            )
        };
        let (first, last) = (summary(2), summary(1));
        let stream = [&entry(5), &entry(6), &first, "\n", &entry(7), &last].concat();
        let input = LogInput::read_from(stream.as_bytes(), "test").expect("a summary");
        let days: Vec<String> = input.ledger.keys().map(ToString::to_string).collect();
        assert_eq!(days, ["2024-12-07"]);
    }

    #[test]
    fn a_stream_without_a_summary_cannot_be_checked() {
        let failure =
            LogInput::read_from(&b"{\"type\": \"weather\"}\n"[..], "test").expect_err("none");
        assert_eq!(failure.exit.code(), 3);
    }

    #[test]
    fn a_summary_of_a_later_schema_is_not_passed_over() {
        let stream = summary(1).replace("\"schema\":1", "\"schema\":2");
        assert!(LogInput::read_from(stream.as_bytes(), "test").is_err());
    }
}
