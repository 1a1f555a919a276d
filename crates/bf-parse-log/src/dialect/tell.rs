//! What a rule reports of a line that it matches.

use bf_config::Reads;
use bf_contract::DateRange;
use chrono::NaiveDate;

use super::captures::{Captured, Name};
use super::event::{Crash, Details, Event, Mode, Opened, Opening, Span};
use super::rule::{AFTER_END, Kind, Rule};
use super::rules::{Rules, Told};
use crate::line::fields::{Figure, count_at, figure, find_date, is_too_large, loose_date, trim};

impl Rules {
    fn date(&self, bytes: &[u8]) -> Option<NaiveDate> {
        let Some(format) = &self.date_format else {
            return loose_date(bytes);
        };
        let text = std::str::from_utf8(bytes).ok()?.trim();
        NaiveDate::parse_and_remainder(text, format)
            .ok()
            .map(|(date, _)| date)
            .or_else(|| {
                // A month alone is its first day.
                NaiveDate::parse_and_remainder(&format!("{text} 01"), &format!("{format} %d"))
                    .ok()
                    .map(|(date, _)| date)
            })
    }

    /// How a run goes of which a rule tells nothing else.
    fn mode(&self, rule: &Rule) -> Option<Mode> {
        rule.mode()
            .or((!self.promises.strict).then_some(Mode::Custom))
    }

    /// `None` if the rule matches and yet reports nothing of the line; `text` is what it was tried on.
    pub(super) fn tell(
        &self,
        rule: &Rule,
        captured: &Captured,
        line: &[u8],
        text: &[u8],
    ) -> Option<Told> {
        let mut details = Details::default();
        let mut too_large = false;
        let mut count = |name| {
            let bytes = captured.bytes(name, line)?;
            let found = count_at(bytes);
            too_large |= found.is_none() && is_too_large(bytes);
            found.map(|(count, _)| count)
        };
        let [index, total, of] = [Name::Index, Name::Total, Name::Of].map(&mut count);
        let counts = [Name::Succeeded, Name::Failed, Name::Skipped].map(&mut count);
        let [expected, off_days] = [Name::Expected, Name::OffDays].map(&mut count);
        details.index = index;
        details.total = total;
        details.unit = captured.span(Name::Unit);
        details.worker = captured.span(Name::Worker);
        details.job = captured.span(Name::Job);
        details.from_start = rule.written.date.is_some();
        details.of_list = rule.mode() == Some(Mode::SpecificDates);
        // A date that is named and cannot be read must not become an outcome of the current one.
        let date = captured.bytes(Name::Date, line).and_then(|bytes| {
            let date = self.date(bytes);
            if date.is_none() {
                details.has_bad_date = true;
                details.bad_date = captured.span(Name::Date);
            }
            date
        });
        let day = |name| {
            captured
                .bytes(name, line)
                .and_then(|bytes| self.date(bytes))
        };
        let until = day(Name::EndDate);
        let range = day(Name::Start)
            .zip(until)
            .and_then(|(start, end)| DateRange::new(start, end).ok());
        let reason = captured.span(Name::Error);
        let reason = Span::of(line, trim(reason.in_line(line)));
        let said = match (reason.in_line(line).is_empty(), self.reads) {
            (false, _) => reason,
            (true, Reads::Line) => Span::of(line, line),
            (true, _) => Span::of(line, text),
        };
        let reason = if reason.in_line(line).is_empty() {
            Span::default()
        } else {
            reason
        };
        let opening = Opening {
            place: rule.opening,
            once: rule.written.once,
            never_first: rule.written.never_first,
        };
        let job = captured.span(Name::Job);
        let is_outcome = matches!(
            rule.kind,
            Kind::DateStart | Kind::Success | Kind::Failure | Kind::Skip
        );
        if is_outcome && !rule.written.quiet {
            details.until = until;
        }
        let event = match rule.kind {
            Kind::Ignore => None,
            Kind::Refused => Some(Event::Refused(said)),
            Kind::Fatal => Some(Event::Fatal(said)),
            Kind::Critical => Some(Event::Critical(said)),
            Kind::OwnValidation => Some(Event::OwnValidation(said)),
            Kind::Stopped => Some(Event::Crash(Crash::Stopped)),
            Kind::Crash => Some(Event::Crash(Crash::Traceback)),
            Kind::BadArgument => Some(Event::Crash(Crash::BadArgument)),
            Kind::Usage => Some(Event::Usage(job)),
            Kind::RunStart => {
                let by_total = of.filter(|_| rule.written.form.is_none());
                let opened = Opened {
                    mode: by_total
                        .map(|_| Mode::GameDates)
                        .or_else(|| self.mode(rule)),
                    range,
                    range_total: of,
                    to_do: total,
                    dry_run: rule.written.dry_run,
                    job: Some(job).filter(|job| *job != Span::default()),
                    ..Opened::default()
                };
                Some(Event::Opening(opening, opened))
            }
            Kind::Resume => {
                let opened = Opened {
                    resume: date,
                    to_do: total,
                    continues: !opening.once,
                    ..Opened::default()
                };
                Some(Event::Opening(opening, opened))
            }
            Kind::DateStart => Some(match date {
                Some(date) if rule.written.quiet => Event::BeganQuietly(date),
                Some(date) => Event::Begin {
                    date,
                    index: index.unwrap_or(0),
                    total,
                    mode: rule.mode().unwrap_or(Mode::Custom),
                },
                None => Event::UnreadableBegin,
            }),
            Kind::Success => {
                let bytes = captured.bytes(Name::Records, line);
                let records = bytes.and_then(|bytes| match figure(bytes) {
                    Figure::Count(records) => Some(records),
                    Figure::TooLarge => {
                        too_large = true;
                        None
                    }
                    Figure::Unreadable => {
                        details.has_bad_figure = true;
                        details.bad_figure = captured.span(Name::Records);
                        None
                    }
                    Figure::None => None,
                });
                Some(Event::Success { date, records })
            }
            Kind::Failure => Some(Event::Failure { date, reason }),
            Kind::Skip => Some(Event::Skip { date, reason }),
            Kind::DryRun => Some(Event::Looked { date }),
            Kind::DryRunMode => Some(Event::DryRunMode),
            Kind::Progress => match total {
                Some(total) => Some(Event::Progress {
                    done: index.unwrap_or(0),
                    total,
                }),
                None if too_large => Some(Event::TooLarge),
                None => return None,
            },
            Kind::Claims => Some(Event::Claimed(counts)),
            Kind::End => Some(Event::Ended {
                counts,
                mode: self.mode(rule),
                settles: rule.written.settles,
            }),
            Kind::Checkpoint => Some(Event::Checkpoint { job, range }),
            Kind::About => Some(Event::About {
                range,
                job,
                expected,
                off_days,
            }),
            Kind::FailedDates => Some(Event::FailedDates(captured.span(Name::Dates))),
            Kind::Block => Some(Event::Block),
            Kind::Error => {
                let date = date.or_else(|| find_date(text));
                Some(Event::Error { date, text: said })
            }
        };
        // What a known line counts is all that it says.
        let says_nothing_else = self.promises.strict && too_large && rule.kind != Kind::RunStart;
        Some(Told {
            event: if says_nothing_else {
                Some(Event::TooLarge)
            } else {
                event
            },
            kind: rule.kind,
            rule: 0,
            too_large,
            details,
            block: self.block(rule),
            prefixed: false,
            needs_prefix: false,
            owns: None,
        })
    }

    /// The block that begins with a line.
    fn block(&self, rule: &Rule) -> Option<u8> {
        match rule.kind {
            Kind::Block => self
                .blocks
                .iter()
                .position(|block| *block == rule.name)
                .and_then(|at| u8::try_from(at + 2).ok()),
            Kind::End => Some(AFTER_END),
            Kind::RunStart => Some(0),
            Kind::DateStart if !rule.written.quiet => Some(0),
            _ => None,
        }
    }
}
