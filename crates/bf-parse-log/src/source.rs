//! Where the bytes come from: a file, standard input, either of them compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use bf_cli::{Context, Failure};
use flate2::bufread::MultiGzDecoder;

use crate::escapes::clean;
use crate::explain::Trace;
use crate::scan::read_line;
use crate::shapes::Shapes;
use crate::split::Splitter;
use crate::window::Window;
use crate::{LogParser, parallel};

/// What is done with each piece.
type Feed<'a> = &'a mut dyn FnMut(&mut LogParser, &[u8]);

/// One read; small enough to stay in the processor's cache.
const PIECE: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads all of `path` (`-` is `stdin`) into `parser`, from `from_byte` on.
///
/// # Errors
/// The log cannot be opened or read, or is shorter than `from_byte`: could not check (exit 3).
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
    if !metadata.is_file() {
        // A named pipe, or what a shell puts in the place of `<(zcat x.gz)`.
        let stream = BufReader::with_capacity(PIECE, file);
        return pour(stream, from_byte, path, parser, &mut LogParser::feed);
    }
    let length = metadata.len();
    let mut magic = [0; 2];
    let is_gzip = match file.read_exact(&mut magic) {
        Ok(()) => magic == GZIP,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(error).or_could_not_check(doing),
    };
    if is_gzip {
        file.seek(SeekFrom::Start(0)).or_could_not_check(doing)?;
        let stream = BufReader::with_capacity(PIECE, file);
        return pour(stream, from_byte, path, parser, &mut LogParser::feed);
    }
    if from_byte > length {
        return Err(too_short(path, length, from_byte));
    }
    if length - from_byte >= parallel::WORTH_IT {
        Window::prepare(path).or_could_not_check(doing)?;
        parallel::read(&file, from_byte..length, parser).or_could_not_check(doing)?;
        // What was written in the meantime.
        file.seek(SeekFrom::Start(length))
            .or_could_not_check(doing)?;
        return drain(&mut file, parser, &mut LogParser::feed).or_could_not_check(doing);
    }
    file.seek(SeekFrom::Start(from_byte))
        .or_could_not_check(doing)?;
    drain(&mut file, parser, &mut LogParser::feed).or_could_not_check(doing)
}

fn too_short(path: &Path, length: u64, from_byte: u64) -> Failure {
    Failure::could_not_check(format!(
        "reading {}: it has {length} bytes, and reading is to begin at byte {from_byte}",
        path.display()
    ))
    .hint("the log was cut or rotated since; read it from its beginning")
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
    let is_gzip = stream
        .fill_buf()
        .or_could_not_check(doing)?
        .starts_with(&GZIP);
    let mut stream: Box<dyn Read + '_> = if is_gzip {
        Box::new(MultiGzDecoder::new(stream))
    } else {
        Box::new(stream)
    };
    let skipped = io::copy(&mut stream.by_ref().take(from_byte), &mut io::sink())
        .or_could_not_check(doing)?;
    if skipped < from_byte {
        return Err(too_short(path, skipped, from_byte));
    }
    match drain(&mut stream, parser, feed) {
        // A compressed log that is still being written, or was cut: what is there counts.
        Err(error) if is_gzip && error.kind() == ErrorKind::UnexpectedEof => {
            parser.note("the compressed log ends in the middle; what could be read counts");
            Ok(())
        }
        other => other.or_could_not_check(doing),
    }
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
    let mut look = |line: &[u8], number| {
        let mut says = false;
        read_line(line, true, &dialects, &mut None, &mut |_| says = true);
        if !says {
            shapes.add(&clean(line), number);
        }
    };
    pour(stream, from_byte, path, parser, &mut |parser, piece| {
        parser.feed_observed(piece, Some(show));
        splitter.feed(piece, &mut look);
    })?;
    look(splitter.unfinished(), splitter.lines());
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
