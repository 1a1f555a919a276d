//! The jobs of a log whose lines name their job: each has a history of its own.

use serde::{Deserialize, Serialize};

use crate::dialect::event::{Promises, Reading};
use crate::line::fields::text;
use crate::run::history::History;

/// Jobs that are told apart, at most.
const MOST: usize = 64;

/// What was read in one dialect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lanes {
    /// Of lines that name no job.
    #[serde(default)]
    main: History,
    #[serde(default)]
    jobs: Vec<(String, History)>,
    /// The job that a line named last.
    #[serde(default)]
    last: Option<usize>,
}

impl Lanes {
    pub(crate) fn of(main: History) -> Self {
        Self {
            main,
            ..Self::default()
        }
    }

    pub(crate) fn promise(&mut self, promises: Promises) {
        self.main.promises = promises;
        for (_, history) in &mut self.jobs {
            history.promises = promises;
        }
    }

    pub(crate) fn take(&mut self, reading: &Reading, line: &[u8], number: u64) {
        let promises = self.main.promises;
        if !promises.by_job {
            self.main.take(reading, line, number);
            return;
        }
        let job = text(reading.details.job.in_line(line), 120);
        if !job.is_empty() {
            let known = self.jobs.iter().position(|(name, _)| *name == job);
            let at = known.unwrap_or_else(|| {
                if self.jobs.len() < MOST {
                    let mut history = History::default();
                    history.promises = promises;
                    self.jobs.push((job.clone(), history));
                }
                self.jobs.len() - 1
            });
            self.last = Some(at);
        }
        // An end without a name ends the job that wrote last, or the only one.
        match self.last.and_then(|at| self.jobs.get_mut(at)) {
            Some((name, history)) => {
                history.take(reading, line, number);
                history.name_job(name);
            }
            None => self.main.take(reading, line, number),
        }
    }

    /// The history of `job`, or of the job that a line named last.
    pub(crate) fn pick(&self, job: Option<&str>) -> &History {
        let named = |name: &str| self.jobs.iter().find(|(of, _)| of == name);
        match job {
            Some(job) => named(job).map_or(&self.main, |(_, history)| history),
            None => self
                .last
                .and_then(|at| self.jobs.get(at))
                .map_or(&self.main, |(_, history)| history),
        }
    }

    /// Whether a run was read.
    pub(crate) fn has_run(&self) -> bool {
        self.main.run.is_some() || !self.jobs.is_empty()
    }

    /// The names of all jobs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn begin_attempt(&mut self) {
        self.main.begin_attempt();
        for (_, history) in &mut self.jobs {
            history.begin_attempt();
        }
    }
}
