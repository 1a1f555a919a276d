//! What makes a plan the same, so that it can resume a run.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::{Job, PhasePlan, Plan};

/// One thing in which two plans are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub place: String,
    /// What the run was begun with.
    pub was: String,
    /// What is asked for now.
    pub is: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was {} and is now {}", self.place, self.was, self.is)
    }
}

/// What lasts of a phase: its job, its table, its range, its needs. Time limits, retries and validators may
/// change while a run goes on.
fn lasting(phase: &PhasePlan) -> Vec<(&'static str, Value)> {
    // Texts, dates and numbers can always be written as JSON.
    let value = |result: Result<Value, _>| result.unwrap_or(Value::Null);
    let mut lasting = vec![
        ("needs", value(serde_json::to_value(&phase.needs))),
        ("table", value(serde_json::to_value(&phase.table))),
        ("range", value(serde_json::to_value(phase.range))),
        ("job", value(serde_json::to_value(&phase.job))),
    ];
    let windows = phase.windows.as_ref().map(|windows| windows.size);
    lasting.push(("windows", value(serde_json::to_value(windows))));
    lasting
}

impl Plan {
    /// A hash of what makes a plan the same: the warehouse, and each phase's job, table, range and needs.
    pub(crate) fn identity(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.warehouse.as_bytes());
        for phase in &self.phases {
            hasher.update(format!("\0{}", phase.name).as_bytes());
            for (field, value) in lasting(phase) {
                // A plan without windows keeps the identity that it had before there were some.
                if field == "windows" && value.is_null() {
                    continue;
                }
                hasher.update(format!("\0{field}\0{value}").as_bytes());
            }
        }
        let hash = hasher.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether both were made of the same documented flags, given in the same folder. The config
    /// may differ.
    pub(crate) fn has_flags_of(&self, other: &Self) -> bool {
        let flags = |plan: &Self| {
            let phases = plan.phases.iter().map(|phase| {
                let attached = match &phase.job {
                    Some(Job::Attach { pid, log, .. }) => Some((*pid, log.clone())),
                    _ => None,
                };
                (phase.name.clone(), phase.range, attached)
            });
            phases.collect::<Vec<_>>()
        };
        let is_elsewhere =
            matches!((&self.folder, &other.folder), (Some(one), Some(two)) if one != two);
        flags(self) == flags(other) && !is_elsewhere
    }

    /// In what `now` is not the plan that a run was begun with; empty if it can resume the run.
    pub(crate) fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut compare = |place: String, was: String, is: String| {
            if was != is {
                differences.push(Difference { place, was, is });
            }
        };
        compare(
            "warehouse".to_owned(),
            self.warehouse.clone(),
            now.warehouse.clone(),
        );
        if let (Some(was), Some(is)) = (&self.folder, &now.folder) {
            compare(
                "folder".to_owned(),
                was.display().to_string(),
                is.display().to_string(),
            );
        }
        let names = |plan: &Self| {
            let names: Vec<&str> = plan
                .phases
                .iter()
                .map(|phase| phase.name.as_str())
                .collect();
            names.join(", ")
        };
        compare("phases".to_owned(), names(self), names(now));
        for was in &self.phases {
            let Some(is) = now.phases.iter().find(|phase| phase.name == was.name) else {
                continue;
            };
            for ((field, was_value), (_, is_value)) in lasting(was).into_iter().zip(lasting(is)) {
                compare(
                    format!("phases.{}.{field}", was.name),
                    was_value.to_string(),
                    is_value.to_string(),
                );
            }
        }
        differences
    }
}
