//! `documents.ndjson` of the run directory: every document of every tool, in the order in which they were printed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bf_cli::text::Mark;

use crate::engine::event::{Listener, RunEvent};
use crate::view::console::Console;

/// The file, from the run's beginning on.
pub(crate) struct Documents<'a> {
    console: &'a Console,
    file: Mutex<Option<File>>,
}

impl<'a> Documents<'a> {
    /// Nothing is written before the run begins.
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            file: Mutex::new(None),
        }
    }

    /// Writes a line whole, with its line end. The first one that cannot be written is the last.
    fn write(&self, line: &[u8]) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut()
            && let Err(error) = open.write_all(line)
        {
            *file = None;
            drop(file);
            self.console.mark(
                Mark::Warn,
                &format!("writing documents.ndjson: {error}; the run continues without it"),
            );
        }
    }
}

impl Listener for Documents<'_> {
    fn on(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::RunStarted { run_dir, .. } => {
                let path = run_dir.path.join("documents.ndjson");
                match open(&path) {
                    Ok(open) => {
                        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
                    }
                    Err(error) => self
                        .console
                        .mark(Mark::Warn, &format!("writing {}: {error}", path.display())),
                }
            }
            RunEvent::Document(line) => self.write(line),
            RunEvent::RunEnded { report, .. } => {
                // Texts, dates and numbers can always be written as JSON.
                if let Ok(mut line) = serde_json::to_vec(report) {
                    line.push(b'\n');
                    self.write(&line);
                }
            }
            _ => {}
        }
    }
}

/// Opens the file for what follows. Half a line, which a crash leaves, must not become the beginning of another.
fn open(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}
