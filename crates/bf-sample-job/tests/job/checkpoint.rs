//! Progress is kept, taken up again, and forgotten when asked.

use std::fs;

use crate::support::Place;

const RANGE: &str = "--start-date 2024-01-01 --end-date 2024-01-10";

/// A checkpoint as the real jobs write it, after 2024-01-07.
const REAL: &str = r#"{
  "job_name": "team_offense_game_summary",
  "start_date": "2024-01-01",
  "end_date": "2024-01-10",
  "created_at": "2026-01-03T08:15:00.123456",
  "last_updated": "2026-01-03T09:20:30.654321",
  "last_successful_date": "2024-01-07",
  "successful_dates": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-07"],
  "failed_dates": ["2024-01-06"],
  "skipped_dates": [],
  "stats": {"total_days": 10, "processed": 7, "successful": 6, "failed": 1, "skipped": 0}
}"#;

#[test]
fn a_run_resumes_after_the_last_successful_date_of_a_real_checkpoint() {
    let place = Place::new();
    let file = place.path("progress.json");
    fs::write(&file, REAL).expect("a checkpoint");
    let ran = place.run(&format!(
        "team-offense {RANGE} --checkpoint {}",
        file.display()
    ));
    let resumed = format!(
        "\
INFO:shared.backfill.checkpoint:Loaded valid checkpoint from {file}
INFO:__main__:📂 Found checkpoint - resuming from 2024-01-08
INFO:__main__:   Skipping 7 already-processed dates
INFO:__main__:Processing 3 days individually (day-by-day approach)
INFO:__main__:Checkpoint: {file}
INFO:__main__:Processing day 1/3: 2024-01-08
",
        file = file.display()
    );
    assert!(ran.log.contains(&resumed), "{}", ran.log);
    assert!(
        ran.says("INFO:__main__:  Total days: 10")
            && ran.says("INFO:__main__:  Successful days: 3")
    );
    let days = place.number("SELECT count(DISTINCT game_date) FROM team_offense_game_summary");
    assert_eq!(days, 3);
    // The date that failed before is left out for good, as it is by the real jobs.
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(&file).expect("kept")).expect("JSON");
    assert_eq!(state["failed_dates"], serde_json::json!(["2024-01-06"]));
    assert_eq!(
        state["stats"],
        serde_json::json!(
            {"total_days": 10, "processed": 10, "successful": 9, "failed": 1, "skipped": 0}
        )
    );
    assert_eq!(state["created_at"], "2026-01-03T08:15:00.123456");
}

#[test]
fn a_parallel_run_resumes_too() {
    let place = Place::new();
    let file = place.path("progress.json");
    fs::write(&file, REAL).expect("a checkpoint");
    let ran = place.run(&format!(
        "team-offense {RANGE} --parallel --workers 2 --checkpoint {}",
        file.display()
    ));
    assert!(
        ran.says("INFO:__main__:📂 Resuming from 2024-01-08"),
        "{}",
        ran.log
    );
    assert!(ran.says("INFO:__main__:   Skipping 7 already-processed dates"));
    assert!(ran.says("INFO:__main__:  Total days: 10") && ran.says("INFO:__main__:  Processed: 3"));
}

#[test]
fn no_resume_forgets_the_checkpoint() {
    let place = Place::new();
    place.run(&format!("team-offense {RANGE}"));
    let file = place.path("checkpoints/team_offense_game_summary_2024-01-01_2024-01-10.json");
    let ran = place.run(&format!("team-offense {RANGE} --no-resume"));
    assert!(
        ran.says("INFO:__main__:🔄 --no-resume specified, starting fresh (clearing checkpoint)")
    );
    assert!(ran.says(&format!(
        "INFO:shared.backfill.checkpoint:Cleared checkpoint: {}",
        file.display()
    )));
    assert!(ran.says("INFO:__main__:Processing 10 days individually (day-by-day approach)"));
}

#[test]
fn a_finished_range_starts_over() {
    let place = Place::new();
    place.run(&format!("team-offense {RANGE}"));
    let ran = place.run(&format!("team-offense {RANGE}"));
    assert!(!ran.log.contains("resuming from"), "{}", ran.log);
    assert!(ran.says("INFO:__main__:Processing 10 days individually (day-by-day approach)"));
}

#[test]
fn a_broken_checkpoint_is_said_and_the_run_starts_fresh() {
    let place = Place::new();
    let file = place.path("progress.json");
    fs::write(&file, "{\"job_name\": ").expect("a file");
    let ran = place.run(&format!(
        "team-offense {RANGE} --checkpoint {}",
        file.display()
    ));
    assert_eq!(
        ran.lines("WARNING:shared.backfill.checkpoint:Failed to load checkpoint: ")
            .count(),
        1
    );
    assert!(ran.says("INFO:__main__:  Successful days: 10"));
}
