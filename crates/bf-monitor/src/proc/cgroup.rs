//! The OOM kills that the control group of a process counts.

use std::path::{Path, PathBuf};

/// Where control groups are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// The control group that a process was in.
#[derive(Debug, Clone)]
pub(crate) struct Cgroup {
    counter: PathBuf,
    at_first: u64,
}

impl Cgroup {
    /// The group of a process, with its counter as it is now; `None` where no group counts OOM kills.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        Self::find(&groups, Path::new(ROOT))
    }

    /// `groups` as `/proc/PID/cgroup` has them: `ID:CONTROLLERS:PATH`. Version 2 is the line without controllers;
    /// in version 1 the memory controller is mounted by itself. In a container the path may be that of the host,
    /// and the group is what is mounted. Source: cgroups(7).
    fn find(groups: &str, root: &Path) -> Option<Self> {
        let path_of = |is_it: fn(&str) -> bool| {
            groups.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                is_it(controllers).then(|| path.trim_start_matches('/').to_owned())
            })
        };
        let unified = path_of(str::is_empty);
        let memory = path_of(|controllers| controllers.split(',').any(|one| one == "memory"));
        let unified = unified.into_iter().flat_map(|path| {
            let mounts = [root.to_owned(), root.join("unified")];
            mounts.map(|mount| mount.join(&path).join("memory.events"))
        });
        let memory = memory.into_iter().flat_map(|path| {
            let mount = root.join("memory");
            [mount.join(path), mount].map(|group| group.join("memory.oom_control"))
        });
        unified.chain(memory).find_map(|counter| {
            let at_first = count(&counter)?;
            Some(Self { counter, at_first })
        })
    }

    /// OOM kills in the group since it was found, of any of its processes; `None` where they can no longer be read.
    pub(crate) fn oom_kills(&self) -> Option<u64> {
        count(&self.counter)?.checked_sub(self.at_first)
    }
}

/// The field `oom_kill` of `memory.events` and of `memory.oom_control` (since Linux 4.13). Source:
/// Documentation/admin-guide/cgroup-v2.rst, Documentation/admin-guide/cgroup-v1/memory.rst.
fn count(counter: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(counter).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::Cgroup;

    fn kills(groups: &str, file: &str, before: &str, after: &str) -> Option<u64> {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        std::fs::write(&file, before).expect("a file");
        let group = Cgroup::find(groups, root.path())?;
        std::fs::write(&file, after).expect("a file");
        group.oom_kills()
    }

    #[test]
    fn oom_kills_are_counted_in_both_versions_of_control_groups() {
        let events = |kills: u32| format!("low 0\noom 3\noom_kill {kills}\noom_group_kill 0\n");
        let control = |kills: u32| format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n");
        let version_1 = "5:cpu,cpuacct:/job\n4:cpuset,memory:/job\n0::/\n";
        for (groups, file, before, after) in [
            ("0::/a/job\n", "a/job/memory.events", events(1), events(2)),
            (
                version_1,
                "memory/job/memory.oom_control",
                control(4),
                control(5),
            ),
            // In a container: the path is the host's.
            (
                version_1,
                "memory/memory.oom_control",
                control(0),
                control(1),
            ),
        ] {
            assert_eq!(kills(groups, file, &before, &after), Some(1), "{file}");
        }
        assert_eq!(
            kills("0::/x\n", "y/memory.events", "oom_kill 1\n", ""),
            None
        );
    }
}
