//! The directory of a run: its whole state.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bf_cli::{Context, Failure, write_atomically};
use bf_config::Loaded;
use bf_contract::DateRange;
use chrono::Utc;
use sha2::{Digest, Sha256};

use crate::plan::Plan;

/// The directory of one run.
#[derive(Debug, Clone)]
pub(crate) struct RunDir {
    /// The run's name, which is also the directory's.
    pub run_id: String,
    pub path: PathBuf,
}

impl RunDir {
    /// Makes a directory for a new run below `runs`.
    ///
    /// # Errors
    /// It cannot be made (a read-only file system, say): nothing was started (exit 2).
    pub(crate) fn create(runs: &Path) -> Result<Self, Failure> {
        let doing = || format!("creating a run directory in {}", runs.display());
        let hint =
            |failure: Failure| failure.hint("name a folder that can be written with --runs DIR");
        fs::create_dir_all(runs).or_usage(doing).map_err(hint)?;
        let stem = format!(
            "{}-{}",
            Utc::now().format("%Y%m%dT%H%M%SZ"),
            std::process::id()
        );
        let mut run_id = stem.clone();
        for again in 2..100 {
            // Its plan, config and documents may hold what other users must not read.
            let made = fs::DirBuilder::new().mode(0o700).create(runs.join(&run_id));
            match made {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    run_id = format!("{stem}-{again}");
                }
                made => {
                    made.or_usage(doing).map_err(hint)?;
                    break;
                }
            }
        }
        Ok(Self {
            path: runs.join(&run_id),
            run_id,
        })
    }

    /// The directory of a run that is there already.
    pub(crate) fn open(path: &Path) -> Self {
        Self {
            run_id: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            path: path.to_owned(),
        }
    }

    /// A name that no run of another machine or folder has, in the form of a UUID: the same for the whole run, also
    /// when it is resumed.
    pub(crate) fn uuid(&self) -> String {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let host = rustix::system::uname();
        let mut hash = Sha256::new();
        hash.update(host.nodename().to_bytes());
        hash.update([0]);
        hash.update(path.as_os_str().as_encoded_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        // Version 8: made of a hash. Source: RFC 9562, 5.8.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }

    /// The journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal.ndjson")
    }

    /// The plan.
    pub(crate) fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// The config that every tool of the run is given.
    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("config.yaml")
    }

    /// The final report.
    pub(crate) fn report(&self) -> PathBuf {
        self.path.join("run_report.json")
    }

    /// Keeps what the run was asked to do beside what it did.
    ///
    /// # Errors
    /// The files cannot be written (exit 3).
    pub(crate) fn write_plan(&self, plan: &Plan, loaded: &Loaded) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(plan)
            .or_could_not_check(|| "writing the plan as JSON".to_owned())?;
        write_atomically(&self.plan(), &json)?;
        let config = if loaded.path.is_some() {
            loaded.text.as_str()
        } else {
            "# the built-in thresholds\n"
        };
        write_atomically(&self.config(), config.as_bytes())?;
        for (path, kept) in self.suites_of(plan) {
            if let Ok(text) = fs::read(path) {
                self.folder(Path::new("suites"))?;
                write_atomically(&kept, &text)?;
            }
        }
        Ok(())
    }

    /// Where the suites are kept as they were when the run was begun.
    pub(crate) fn suites(&self) -> PathBuf {
        self.path.join("suites")
    }

    /// The plan with the suites as they were kept: they judge all of a run, whatever becomes of the files meanwhile.
    pub(crate) fn with_kept_suites(&self, plan: &Plan) -> Plan {
        let mut with_kept = plan.clone();
        for (at, phase) in plan.phases.iter().enumerate() {
            for index in 0..phase.validate.len() {
                let suite = &mut with_kept.phases[at].validate[index].suite;
                let kept = self.kept_suite(&phase.name, index);
                if suite.is_some() && kept.is_file() {
                    *suite = Some(kept);
                }
            }
        }
        with_kept
    }

    fn kept_suite(&self, phase: &str, index: usize) -> PathBuf {
        self.suites().join(format!("{phase}-{}.yaml", index + 1))
    }

    /// The suites of a plan that are not what was kept of them.
    pub(crate) fn changed_suites(&self, plan: &Plan) -> Vec<String> {
        let suites = self.suites_of(plan);
        let changed = suites.filter(|(path, kept)| match (fs::read(path), fs::read(kept)) {
            (Ok(now), Ok(then)) => now != then,
            (now, then) => now.is_err() && then.is_ok(),
        });
        let mut changed: Vec<String> = changed
            .map(|(path, _)| path.display().to_string())
            .collect();
        changed.dedup();
        changed
    }

    /// The file of each suite of a plan, and where it is kept.
    fn suites_of<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (&'a Path, PathBuf)> + 'a {
        plan.phases.iter().flat_map(move |phase| {
            let validators = phase.validate.iter().enumerate();
            validators.filter_map(move |(index, validator)| {
                let path = validator.suite.as_deref()?;
                Some((path, self.kept_suite(&phase.name, index)))
            })
        })
    }

    /// Whether the end of the run's jobs was asked for: then none is started any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop_mark().exists()
    }

    /// Asks for the end of the run's jobs, or takes that back.
    ///
    /// # Errors
    /// The mark cannot be written or removed (exit 3).
    pub(crate) fn set_stopped(&self, is_stopped: bool) -> Result<(), Failure> {
        let mark = self.stop_mark();
        let done = match is_stopped {
            true => fs::write(&mark, b""),
            false => match fs::remove_file(&mark) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        done.or_could_not_check(|| format!("writing {}", mark.display()))
    }

    fn stop_mark(&self) -> PathBuf {
        self.path.join("stopped")
    }

    /// The folder of an attempt at a phase, or at a window of it, that has so many attempts before it.
    pub(crate) fn attempt_folder(
        &self,
        phase: &str,
        window: Option<DateRange>,
        earlier_attempts: u32,
    ) -> PathBuf {
        let mut folder = self.path.join(phase);
        if let Some(window) = window {
            folder.push(format!("{}_{}", window.start, window.end));
        }
        if earlier_attempts > 0 {
            folder.push(format!("attempt-{}", earlier_attempts + 1));
        }
        folder
    }

    /// A folder of the run directory; made when it is first asked for.
    ///
    /// # Errors
    /// It cannot be made (exit 3).
    pub(crate) fn folder(&self, relative: &Path) -> Result<PathBuf, Failure> {
        let path = self.path.join(relative);
        fs::create_dir_all(&path).or_could_not_check(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    /// `path` as it is named in documents: relative to the run directory.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.path)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}
