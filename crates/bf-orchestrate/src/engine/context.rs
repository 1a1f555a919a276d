//! What all phases of a run share.

use std::collections::BTreeMap;

use crate::engine::event::Listeners;
use crate::engine::slots::Slots;
use crate::plan::Plan;
use crate::store::run_dir::RunDir;
use crate::store::state::Recorder;
use crate::store::table_lock::TableLock;
use crate::tools::calls::Tools;

/// What all phases of a run share.
pub(crate) struct RunContext<'a> {
    pub plan: &'a Plan,
    pub run_dir: &'a RunDir,
    /// The journal and its state.
    pub recorder: &'a Recorder,
    pub tools: Tools<'a>,
    /// Everyone who hears of the run.
    pub listeners: Listeners<'a>,
    /// The locks of the phases' tables, where this process holds them.
    pub locks: &'a BTreeMap<String, TableLock>,
    /// How many jobs may run now.
    pub slots: &'a Slots<'a>,
    /// Whether jobs that a reboot interrupted are run again whatever the plan says.
    pub restart_interrupted: bool,
}
