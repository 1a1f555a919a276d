//! Lines without a logging prefix: what Python and the shell say when a program does not end as it should.

use memchr::memmem;

use super::{Message, Rule};
use crate::bytes::trim;
use crate::event::{Crash, Event, Span};

pub(super) fn read(message: &Message<'_>) -> Option<Rule> {
    let text = message.text;
    (message.indent == 0).then_some(())?;
    match text.first()? {
        b'T' if text.starts_with(b"Traceback (most recent call last):") => {
            Some((Event::Crash(Crash::Traceback), "traceback"))
        }
        b'K' if matches!(trim(text), b"KeyboardInterrupt" | b"Killed") => {
            Some((Event::Crash(Crash::Stopped), "stopped"))
        }
        b'T' if trim(text) == b"Terminated" => Some((Event::Crash(Crash::Stopped), "stopped")),
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
/// the traceback of a thread, which ends nothing.
pub(super) fn owns(message: &Message<'_>) -> Option<bool> {
    let text = message.text;
    (text.starts_with(b"Exception in thread ")
        || text.starts_with(b"During handling of the above exception")
        || text.starts_with(b"The above exception was the direct cause"))
    .then_some(true)
}
