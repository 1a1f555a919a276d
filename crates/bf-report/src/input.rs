//! From a run directory, a file or standard input to documents.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bf_cli::text::printable;
use bf_cli::{Context, Failure};
use bf_contract::{Document, DocumentError, StreamExit, read_document};

/// The documents of a stream, in order.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub documents: Vec<Document>,
    /// What was passed over, for people.
    pub passed_over: Vec<String>,
    /// How the tools ended that printed them.
    pub exit: StreamExit,
}

/// How much of a path or a reason a note shows, in characters.
const NOTE: usize = 300;

/// Reads the documents of a run directory, a file, or standard input (`-`).
///
/// # Errors
/// It cannot be read, holds no document, or holds one that this version cannot read (exit 3).
pub(crate) fn read(path: &Path, stdin: &mut dyn Read) -> Result<Input, Failure> {
    if path.as_os_str() == "-" {
        return read_stream(stdin, "standard input");
    }
    let file = if path.is_dir() {
        path.join("documents.ndjson")
    } else {
        path.to_owned()
    };
    let name = file.display().to_string();
    let open = File::open(&file).or_could_not_check(|| format!("reading {name}"));
    let open = open.map_err(|failure| {
        if path.is_dir() {
            failure.hint("name the directory of a run: bf-orchestrate history lists them")
        } else {
            failure
        }
    })?;
    read_stream(open, &name)
}

fn read_stream(stream: impl Read, name: &str) -> Result<Input, Failure> {
    let mut input = Input::default();
    let mut unreadable = 0u64;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = reader
            .read_until(b'\n', &mut line)
            .or_could_not_check(|| format!("reading {name}"))?;
        if bytes == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match read_document(&text) {
            Ok(Document::Unknown(kind)) => input
                .passed_over
                .push(format!("a document of type {}", printable(&kind, NOTE))),
            Ok(document) => {
                input.exit.add(&document);
                input.documents.push(document);
            }
            // A banner, or the half of a document that is still being written.
            Err(DocumentError::NotADocument(_)) => {
                unreadable += 1;
                if text.trim_start().starts_with('{') {
                    input.exit.truncated();
                }
            }
            Err(error @ DocumentError::Malformed { .. }) => {
                return Err(
                    Failure::could_not_check(format!("reading {name}: {error}")).hint(
                        "a document of a newer bf, or one that was edited; nothing was written",
                    ),
                );
            }
        }
    }
    if unreadable > 0 {
        let plural = if unreadable == 1 { "" } else { "s" };
        input
            .passed_over
            .push(format!("{unreadable} line{plural} that are not documents"));
    }
    if input.documents.is_empty() {
        return Err(
            Failure::could_not_check(format!("{name} holds no document of bf"))
                .hint("bf-report reads what the tools print with --format json"),
        );
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::read_stream;

    const ENTRY: &str = r#"{"type":"ledger_entry","schema":1,"date":"2024-01-07","status":"failed","records":null,"attempts":1,"run":1,"reason":null}"#;

    #[test]
    fn what_is_not_a_document_is_passed_over_and_counted() {
        let stream = format!(
            "a banner\n{ENTRY}\n{{\"type\":\"weather\"}}\n{}",
            &ENTRY[..40]
        );
        let input = read_stream(stream.as_bytes(), "x").expect("one document");
        assert_eq!(input.documents.len(), 1);
        assert_eq!(
            input.passed_over,
            [
                "a document of type weather",
                "2 lines that are not documents"
            ]
        );
    }

    #[test]
    fn nothing_to_report_and_a_newer_schema_are_failures() {
        for stream in [
            "",
            "a banner\n",
            &ENTRY.replace("\"schema\":1", "\"schema\":2"),
        ] {
            let failure = read_stream(stream.as_bytes(), "x").expect_err("no page");
            assert_eq!(failure.exit.code(), 3, "{stream}");
        }
    }
}
