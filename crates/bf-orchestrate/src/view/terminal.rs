//! The terminal that the live bars are drawn on. It may go away in the middle of a run: then nothing is drawn any
//! more, and the run goes on. (The library's own terminal makes a panic of it.)

use std::io::{self, Write};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

/// How often the bars are drawn, in times a second.
const RATE: u8 = 10;

/// Bars on standard error.
pub(crate) fn bars() -> MultiProgress {
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(Terminal), RATE);
    MultiProgress::with_draw_target(target)
}

#[derive(Debug)]
struct Terminal;

/// Writes what can be written.
fn write(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    Ok(())
}

fn escape(count: usize, letter: char) -> io::Result<()> {
    match count {
        0 => Ok(()),
        count => write(&format!("\x1b[{count}{letter}")),
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| size.ws_col.max(20))
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        escape(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        escape(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        escape(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        escape(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        write(&format!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        write(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        write("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}
