//! Where the bytes come from: a file, standard input, either of them compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use bf_cli::{Context, Failure};
use flate2::bufread::MultiGzDecoder;

use crate::LogParser;
use crate::dialect::event::Event;
use crate::encoding::{Encoding, HEAD, Utf16};
use crate::explain::Trace;
use crate::line::escapes::clean;
use crate::line::split::{LONGEST, Splitter};
use crate::scan::{Scanner, State};
use crate::shapes::Shapes;

/// What is done with each piece.
type Feed<'a> = &'a mut dyn FnMut(&mut LogParser, &[u8]);

/// One read; small enough to stay in the processor's cache.
const PIECE: usize = 256 * 1024;

/// Reads all of `path` (`-` is `stdin`) into `parser`, from `from_byte` on.
///
/// # Errors
/// The log cannot be opened or read, is shorter than `from_byte`, or is compressed in a way that is not
/// read here: could not check (exit 3).
pub(crate) fn read(
    path: &Path,
    from_byte: u64,
    stdin: Box<dyn Read + Send>,
    parser: &mut LogParser,
) -> Result<(), Failure> {
    let doing = || format!("reading {}", path.display());
    if path == Path::new("-") {
        let stream = BufReader::with_capacity(PIECE, stdin);
        return pour(stream, from_byte, path, parser, &mut LogParser::feed);
    }
    let mut file = File::open(path).or_could_not_check(doing)?;
    let metadata = file.metadata().or_could_not_check(doing)?;
    let mut head = [0; HEAD];
    let length = if metadata.is_file() {
        read_head(&mut file, &mut head).or_could_not_check(doing)?
    } else {
        0
    };
    // A named pipe (or what a shell puts in the place of `<(zcat x.gz)`) cannot be wound, and what is not
    // plain text has no bytes to begin at.
    if !metadata.is_file() || Encoding::of(&head[..length]) != Encoding::Plain {
        if metadata.is_file() {
            file.seek(SeekFrom::Start(0)).or_could_not_check(doing)?;
        }
        let stream = BufReader::with_capacity(PIECE, file);
        return pour(stream, from_byte, path, parser, &mut LogParser::feed);
    }
    if from_byte > metadata.len() {
        return Err(too_short(path, metadata.len(), from_byte));
    }
    file.seek(SeekFrom::Start(from_byte))
        .or_could_not_check(doing)?;
    drain(&mut file, parser, &mut LogParser::feed).or_could_not_check(doing)?;
    if from_byte + parser.bytes() < metadata.len() {
        return Err(Failure::could_not_check(format!(
            "reading {}: the log was truncated while it was read",
            path.display()
        )));
    }
    Ok(())
}

fn read_head(file: &mut File, head: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn too_short(path: &Path, length: u64, from_byte: u64) -> Failure {
    Failure::could_not_check(format!(
        "reading {}: it has {length} bytes, and reading is to begin at byte {from_byte}",
        path.display()
    ))
    .hint("the log was truncated or rotated since; read it from its beginning")
}

/// A stream that may be compressed and cannot be wound.
fn pour(
    mut stream: impl BufRead,
    from_byte: u64,
    path: &Path,
    parser: &mut LogParser,
    feed: Feed<'_>,
) -> Result<(), Failure> {
    let doing = || format!("reading {}", path.display());
    let encoding = Encoding::of(stream.fill_buf().or_could_not_check(doing)?);
    if let Encoding::Foreign(name, command) = encoding {
        let shown = path.display();
        return Err(Failure::could_not_check(format!(
            "reading {shown}: it is compressed with {name}, which is not read here"
        ))
        .hint(format!("{command} {shown} | bf-parse-log -")));
    }
    let mut stream: Box<dyn Read + '_> = match encoding {
        Encoding::Gzip => {
            let mut stream = BufReader::with_capacity(PIECE, MultiGzDecoder::new(stream));
            // A log in UTF-16 may be compressed, too.
            match Encoding::of(stream.fill_buf().unwrap_or_default()) {
                Encoding::Utf16 { big_endian } => Box::new(Utf16::new(stream, big_endian)),
                _ => Box::new(stream),
            }
        }
        Encoding::Utf16 { big_endian } => Box::new(Utf16::new(stream, big_endian)),
        Encoding::Plain | Encoding::Foreign(..) => Box::new(stream),
    };
    let skipped = io::copy(&mut stream.by_ref().take(from_byte), &mut io::sink())
        .or_could_not_check(doing)?;
    if skipped < from_byte {
        return Err(too_short(path, skipped, from_byte));
    }
    match drain(&mut stream, parser, feed) {
        // A compressed log that is still being written, or was truncated: what is there counts.
        Err(error) if encoding == Encoding::Gzip && error.kind() == ErrorKind::UnexpectedEof => {
            parser.note("the compressed log ends in the middle; what could be read counts");
            Ok(())
        }
        other => other.or_could_not_check(doing),
    }
}

/// Reads the lines of a file from its last one to its first: a log with the newest line first.
///
/// # Errors
/// It cannot be read: could not check (exit 3).
pub(crate) fn read_backwards(path: &Path, parser: &mut LogParser) -> Result<(), Failure> {
    let doing = || format!("reading {}", path.display());
    let mut file = File::open(path).or_could_not_check(doing)?;
    let mut position = file.metadata().or_could_not_check(doing)?.len();
    let mut piece = vec![0; PIECE];
    // The beginning of a line whose end was handed on, in the order of the file.
    let mut rest: Vec<u8> = Vec::new();
    let mut turned = Vec::with_capacity(PIECE);
    while position > 0 {
        let length = usize::try_from(position).map_or(PIECE, |left| left.min(PIECE));
        position -= length as u64;
        file.seek(SeekFrom::Start(position))
            .and_then(|_| file.read_exact(&mut piece[..length]))
            .or_could_not_check(doing)?;
        turned.clear();
        let mut end = length;
        for feed in memchr::memrchr_iter(b'\n', &piece[..length]) {
            turned.extend_from_slice(&piece[feed + 1..end]);
            turned.extend_from_slice(&rest);
            turned.push(b'\n');
            rest.clear();
            end = feed;
        }
        let room = LONGEST.saturating_sub(rest.len());
        let start = piece[..end].to_vec();
        rest.splice(0..0, start.into_iter().take(room));
        parser.feed(&turned);
    }
    rest.push(b'\n');
    parser.feed(&rest);
    Ok(())
}

/// As [`read`], piece by piece in order; `show` sees every line that says something, `shapes` those that
/// say nothing.
///
/// # Errors
/// As [`read`].
pub(crate) fn explain(
    path: &Path,
    from_byte: u64,
    stdin: Box<dyn Read + Send>,
    parser: &mut LogParser,
    show: &mut dyn FnMut(&Trace<'_>),
    shapes: &mut Shapes,
) -> Result<(), Failure> {
    let doing = || format!("reading {}", path.display());
    let stream: Box<dyn Read + Send> = if path == Path::new("-") {
        stdin
    } else {
        Box::new(File::open(path).or_could_not_check(doing)?)
    };
    let dialects = parser.dialects().clone();
    let mut splitter = Splitter::new();
    let stream = BufReader::with_capacity(PIECE, stream);
    let mut scanner = Scanner::of(&dialects, dialects.tried());
    let mut state = State::default();
    let mut add = |line: &[u8], number| {
        let mut says = false;
        scanner.line(
            line,
            true,
            0,
            &dialects,
            &mut state,
            &mut |reading, _, _| {
                says |= !matches!(reading.event, Event::UnreadError(_));
            },
        );
        if !says {
            shapes.add(&clean(line), number);
        }
    };
    pour(stream, from_byte, path, parser, &mut |parser, piece| {
        parser.feed_observed(piece, Some(show));
        splitter.feed(piece, &mut add);
    })?;
    add(splitter.unfinished(), splitter.lines());
    Ok(())
}

fn drain(stream: &mut impl Read, parser: &mut LogParser, feed: Feed<'_>) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => feed(parser, &piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
