//! Where documents and text go, decided once from the flags and the streams.

use std::io::{self, ErrorKind, Write};

use bf_contract::Exit;
use serde::Serialize;

use crate::text::Style;
use crate::{Failure, Format, OutputArgs, Sink, Streams};

/// The output of a tool: documents for machines, text for people.
pub struct Output {
    documents: Option<Box<dyn Write + Send>>,
    text: Option<Box<dyn Write + Send>>,
    text_is_terminal: bool,
    columns: Option<u16>,
    style: Style,
    is_view: bool,
}

impl Output {
    /// Decides where documents and text go. See [`Format`].
    #[must_use]
    pub fn new(args: &OutputArgs, streams: Streams) -> (Self, Box<dyn std::io::Read + Send>) {
        Self::with(
            !args.format.writes_documents(&streams),
            false,
            args,
            streams,
        )
    }

    /// The output of a view, such as a run's status: it carries no verdict. Text for people unless `--format json`
    /// asks for documents, and a reader that went away is no failure.
    #[must_use]
    pub fn view(args: &OutputArgs, streams: Streams) -> (Self, Box<dyn std::io::Read + Send>) {
        Self::with(args.format != Format::Json, true, args, streams)
    }

    fn with(
        as_text: bool,
        is_view: bool,
        args: &OutputArgs,
        streams: Streams,
    ) -> (Self, Box<dyn std::io::Read + Send>) {
        let Streams {
            stdin,
            stdout,
            stderr,
        } = streams;
        let (documents, text): (Option<Sink>, Option<Sink>) = if as_text {
            (None, Some(stdout))
        } else {
            (Some(stdout), (!args.quiet).then_some(stderr))
        };
        let text_is_terminal = text.as_ref().is_some_and(|sink| sink.is_terminal);
        let columns = text.as_ref().and_then(|sink| sink.columns);
        let output = Self {
            columns,
            documents: documents.map(|sink| sink.writer),
            text: text.map(|sink| sink.writer),
            text_is_terminal,
            style: Style::detect(args.color, text_is_terminal),
            is_view,
        };
        (output, stdin)
    }

    /// How text for people is to look.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether a person looks at the text while it is written, so that a live bar makes sense.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.text_is_terminal
    }

    /// Columns of the terminal that shows the text; `None` if there is none, so that what goes into a
    /// file or a pipe stays one line.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.columns
            .filter(|_| self.text_is_terminal)
            .map(usize::from)
    }

    /// Whether documents are written.
    #[must_use]
    pub fn writes_documents(&self) -> bool {
        self.documents.is_some()
    }

    /// Writes one document as one line, whole.
    ///
    /// # Errors
    /// The line could not be written. A reader that went away is not a pass: exit 3.
    pub fn document(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        let Some(writer) = &mut self.documents else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(document).map_err(|error| {
            Failure::could_not_check(format!("writing a document as JSON: {error}"))
        })?;
        line.push(b'\n');
        write_whole(writer, &line).map_err(|error| not_written(&error, self.is_view))
    }

    /// Writes lines of text for people. Where the documents carry the result, text that cannot be written
    /// is dropped; if the text is the result, that is a failure.
    ///
    /// # Errors
    /// The text is the only output, and it could not be written.
    pub fn text(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        let Some(writer) = &mut self.text else {
            return Ok(());
        };
        match write_whole(writer, format!("{text}\n").as_bytes()) {
            Err(_) if self.documents.is_some() => Ok(()),
            // The terminal was closed: what it would have shown decides nothing.
            Err(error) if self.text_is_terminal && is_hung_up(&error) => Ok(()),
            written => written.map_err(|error| not_written(&error, self.is_view)),
        }
    }
}

fn write_whole(writer: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).and_then(|()| writer.flush())
}

fn is_hung_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

fn not_written(error: &io::Error, is_view: bool) -> Failure {
    if is_view && error.kind() == ErrorKind::BrokenPipe {
        return Failure::silent();
    }
    let what = if error.kind() == ErrorKind::BrokenPipe {
        "the reader went away".to_owned()
    } else {
        error.to_string()
    };
    Failure::new(
        Exit::CouldNotCheck,
        format!("writing to standard output: {what}"),
    )
}
