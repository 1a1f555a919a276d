//! Standard input, output and error as values, so that a tool can be run in a test.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;

/// The three streams of a tool.
pub struct Streams {
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// Standard output.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
}

/// A stream that is written to, with what decides how to write to it.
pub struct Sink {
    /// Where the bytes go.
    pub writer: Box<dyn Write + Send>,
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Columns of the terminal, if it is one that reports them.
    pub columns: Option<u16>,
    /// Device and inode of the file that it goes to, if it is a real one.
    pub file: Option<(u64, u64)>,
}

impl Streams {
    /// The real streams of the process. Called once, by [`crate::main`].
    pub(crate) fn real() -> Self {
        Self {
            stdin: Box::new(std::io::stdin()),
            stdout: Sink::of(std::io::stdout()),
            stderr: Sink::of(std::io::stderr()),
        }
    }

    /// Whether output and error end in the same file, as after `> log 2>&1`.
    #[must_use]
    pub fn share_a_file(&self) -> bool {
        self.stdout.file.is_some() && self.stdout.file == self.stderr.file
    }
}

impl Sink {
    fn of(stream: impl Write + Send + IsTerminal + AsFd + 'static) -> Self {
        let file = rustix::fs::fstat(&stream)
            .ok()
            .map(|stat| (stat.st_dev, stat.st_ino));
        // No terminal, or one that does not know its size, gives 0 or fails.
        let columns = rustix::termios::tcgetwinsize(&stream)
            .ok()
            .map(|size| size.ws_col)
            .filter(|columns| *columns > 0);
        Self {
            is_terminal: stream.is_terminal(),
            columns,
            writer: Box::new(stream),
            file,
        }
    }

    /// A sink that is no terminal and no file: a buffer, a pipe.
    pub fn plain(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Box::new(writer),
            is_terminal: false,
            columns: None,
            file: None,
        }
    }
}
