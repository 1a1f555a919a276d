//! A large file, read and scanned by two threads and understood in order.
//!
//! Each thread takes the next piece of the file, reads it into a buffer of its own, finds the lines that
//! say something, waits for its turn, and hands them over while the piece is still in its cache.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::parser::Cut;
use crate::{Dialects, LogParser};

/// One piece. Smaller ones wait for their turn more often than they gain. Two of them and what is found in
/// them are all the memory that reading takes.
const PIECE: u64 = 512 * 1024;
/// Below this a second thread costs more than it saves.
pub(crate) const WORTH_IT: u64 = 8 * PIECE;
const MOST_THREADS: usize = 2;

/// Whose turn it is to hand over.
struct Turn<'a> {
    parser: &'a mut LogParser,
    piece: u64,
    /// The end of the file was seen, or reading failed.
    over: bool,
    failed: Option<io::Error>,
}

/// Reads `file` from `from_byte` to its end as it is when it is reached.
///
/// # Errors
/// The file cannot be read; what stands before that was taken in.
pub(crate) fn read(file: &File, from_byte: u64, parser: &mut LogParser) -> io::Result<()> {
    let threads = std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MOST_THREADS);
    let dialects = parser.dialects().clone();
    let next = AtomicU64::new(0);
    let turn = Mutex::new(Turn {
        parser,
        piece: 0,
        over: false,
        failed: None,
    });
    let changed = Condvar::new();
    let work = || work(file, from_byte, &dialects, &next, &turn, &changed);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let turn = turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    turn.failed.map_or(Ok(()), Err)
}

fn work(
    file: &File,
    from_byte: u64,
    dialects: &Dialects,
    next: &AtomicU64,
    turn: &Mutex<Turn<'_>>,
    changed: &Condvar,
) {
    let mut buffer = vec![0; usize::try_from(PIECE).unwrap_or_default()];
    let mut cut = Cut::default();
    loop {
        let piece = next.fetch_add(1, Ordering::Relaxed);
        let read = fill(file, &mut buffer, from_byte + piece * PIECE);
        let length = *read.as_ref().unwrap_or(&0);
        cut.fill(&buffer[..length], dialects);

        let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        while turn.piece != piece && !turn.over {
            turn = changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.over {
            return;
        }
        turn.parser.absorb(&buffer[..length], &cut, None);
        turn.piece += 1;
        if let Err(error) = read {
            turn.failed = Some(error);
            turn.over = true;
        } else if length < buffer.len() {
            turn.over = true;
        }
        let over = turn.over;
        drop(turn);
        changed.notify_all();
        if over {
            return;
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], at + length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{PIECE, read};
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
        let piece = usize::try_from(PIECE).expect("small");
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
            read(&file, from_byte as u64, &mut two).expect("readable");

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
