//! A large file, scanned by two threads and understood in order.
//!
//! Each thread takes the next piece of the file, looks for the lines that say something where they lie in the
//! page cache, waits for its turn, and hands them over.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::parser::Cut;
use crate::window::Window;
use crate::{Dialects, LogParser};

/// One piece. Two of them and what is found in them are all the memory that this takes; smaller ones cost more
/// calls and more waits for the turn than they save.
const PIECE: u64 = 4 * 1024 * 1024;
/// Below this a second thread costs more than it saves.
pub(crate) const WORTH_IT: u64 = 2 * PIECE;
const MOST_THREADS: usize = 2;

/// Whose turn it is to hand over.
struct Turn<'a> {
    parser: &'a mut LogParser,
    piece: u64,
    failed: Option<io::Error>,
}

/// What the threads share.
struct Work<'a> {
    file: &'a File,
    bytes: Range<u64>,
    /// The length of a piece.
    piece: u64,
    dialects: Dialects,
    /// The piece to take next.
    next: AtomicU64,
    turn: Mutex<Turn<'a>>,
    changed: Condvar,
}

/// Reads these bytes of `file`.
///
/// # Errors
/// The file cannot be read; what stands before that was taken in.
pub(crate) fn read(file: &File, bytes: Range<u64>, parser: &mut LogParser) -> io::Result<()> {
    read_pieces(file, bytes, PIECE, parser)
}

fn read_pieces(
    file: &File,
    bytes: Range<u64>,
    piece: u64,
    parser: &mut LogParser,
) -> io::Result<()> {
    let threads = std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MOST_THREADS);
    let work = Work {
        file,
        bytes,
        piece,
        dialects: parser.dialects().clone(),
        next: AtomicU64::new(0),
        turn: Mutex::new(Turn {
            parser,
            piece: 0,
            failed: None,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work.run());
        }
        work.run();
    });
    let turn = work.turn.into_inner();
    let turn = turn.unwrap_or_else(PoisonError::into_inner);
    turn.failed.map_or(Ok(()), Err)
}

impl Work<'_> {
    fn run(&self) {
        let mut cut = Cut::default();
        loop {
            let piece = self.next.fetch_add(1, Ordering::Relaxed);
            let start = self.bytes.start + piece * self.piece;
            if start >= self.bytes.end {
                return;
            }
            let window = Window::of(self.file, start..self.bytes.end.min(start + self.piece));
            if let Ok(window) = &window {
                cut.fill(window, &self.dialects);
            }

            let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            while turn.piece != piece && turn.failed.is_none() {
                turn = self
                    .changed
                    .wait(turn)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if turn.failed.is_some() {
                return;
            }
            match window {
                Ok(window) => turn.parser.absorb(&window, &cut, None),
                Err(error) => turn.failed = Some(error),
            }
            turn.piece += 1;
            drop(turn);
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::read_pieces;
    use crate::{Dialects, LogEnd, LogParser};

    /// A log of several pieces whose lines, runs and odd characters fall where they may.
    fn log(mut of_bytes: usize, long: usize) -> Vec<u8> {
        let mut log = Vec::new();
        let mut day = 0_u32;
        while of_bytes > 0 {
            let before = log.len();
            let date = format!(
                "2{:03}-{:02}-{:02}",
                day / 336,
                day / 28 % 12 + 1,
                day % 28 + 1
            );
            let date = date.replacen("20", "21", usize::from(day.is_multiple_of(977)));
            log.extend_from_slice(
                format!("INFO:__main__:Processing day {}/9: {date}\n", day % 9 + 1).as_bytes(),
            );
            log.extend_from_slice(
                format!("INFO:x.y:{}\r\n", "chatter ".repeat(day as usize % 40)).as_bytes(),
            );
            log.extend_from_slice(match day % 5 {
                0 => "ERROR:__main__:Exception during processing: x\nTraceback (most recent call last):\nX\n".as_bytes(),
                1 => "\x1b[31mERROR\x1b[0m:__main__:  ✗ Failed: y\n".as_bytes(),
                _ => "INFO:__main__:  ✓ Success: 16 records\n".as_bytes(),
            });
            if day % 5_000 == 4_999 {
                log.extend(std::iter::repeat_n(b'z', long));
            }
            day += 1;
            of_bytes = of_bytes.saturating_sub(log.len() - before);
        }
        log
    }

    #[test]
    fn two_threads_understand_what_one_does() {
        let piece = 256 * 1024;
        for (bytes, long, from_byte) in [
            (9 * piece, 0, 0),
            (10 * piece, 3 * piece, 0),
            (8 * piece, 0, 12_345),
        ] {
            let mut log = log(bytes, long);
            if long == 0 {
                log.truncate(bytes);
            }
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("x.log");
            std::fs::write(&path, &log).expect("written");

            let mut one = LogParser::new(Dialects::built_in());
            one.feed(&log[from_byte..]);
            let mut two = LogParser::new(Dialects::built_in());
            let file = File::open(&path).expect("readable");
            let bytes = from_byte as u64..log.len() as u64;
            read_pieces(&file, bytes, piece as u64, &mut two).expect("readable");

            assert_eq!(
                one.summary(LogEnd::StillWritten),
                two.summary(LogEnd::StillWritten)
            );
            assert_eq!(
                one.ledger(LogEnd::WriterGone),
                two.ledger(LogEnd::WriterGone)
            );
            assert_eq!(one.snapshot(), two.snapshot());
            // And both go on in the same way.
            for parser in [&mut one, &mut two] {
                parser.feed(b"\nINFO:__main__:PARALLEL BACKFILL COMPLETE\n");
            }
            assert_eq!(one.snapshot(), two.snapshot());
        }
    }
}
