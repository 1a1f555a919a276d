//! Says what became of each channel, as it becomes known.

use std::collections::BTreeSet;

use bf_cli::{Failure, Interrupt, Output};
use bf_contract::{Delivery, DeliveryStatus, DeliveryType, Exit, NotificationEvent, Schema};

use crate::Outcome;

/// The channels that are being told, and what is known of them.
pub(crate) struct Desk {
    output: Output,
    event: Option<NotificationEvent>,
    waiting: BTreeSet<String>,
    all_told: bool,
    /// Output without a reader is reported at the end: the other channels are notified all the same.
    written: Result<(), Failure>,
}

impl Desk {
    /// Nothing is known yet.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            event: None,
            waiting: BTreeSet::new(),
            all_told: true,
            written: Ok(()),
        }
    }

    /// Takes the event, none where nothing is sent, and the names of the channels that are concerned.
    ///
    /// # Errors
    /// The output has no reader (exit 3).
    pub(crate) fn open(
        &mut self,
        event: Option<NotificationEvent>,
        names: impl Iterator<Item = String>,
    ) -> Result<(), Failure> {
        self.event = event;
        self.waiting = names.collect();
        match event {
            _ if !self.waiting.is_empty() => Ok(()),
            Some(event) => {
                let line = format!("bf-notify: no channel wants {}", event.word());
                self.output.text(line)
            }
            None => self.output.text("bf-notify: no channel is configured"),
        }
    }

    /// Says what became of a channel.
    pub(crate) fn done(&mut self, name: &str, outcome: Outcome) {
        self.waiting.remove(name);
        let attempts = outcome.attempts;
        let times = format!("{attempts} attempt{}", if attempts == 1 { "" } else { "s" });
        let said = match (&outcome.result, self.event) {
            (Ok(()), None) => "reachable".to_owned(),
            (Err(reason), None) => format!("not reachable: {reason}"),
            (Ok(()), Some(_)) if attempts == 1 => "delivered".to_owned(),
            (Ok(()), Some(_)) => format!("delivered after {times}"),
            (Err(reason), Some(_)) if attempts == 0 => format!("not sent: {reason}"),
            (Err(reason), Some(_)) => format!("gave up after {times}: {reason}"),
        };
        self.say(name, &said, Some(attempts), outcome.result.err());
    }

    /// Says which channels were not told because of a signal.
    ///
    /// # Errors
    /// The output has no reader (exit 3).
    pub(crate) fn interrupted(&mut self, signal: Interrupt) -> Result<(), Failure> {
        for name in std::mem::take(&mut self.waiting) {
            let reason = format!("{} arrived first", signal.name());
            self.say(&name, &format!("gave up: {reason}"), None, Some(reason));
        }
        std::mem::replace(&mut self.written, Ok(()))
    }

    /// What it all came to.
    ///
    /// # Errors
    /// The output has no reader (exit 3).
    pub(crate) fn close(&mut self) -> Result<Exit, Failure> {
        std::mem::replace(&mut self.written, Ok(()))?;
        Ok(if self.all_told {
            Exit::Success
        } else {
            Exit::CouldNotCheck
        })
    }

    fn say(&mut self, name: &str, said: &str, attempts: Option<u32>, reason: Option<String>) {
        self.all_told &= reason.is_none();
        let status = match (&reason, self.event) {
            (Some(_), _) => DeliveryStatus::Failed,
            (None, Some(_)) => DeliveryStatus::Delivered,
            (None, None) => DeliveryStatus::Reachable,
        };
        let document = Delivery {
            kind: DeliveryType,
            schema: Schema,
            channel: name.to_owned(),
            event: self.event,
            status,
            attempts,
            reason,
        };
        let text = self
            .output
            .text(format!("bf-notify: channel {name}: {said}"));
        let written = text.and(self.output.document(&document));
        if self.written.is_ok() {
            self.written = written;
        }
    }
}
