//! One phase: its job and its gate, as a whole or in windows.

use bf_cli::Failure;
use bf_contract::Phase;

use crate::engine::context::RunContext;
use crate::engine::document;
use crate::engine::event::RunEvent;
use crate::engine::unit::Unit;
use crate::plan::PhasePlan;
use crate::store::state::Judgement;

/// What a phase came to, and the code of a run that ends here.
pub(crate) struct PhaseEnd {
    /// The phase, for the report.
    pub phase: Phase,
    /// What the gate decided.
    pub judgement: Judgement,
}

impl RunContext<'_> {
    /// Runs a phase from wherever it stopped to its gate.
    ///
    /// # Errors
    /// A step could not be taken: a tool that does not start, a journal that cannot be written (exit 3).
    pub(super) fn run_phase(&self, phase: &PhasePlan) -> Result<PhaseEnd, Failure> {
        let (judgement, was_decided) = match &phase.windows {
            Some(windows) => self.run_windows(phase, windows)?,
            None => self.run_unit(Unit::whole(phase))?,
        };
        let phase = self.document(phase, &judgement);
        if !was_decided {
            self.listeners.emit(&RunEvent::PhaseEnded(&phase));
        }
        Ok(PhaseEnd { phase, judgement })
    }

    /// The phase as the report has it.
    pub(super) fn document(&self, phase: &PhasePlan, judgement: &Judgement) -> Phase {
        let unit = Unit::whole(phase);
        let attempt = self.latest_attempt(unit);
        let mut document = document::of_phase(phase, &attempt, self.run_dir, judgement);
        document.attempts = self.recorder.unit(unit.name()).attempts;
        if let Some(windows) = &phase.windows {
            let begun = self.recorder.windows_of(&phase.name).into_iter();
            let begun = begun.map(|(window, state)| (window.start, state)).collect();
            let all = windows.size.cut(phase.range);
            document::add_windows(&mut document, (phase, self.run_dir), &all, &begun);
        }
        document
    }
}
