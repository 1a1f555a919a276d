//! Rows on their way from the thread that reads them to the one that judges them.
//!
//! SQLite needs about as long to read a row as a suite needs to judge it, so that two threads are done in
//! little more than half the time. Order is kept, and a short result never leaves its thread.

use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use crate::{Field, Record};

/// Rows of a batch: enough to make a handover cheap, few enough to stay in the processor's cache.
const ROWS: usize = 256;
/// A batch with more text than this is handed over early.
const BYTES: usize = 256 * 1024;
/// Batches that wait to be judged.
const WAITING: usize = 2;

/// Copies of some rows.
#[derive(Debug, Default)]
struct Batch {
    rows: usize,
    fields: Vec<Packed>,
    /// The texts, one after the other.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Packed {
    Null,
    Int(i64),
    Float(f64),
    Text { start: usize, length: usize },
}

impl Batch {
    fn add<'a>(&mut self, fields: impl Iterator<Item = Field<'a>>) {
        self.rows += 1;
        for field in fields {
            self.fields.push(match field {
                Field::Null => Packed::Null,
                Field::Int(number) => Packed::Int(number),
                Field::Float(number) => Packed::Float(number),
                Field::Text(text) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(text);
                    Packed::Text {
                        start,
                        length: text.len(),
                    }
                }
            });
        }
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes.len() >= BYTES
    }

    fn hand_out(&self, each: &mut dyn FnMut(Record<'_>)) {
        let width = self.fields.len() / self.rows.max(1);
        for row in self.fields.chunks_exact(width.max(1)) {
            let fields = row.iter().map(|field| match *field {
                Packed::Null => Field::Null,
                Packed::Int(number) => Field::Int(number),
                Packed::Float(number) => Field::Float(number),
                Packed::Text { start, length } => Field::Text(&self.bytes[start..start + length]),
            });
            Record::hand_out(fields, each);
        }
    }

    fn clear(&mut self) {
        self.rows = 0;
        self.fields.clear();
        self.bytes.clear();
    }
}

/// Hands out every row of `cursor`, in order, on a thread of its own once there are more than a few.
///
/// # Errors
/// The cursor broke off; the rows before that may have been handed out.
pub(super) fn hand_out(
    cursor: &mut rusqlite::Rows<'_>,
    width: usize,
    each: &mut (dyn FnMut(Record<'_>) + Send),
) -> rusqlite::Result<()> {
    let mut batch = Batch::default();
    if !fill(cursor, width, &mut batch)? {
        batch.hand_out(each);
        return Ok(());
    }
    thread::scope(|scope| {
        let (full, to_judge) = sync_channel::<Batch>(WAITING);
        let (judged, free) = channel::<Batch>();
        let judge = scope.spawn(move || {
            while let Ok(mut batch) = to_judge.recv() {
                batch.hand_out(each);
                batch.clear();
                // The reader may be done, and want no batch any more.
                let _ = judged.send(batch);
            }
        });
        let read = loop {
            let next = free.try_recv().unwrap_or_default();
            // The judge goes only when it panics, which joining it passes on.
            if full.send(std::mem::replace(&mut batch, next)).is_err() {
                break Ok(());
            }
            match fill(cursor, width, &mut batch) {
                Ok(true) => {}
                Ok(false) => break full.send(batch).or(Ok(())),
                Err(error) => break Err(error),
            }
        };
        drop(full);
        if let Err(panic) = judge.join() {
            std::panic::resume_unwind(panic);
        }
        read
    })
}

/// Whether the batch is full; if not, there are no more rows.
fn fill(
    cursor: &mut rusqlite::Rows<'_>,
    width: usize,
    batch: &mut Batch,
) -> rusqlite::Result<bool> {
    while let Some(row) = cursor.next()? {
        batch.add((0..width).map(|at| row.get_ref(at).map_or(Field::Null, Field::from)));
        if batch.is_full() {
            return Ok(true);
        }
    }
    Ok(false)
}
