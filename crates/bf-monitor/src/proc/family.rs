//! The processes of a job: its process group, its descendants, and what carries its mark.

use std::collections::HashSet;
use std::io;

use bf_contract::ProcessIdentity;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, test_kill_process_group};
use serde::{Deserialize, Serialize};

use super::stat::{self, Stat};
use super::{Found, Process};

/// The environment variable that holds the mark of a started job. A job that runs inside of another one carries
/// the marks of both, separated by commas.
pub(crate) const MARK_VARIABLE: &str = "BF_JOB";

/// A process of the job, by pid and start time in clock ticks after boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
}

/// How the processes of a job are recognised.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Family {
    job: Option<Member>,
    /// Whether the job's start time could not be read: then nothing can be told.
    #[serde(default)]
    is_hidden: bool,
    leads_group: bool,
    leads_session: bool,
    shim: Option<Member>,
    mark: Option<String>,
    /// Descendants that were seen while the job lived.
    seen: Vec<Member>,
}

impl Family {
    /// The family of a job that bf-monitor started: its shim adopts what outlives its parents.
    pub(crate) fn of_started(job: &ProcessIdentity, shim: &ProcessIdentity, mark: &str) -> Self {
        Self {
            job: member(job),
            leads_group: true,
            shim: member(shim),
            mark: (!mark.is_empty()).then(|| mark.to_owned()),
            ..Self::default()
        }
    }

    /// The family of a process that is watched only.
    pub(crate) fn of_attached(job: &ProcessIdentity) -> Self {
        let is_hidden = job.start_ticks.is_none();
        let stat = Stat::of(job.pid)
            .ok()
            .filter(|stat| Some(stat.start_ticks) == job.start_ticks);
        Self {
            job: member(job),
            leads_group: stat.is_some_and(|stat| stat.group == job.pid),
            leads_session: stat.is_some_and(|stat| stat.session == job.pid),
            is_hidden,
            ..Self::default()
        }
    }

    /// Remembers descendants: once their parent has ended, nothing else tells whose they are.
    pub(crate) fn see(&mut self, descendants: &[(u32, u64)]) {
        if !self.has_to_be_seen() || descendants.is_empty() {
            return;
        }
        self.seen.retain(|member| {
            let is_there = |stat: Stat| stat.start_ticks == member.start_ticks && !stat.has_ended();
            // What cannot be read may live.
            Stat::of(member.pid)
                .map_or_else(|error| error.kind() != io::ErrorKind::NotFound, is_there)
        });
        for &(pid, start_ticks) in descendants {
            let member = Member { pid, start_ticks };
            if !self.seen.contains(&member) {
                self.seen.push(member);
            }
        }
    }

    /// Whether descendants have to be seen while the job lives, as nothing else tells of them later.
    pub(crate) fn has_to_be_seen(&self) -> bool {
        self.shim.is_none()
    }

    /// Whether the shim still waits for something of the job, or is about to end: a process that is being forked may be
    /// missing in a list of the living.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.shim.is_some_and(|shim| {
            Stat::of(shim.pid)
                .is_ok_and(|stat| stat.start_ticks == shim.start_ticks && !stat.has_ended())
        })
    }

    /// What of the job lives now, other than the job's own process and the shim.
    ///
    /// # Errors
    /// `/proc` cannot be read: nothing is known.
    pub(crate) fn living(&self) -> io::Result<Vec<Member>> {
        let Some(job) = self.job else {
            return if self.is_hidden {
                Err(io::Error::other("/proc does not show its process"))
            } else {
                Ok(Vec::new())
            };
        };
        if !self.may_live(job) {
            return Ok(Vec::new());
        }
        let table = stat::table()?;
        let is_marked = |pid| {
            self.mark
                .as_deref()
                .is_some_and(|mark| environment_holds(pid, mark))
        };
        let ours = ancestors(&table, std::process::id());
        Ok(self.members(job, &table, is_marked, &ours))
    }

    /// Whether anything can be of the job, without reading the entries of all processes: its process is there, or
    /// something by which others are recognised.
    fn may_live(&self, job: Member) -> bool {
        let is_there = Stat::of(job.pid).is_ok_and(|stat| stat.start_ticks == job.start_ticks);
        let group = i32::try_from(job.pid).ok().and_then(Pid::from_raw);
        let has_group = self.leads_group
            && group.is_some_and(|group| test_kill_process_group(group) != Err(Errno::SRCH));
        let is_recognised = self.shim.is_some() || self.mark.is_some() || self.leads_session;
        is_there || has_group || is_recognised || !self.seen.is_empty()
    }

    /// The members among the processes of `table`, `except` left out.
    fn members(
        &self,
        job: Member,
        table: &[(u32, Stat)],
        is_marked: impl Fn(u32) -> bool,
        except: &HashSet<u32>,
    ) -> Vec<Member> {
        let is_there = |member: Member| {
            let mut same = table.iter().filter(|(pid, _)| *pid == member.pid);
            same.any(|(_, stat)| stat.start_ticks == member.start_ticks)
        };
        let is_reused =
            |member: Member| !is_there(member) && table.iter().any(|(pid, _)| *pid == member.pid);
        // A number is not given to another process while it still names a group or session.
        let job_names = !is_reused(job);
        let shim_names = self.shim.filter(|&shim| !is_reused(shim));
        let parents = [Some(job), self.shim].into_iter().flatten();
        let mut known: HashSet<u32> = parents
            .filter(|&member| is_there(member))
            .map(|member| member.pid)
            .collect();
        let candidates: Vec<(Member, &Stat)> = table
            .iter()
            .filter(|(_, stat)| stat.start_ticks >= job.start_ticks && !stat.is_kernel_thread)
            .map(|(pid, stat)| {
                let start_ticks = stat.start_ticks;
                (
                    Member {
                        pid: *pid,
                        start_ticks,
                    },
                    stat,
                )
            })
            .collect();
        for (member, stat) in &candidates {
            let in_group = self.leads_group && job_names && stat.group == job.pid;
            let in_session = self.leads_session && job_names && stat.session == job.pid
                || shim_names.is_some_and(|shim| stat.session == shim.pid);
            if in_group || in_session || self.seen.contains(member) || is_marked(member.pid) {
                known.insert(member.pid);
            }
        }
        loop {
            let before = known.len();
            for (member, stat) in &candidates {
                if known.contains(&stat.parent) {
                    known.insert(member.pid);
                }
            }
            if known.len() == before {
                break;
            }
        }
        let is_other = |member: &Member| Some(*member) != self.shim && *member != job;
        let living = candidates.iter().filter(|(_, stat)| !stat.has_ended());
        living
            .map(|(member, _)| *member)
            .filter(|member| known.contains(&member.pid) && !except.contains(&member.pid))
            .filter(is_other)
            .collect()
    }
}

impl Member {
    /// Sends a signal, if it is still that process.
    ///
    /// # Errors
    /// It is another user's.
    pub(crate) fn signal(self, signal: Signal) -> io::Result<()> {
        match Process::find(u64::from(self.pid)) {
            Found::Process(process) if process.identity().start_ticks == Some(self.start_ticks) => {
                match process.signal(signal) {
                    Err(error)
                        if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) =>
                    {
                        Ok(())
                    }
                    other => other,
                }
            }
            _ => Ok(()),
        }
    }
}

fn member(identity: &ProcessIdentity) -> Option<Member> {
    Some(Member {
        pid: identity.pid,
        start_ticks: identity.start_ticks?,
    })
}

/// A process and all above it: bf-monitor never takes itself, or the shell that it runs in, for a part of the job.
fn ancestors(table: &[(u32, Stat)], of: u32) -> HashSet<u32> {
    let mut found = HashSet::new();
    let mut next = Some(of);
    while let Some(pid) = next.filter(|&pid| pid > 0 && found.insert(pid)) {
        let entry = table.iter().find(|(other, _)| *other == pid);
        next = entry.map(|(_, stat)| stat.parent);
    }
    found
}

/// Whether the environment that a process was started with holds the mark.
fn environment_holds(pid: u32, mark: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|bytes| is_marked(&bytes, mark))
}

fn is_marked(environment: &[u8], mark: &str) -> bool {
    environment
        .split(|&byte| byte == 0)
        .filter_map(|variable| {
            variable
                .strip_prefix(MARK_VARIABLE.as_bytes())?
                .strip_prefix(b"=")
        })
        .any(|value| {
            value
                .split(|&byte| byte == b',')
                .any(|one| one == mark.as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Family, Member, is_marked};
    use crate::proc::stat::Stat;

    const JOB: Member = Member {
        pid: 10,
        start_ticks: 100,
    };
    const SHIM: Member = Member {
        pid: 9,
        start_ticks: 99,
    };

    /// pid, parent, group, session, start time.
    fn process(fields: [u64; 5]) -> (u32, Stat) {
        let [pid, parent, group, session, start] = fields;
        let line = format!(
            "{pid} (x) S {parent} {group} {session} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0"
        );
        let pid = u32::try_from(pid).expect("a pid");
        (pid, Stat::parse(line.as_bytes()).expect("a stat line"))
    }

    fn members(family: &Family, processes: &[[u64; 5]]) -> Vec<u32> {
        let table: Vec<_> = processes.iter().copied().map(process).collect();
        let ours = HashSet::from([500]);
        let members = family.members(JOB, &table, |pid| pid == 77, &ours);
        members.into_iter().map(|member| member.pid).collect()
    }

    fn started() -> Family {
        Family {
            job: Some(JOB),
            leads_group: true,
            shim: Some(SHIM),
            mark: Some("m".to_owned()),
            ..Family::default()
        }
    }

    #[test]
    fn what_the_shim_adopted_is_of_the_job_in_whatever_session_it_is() {
        let processes = [
            [9, 1, 9, 9, 99],
            [20, 9, 20, 20, 110],
            [21, 20, 21, 21, 111],
        ];
        assert_eq!(members(&started(), &processes), [20, 21]);
    }

    #[test]
    fn what_carries_the_mark_is_of_the_job_when_the_shim_is_gone() {
        let processes = [
            [77, 1, 77, 77, 120],
            [78, 77, 78, 78, 121],
            [79, 1, 79, 79, 122],
        ];
        assert_eq!(members(&started(), &processes), [77, 78]);
    }

    #[test]
    fn what_was_there_before_the_job_is_never_of_it() {
        assert_eq!(members(&started(), &[[77, 1, 10, 9, 50]]), [0_u32; 0]);
    }

    #[test]
    fn a_group_whose_number_was_given_to_another_process_is_not_the_jobs() {
        let mut attached = Family {
            job: Some(JOB),
            leads_group: true,
            leads_session: true,
            ..Family::default()
        };
        let processes = [[10, 1, 10, 10, 900], [30, 10, 10, 10, 901]];
        assert_eq!(members(&attached, &processes), [0_u32; 0]);
        let processes = [[30, 1, 10, 10, 110]];
        assert_eq!(members(&attached, &processes), [30]);
        attached.leads_group = false;
        attached.leads_session = false;
        assert_eq!(members(&attached, &processes), [0_u32; 0]);
    }

    #[test]
    fn a_descendant_that_was_seen_is_of_the_job_by_its_start_time() {
        let mut attached = Family {
            job: Some(JOB),
            ..Family::default()
        };
        attached.seen = [(40, 140), (41, 141)]
            .map(|(pid, start_ticks)| Member { pid, start_ticks })
            .to_vec();
        let processes = [[40, 1, 40, 40, 140], [41, 1, 41, 41, 999]];
        assert_eq!(members(&attached, &processes), [40]);
    }

    #[test]
    fn bf_monitor_is_never_a_part_of_the_job_that_it_watches() {
        assert_eq!(members(&started(), &[[500, 1, 10, 9, 110]]), [0_u32; 0]);
    }

    #[test]
    fn a_mark_is_one_of_those_in_the_variable() {
        assert!(is_marked(b"A=1\0BF_JOB=x,m\0", "m"));
        assert!(!is_marked(b"A=1\0BF_JOB=mm\0BF_JOBS=m\0", "m"));
    }
}
