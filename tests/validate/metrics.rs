//! What a validator writes for Prometheus.

use super::rig::{MONTH, Rig};

const TEAM: &str = "bf-validate-team-offense";

#[test]
fn the_metrics_name_the_outcome_of_each_check_and_also_that_nothing_could_be_checked() {
    let rig = Rig::spoilt("DELETE FROM team_offense_game_summary WHERE game_date = '2024-12-12'");
    let args = [&MONTH[..], &["--metrics-file", "bf.prom"]].concat();
    let report = rig.report(TEAM, &args);
    report.ends("fail", 1);
    assert_eq!(report.document["exit_code"], 1);
    let of = r#"{suite="team_offense",table="nba_analytics.team_offense_game_summary""#;
    let has = |line: String| {
        let metrics = rig.sandbox.read("bf.prom");
        assert!(metrics.lines().any(|one| one == line), "{line}: {metrics}");
    };
    has(format!("bf_validation_exit_code{of}}} 1"));
    has(format!(
        "bf_validation_check_state{of},check=\"missing_dates\",status=\"fail\"}} 1"
    ));
    has(format!(
        "bf_validation_check_state{of},check=\"missing_dates\",status=\"pass\"}} 0"
    ));
    has(format!("bf_validation_dates{of},status=\"missing\"}} 1"));
    crate::report::check_metrics(&rig.sandbox, "bf.prom");

    let args = [&args[..], &["--log-summary", "missing.ndjson"]].concat();
    let output = rig.sandbox.command(TEAM).args(&args).output();
    assert_eq!(output.expect("it runs").status.code(), Some(3));
    has(format!("bf_validation_exit_code{of}}} 3"));
    assert!(!rig.sandbox.read("bf.prom").contains("check_state"));
    crate::report::check_metrics(&rig.sandbox, "bf.prom");
}

#[test]
fn metrics_that_cannot_be_written_are_no_pass() {
    let rig = Rig::new();
    let code = |file: &str| {
        let mut command = rig.sandbox.command(TEAM);
        let output = command.args(MONTH).args(["--metrics-file", file]).output();
        output.expect("it runs").status.code()
    };
    assert_eq!(code("no/such/folder/bf.prom"), Some(3));
    assert_eq!(code("warehouse"), Some(2));
    assert_eq!(code("bf.prom"), Some(0));
}
