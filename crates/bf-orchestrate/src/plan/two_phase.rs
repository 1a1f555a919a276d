//! The plan behind the documented flags: team_offense, then player_game_summary.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use bf_cli::Failure;
use bf_config::{Config, Loaded, Phase2};
use bf_contract::DateRange;

use super::file::{AttachFile, JobFile, PhaseFile, PlanFile, ValidatorFile};
use super::model::Plan;
use super::resolve::{self, Wrong};

/// The name of the plan that the documented flags make.
pub(crate) const NAME: &str = "documented";

/// What the documented flags say.
#[derive(Debug, Clone)]
pub(crate) struct TwoPhases {
    /// The process of phase 1.
    pub pid: u32,
    pub log: PathBuf,
    /// What its command line must contain.
    pub expect_cmd: Option<String>,
    /// The dates of phase 1.
    pub phase1: DateRange,
    /// The dates of phase 2; without them there is none.
    pub phase2: Option<DateRange>,
}

/// Makes the plan that the flags describe.
///
/// # Errors
/// The config's phase 2 has no command, or one that is wrong: usage (exit 2).
pub(crate) fn resolve(
    flags: &TwoPhases,
    loaded: &Loaded,
    warehouse: Option<&str>,
) -> Result<Plan, Failure> {
    let mut plan = of_config(flags, &loaded.config, warehouse)?;
    plan.config_file = resolve::config_file(loaded);
    Ok(plan)
}

fn of_config(flags: &TwoPhases, config: &Config, warehouse: Option<&str>) -> Result<Plan, Failure> {
    let file = file(flags, config, warehouse)?;
    resolve::resolve(&file, config, warehouse).map_err(refused)
}

/// Makes the file that is the same plan.
///
/// # Errors
/// The config's phase 2 has no command: usage (exit 2).
pub(crate) fn file(
    flags: &TwoPhases,
    config: &Config,
    warehouse: Option<&str>,
) -> Result<PlanFile, Failure> {
    let pid = NonZeroU32::new(flags.pid).ok_or_else(|| Failure::usage("0 is not a pid"))?;
    let mut phases = vec![PhaseFile {
        job: Some(JobFile {
            attach: Some(AttachFile {
                pid,
                log: flags.log.clone(),
                expect_cmd: flags.expect_cmd.clone(),
            }),
            ..JobFile::default()
        }),
        timeout_hours: Some(config.team_offense.timeout()),
        ..phase("team_offense", flags.phase1)
    }];
    if let Some(range) = flags.phase2 {
        let phase2 = &config.phase2;
        if phase2.command.is_empty() {
            return Err(Failure::usage("phase2.command of the config is empty")
                .hint("name the program and its arguments, or leave the key out"));
        }
        phases.push(PhaseFile {
            needs: vec!["team_offense".to_owned()],
            job: Some(JobFile {
                command: phase2.command.clone(),
                restart_command: restart_command(phase2),
                ..JobFile::default()
            }),
            log: Some(phase2.log.clone()),
            env: phase2.env.clone(),
            cwd: phase2.cwd.clone(),
            timeout_hours: Some(config.player_game_summary.timeout()),
            ..phase("player_game_summary", range)
        });
    }
    Ok(PlanFile {
        name: Some(NAME.to_owned()),
        warehouse: Some(config.warehouse_url(warehouse).to_owned()),
        concurrency: Some(NonZeroUsize::MIN),
        phases,
        next_steps: Some(config.next_steps.clone()),
        ..PlanFile::default()
    })
}

/// A phase that the validator of its own name judges, which knows its table.
fn phase(name: &str, range: DateRange) -> PhaseFile {
    PhaseFile {
        name: name.to_owned(),
        range: Some(range),
        validate: vec![ValidatorFile {
            validator: Some(name.to_owned()),
            suite: None,
        }],
        ..PhaseFile::default()
    }
}

/// The built-in restart_command belongs to the built-in command, and to no other.
fn restart_command(phase2: &Phase2) -> Vec<String> {
    let built_in = Phase2::default();
    if phase2.command != built_in.command && phase2.restart_command == built_in.restart_command {
        Vec::new()
    } else {
        phase2.restart_command.clone()
    }
}

/// What is wrong with phase 2 is in the config.
fn refused(wrong: Wrong) -> Failure {
    match wrong.key {
        Some(key) => Failure::usage(format!("phase2.{key} of the config: {}", wrong.message))
            .hint("nothing was started; {start} and {end} stand for the phase's dates"),
        None => Failure::usage(wrong.to_string())
            .hint("nothing was started; phase2.log of the config names phase 2's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Job, shell_words};

    fn flags(phase2: Option<&str>) -> TwoPhases {
        TwoPhases {
            pid: 4711,
            log: PathBuf::from("logs/phase1.log"),
            expect_cmd: None,
            phase1: "2021-10-19 2026-01-02".parse().expect("a range"),
            phase2: phase2.map(|range| range.parse().expect("a range")),
        }
    }

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        change(&mut config);
        config
    }

    #[test]
    fn the_flags_make_the_plan_of_the_two_documented_phases() {
        let plan = of_config(
            &flags(Some("2024-05-01 2026-01-02")),
            &config(|_| {}),
            Some("sqlite:w"),
        )
        .expect("a plan");
        assert_eq!((plan.name.as_str(), plan.concurrency), (NAME, 1));
        assert_eq!(plan.warehouse, "sqlite:w");
        let [first, second] = plan.phases.as_slice() else {
            panic!("two phases");
        };
        assert_eq!(first.table, "nba_analytics.team_offense_game_summary");
        assert_eq!(first.validate[0].program, "bf-validate-team-offense");
        assert!(matches!(&first.job, Some(Job::Attach { pid: 4711, .. })));
        assert_eq!(first.timeout.0.as_secs(), 12 * 3600);
        assert_eq!(second.needs, ["team_offense"]);
        assert_eq!(second.table, "nba_analytics.player_game_summary");
        assert_eq!(second.timeout.0.as_secs(), 8 * 3600);
        let command = second
            .job
            .as_ref()
            .and_then(Job::command)
            .expect("a command");
        let words = shell_words(&command.command);
        assert!(
            words.contains("--start-date 2024-05-01 --end-date 2026-01-02"),
            "{words}"
        );
        assert!(words.ends_with("--no-resume"), "{words}");
        assert!(!shell_words(&command.restart_command).contains("--no-resume"));
    }

    #[test]
    fn without_dates_for_phase_2_there_is_one_phase() {
        let plan = of_config(&flags(None), &config(|_| {}), None).expect("a plan");
        assert_eq!(plan.phases.len(), 1);
    }

    #[test]
    fn a_command_of_ones_own_is_not_restarted_by_the_built_in_one() {
        let config = config(|config| config.phase2.command = vec!["mine".to_owned()]);
        let plan = of_config(&flags(Some("2024-05-01 2026-01-02")), &config, None).expect("a plan");
        let command = plan.phases[1].job.as_ref().and_then(Job::command);
        assert_eq!(command.map(|job| job.restart_command.len()), Some(0));
    }

    #[test]
    fn what_is_wrong_with_phase_2_is_named_as_the_config_names_it() {
        let config =
            config(|config| config.phase2.command = vec!["x".to_owned(), "{strat}".to_owned()]);
        let refused = of_config(&flags(Some("2024-05-01 2026-01-02")), &config, None);
        let failure = refused.expect_err("no placeholder");
        assert!(
            failure.message.starts_with("phase2.command of the config"),
            "{failure}"
        );
    }
}
