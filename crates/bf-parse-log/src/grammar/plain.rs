//! Lines without a logging prefix: what Python and the shell say when a program does not end as it should.

use memchr::memmem;

use super::{Message, Rule};
use crate::dialect::event::{Crash, Event, Span};
use crate::line::fields::trim;

pub(super) fn read(message: &Message<'_>) -> Option<Rule> {
    (message.indent == 0).then_some(())?;
    // A terminal shows Ctrl-C before what Python says to it.
    let text = message.text.strip_prefix(b"^C").unwrap_or(message.text);
    if ends_by_signal(text) {
        return Some((Event::Crash(Crash::Stopped), "stopped"));
    }
    match text.first()? {
        b'T' if text.starts_with(b"Traceback (most recent call last):") => {
            Some((Event::Crash(Crash::Traceback), "traceback"))
        }
        b'F' if text.starts_with(b"Fatal Python error: ") => {
            Some((Event::Crash(Crash::Traceback), "fatal-python-error"))
        }
        b'S' if text.starts_with(b"Segmentation fault") => {
            Some((Event::Crash(Crash::Traceback), "segmentation-fault"))
        }
        b'V' if text.starts_with(b"ValueError: time data ")
            || text.starts_with(b"ValueError: unconverted data remains") =>
        {
            Some((Event::Crash(Crash::BadArgument), "bad-date-argument"))
        }
        b'u' if text.starts_with(b"usage: ") => {
            let program = text[7..].split(|byte| *byte == b' ').next()?;
            Some((Event::Usage(Span::of(message.line, program)), "usage"))
        }
        _ => argument_error(message),
    }
}

/// What Python says to Ctrl-C, and a shell to a process that a signal ended: `Killed`, or
/// `run.sh: line 3: 4711 Killed    python job.py`.
fn ends_by_signal(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [b"KeyboardInterrupt", b"Killed", b"Terminated"];
    if WORDS.contains(&trim(text)) {
        return true;
    }
    let Some(line) = memmem::find(&text[..text.len().min(300)], b": line ") else {
        return false;
    };
    WORDS[1..].iter().any(|word| {
        memmem::find(&text[line..], word).is_some_and(|at| {
            let before = &text[line..line + at];
            before.ends_with(b" ")
                && before
                    .trim_ascii_end()
                    .last()
                    .is_some_and(u8::is_ascii_digit)
        })
    })
}

/// `job.py: error: the following arguments are required: --start-date`.
fn argument_error(message: &Message<'_>) -> Option<Rule> {
    const ERROR: &[u8] = b": error: ";
    let within = &message.text[..message.text.len().min(200)];
    let at = memmem::find(within, ERROR)?;
    let program = &within[..at];
    (program.ends_with(b".py") && !program.contains(&b' ')).then(|| {
        (
            Event::Refused(Span::of(message.line, &message.text[at + ERROR.len()..])),
            "argument-error",
        )
    })
}

/// Lines inside a message leave the ownership of a traceback as it is, but for the one that introduces
/// the traceback of a thread, which ends nothing, and those of a job that logs without a prefix.
pub(super) fn owns(message: &Message<'_>) -> Option<bool> {
    let text = message.text;
    (text.starts_with(b"Exception in thread ")
        || text.starts_with(b"Exception processing ")
        || text.starts_with(b"Exception during processing: ")
        || text.starts_with(b"During handling of the above exception")
        || text.starts_with(b"The above exception was the direct cause"))
    .then_some(true)
}
