//! The plan behind the documented flags: team_offense, then player_game_summary.

use bf_cli::{Failure, Seconds};
use bf_config::{Config, Hours, Phase2};
use bf_contract::DateRange;

use super::{
    AfterReboot, CheckAgain, Command, Job, OnFail, PhasePlan, Plan, Retries, Validator, fill_env,
    fill_path, fill_words, graph,
};
use crate::args::Documented;

/// The name of the plan that the documented flags make.
#[must_use]
pub const fn documented_name() -> &'static str {
    "documented"
}

/// Makes the plan of two phases that the flags describe, or of one where they name no dates for phase 2.
///
/// # Errors
/// A flag that the plan needs is not there, or the config's phase 2 has no command: usage (exit 2).
pub fn documented(
    args: &Documented,
    config: &Config,
    warehouse: Option<&str>,
) -> Result<Plan, Failure> {
    let (Some(pid), Some(log), Some(range)) =
        (args.phase1_pid, args.phase1_log.clone(), args.phase1_dates)
    else {
        return Err(Failure::usage(
            "--phase1-pid, --phase1-log and --phase1-dates are needed",
        ));
    };
    let warehouse = config.warehouse_url(warehouse).to_owned();
    let phase = |name: &str, table: &str, validator: &str, timeout: Hours| PhasePlan {
        name: name.to_owned(),
        needs: Vec::new(),
        table: table.to_owned(),
        range,
        job: None,
        dialect: None,
        validate: vec![Validator {
            program: validator.to_owned(),
            suite: None,
        }],
        timeout: Seconds(timeout.duration()),
        retries: Retries::default(),
        check_again: CheckAgain::default_for(&warehouse),
        on_fail: OnFail::Block,
        after_reboot: AfterReboot::Wait,
    };
    let mut phases = vec![PhasePlan {
        job: Some(Job::Attach {
            pid,
            log,
            expect_cmd: args.expect_cmd.clone(),
        }),
        ..phase(
            "team_offense",
            "nba_analytics.team_offense_game_summary",
            "bf-validate-team-offense",
            config.team_offense.timeout_hours,
        )
    }];
    if let Some(range) = args.phase2_dates {
        phases.push(PhasePlan {
            needs: vec!["team_offense".to_owned()],
            range,
            job: Some(Job::Command(phase2_command(config, range)?)),
            ..phase(
                "player_game_summary",
                "nba_analytics.player_game_summary",
                "bf-validate-player-summary",
                config.player_game_summary.timeout_hours,
            )
        });
    }
    let phases = graph::in_order(phases).map_err(|message| {
        Failure::usage(message)
            .hint("nothing was started; phase2.log of the config names phase 2's")
    })?;
    Ok(Plan {
        name: documented_name().to_owned(),
        phases,
        warehouse,
        concurrency: 1,
        preflight: Vec::new(),
        next_steps: config.next_steps.clone(),
        folder: std::env::current_dir().ok(),
        config_file: None,
    })
}

fn phase2_command(config: &Config, range: DateRange) -> Result<Command, Failure> {
    let phase2 = &config.phase2;
    if phase2.command.is_empty() {
        return Err(Failure::usage("phase2.command of the config is empty")
            .hint("name the program and its arguments, or leave the key out"));
    }
    // The built-in restart_command belongs to the built-in command, and to no other.
    let built_in = Phase2::default();
    let restart_command = if phase2.command != built_in.command
        && phase2.restart_command == built_in.restart_command
    {
        Vec::new()
    } else {
        phase2.restart_command.clone()
    };
    let wrong = |key: &'static str| {
        move |message: String| {
            Failure::usage(format!("phase2.{key} of the config: {message}"))
                .hint("nothing was started; {start} and {end} stand for the phase's dates")
        }
    };
    Ok(Command {
        command: fill_words(&phase2.command, range).map_err(wrong("command"))?,
        restart_command: fill_words(&restart_command, range).map_err(wrong("restart_command"))?,
        env: fill_env(&phase2.env, range).map_err(wrong("env"))?,
        cwd: phase2.cwd.clone(),
        log: fill_path(&phase2.log, range).map_err(wrong("log"))?,
    })
}
