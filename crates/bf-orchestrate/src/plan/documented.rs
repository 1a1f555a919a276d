//! The plan behind the documented flags: team_offense, then player_game_summary.

use std::path::PathBuf;

use bf_cli::config::{Config, Hours};
use bf_cli::{Failure, Seconds};
use bf_contract::DateRange;

use super::{Command, Job, PhasePlan, Plan};
use crate::args::Args;

/// Makes the plan of two phases that the flags describe, or of one where they name no dates for phase 2.
///
/// # Errors
/// A flag that the plan needs is not there, or the config's phase 2 has no command: usage (exit 2).
pub fn documented(args: &Args, config: &Config) -> Result<Plan, Failure> {
    let (Some(pid), Some(log), Some(range)) =
        (args.phase1_pid, args.phase1_log.clone(), args.phase1_dates)
    else {
        return Err(Failure::usage(
            "--phase1-pid, --phase1-log and --phase1-dates are needed",
        ));
    };
    let phase1 = PhasePlan {
        name: "team_offense".to_owned(),
        needs: Vec::new(),
        table: "nba_analytics.team_offense_game_summary".to_owned(),
        range,
        job: Job::Attach { pid, log },
        validator: "bf-validate-team-offense".to_owned(),
        timeout: timeout(config.team_offense.timeout_hours),
    };
    let mut phases = vec![phase1];
    if let Some(range) = args.phase2_dates {
        phases.push(phase2(config, range)?);
    }
    Ok(Plan {
        phases,
        warehouse: config
            .warehouse_url(args.warehouse.warehouse.as_deref())
            .to_owned(),
        next_steps: config.next_steps.clone(),
    })
}

fn phase2(config: &Config, range: DateRange) -> Result<PhasePlan, Failure> {
    let phase2 = &config.phase2;
    if phase2.command.is_empty() {
        return Err(Failure::usage("phase2.command of the config is empty")
            .hint("name the program and its arguments, or leave the key out"));
    }
    let fill = |words: &[String]| words.iter().map(|word| fill_range(word, range)).collect();
    Ok(PhasePlan {
        name: "player_game_summary".to_owned(),
        needs: vec!["team_offense".to_owned()],
        table: "nba_analytics.player_game_summary".to_owned(),
        range,
        job: Job::Command(Command {
            command: fill(&phase2.command),
            restart_command: fill(&phase2.restart_command),
            env: phase2.env.clone(),
            cwd: phase2.cwd.clone(),
            log: PathBuf::from(fill_range(&phase2.log.to_string_lossy(), range)),
        }),
        validator: "bf-validate-player-summary".to_owned(),
        timeout: timeout(config.player_game_summary.timeout_hours),
    })
}

fn timeout(hours: Hours) -> Seconds {
    Seconds(hours.duration())
}

/// Puts the range's dates where `{start}` and `{end}` stand.
fn fill_range(word: &str, range: DateRange) -> String {
    word.replace("{start}", &range.start.to_string())
        .replace("{end}", &range.end.to_string())
}
