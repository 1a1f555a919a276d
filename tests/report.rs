//! What people and machines see of a run: the page in a real browser, the short forms, the metrics.

mod browser;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::require::program;

const HOSTILE: &str = "<script>document.title='owned'</script>\u{1b}[31m\u{0}\u{202e}\"'&";

/// A validation of two months with one date of each status, and texts that no one should trust.
fn validation() -> Value {
    let statuses = [
        "failed",
        "missing",
        "fewer",
        "more",
        "skipped",
        "nothing_expected",
        "not_judged",
        "of_tomorrow",
    ];
    let days: Vec<Value> = (0..60)
        .map(|at| {
            let date = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date")
                + chrono::Days::new(at);
            let status = statuses.get(at as usize).copied().unwrap_or("ok");
            json!({"date": date, "expected": true, "claimed": 12, "rows": 12, "status": status})
        })
        .collect();
    let rows = json!([{HOSTILE: HOSTILE, "value": "x".repeat(40_000)}]);
    json!({
        "type": "validation_report", "schema": 1, "suite": "team_offense", "table": HOSTILE,
        "range": {"start": "2024-01-01", "end": "2024-02-29"}, "verdict": "fail",
        "checks": [
            {"name": "minutes_played", "level": "critical", "status": "fail", "observed": 97.0,
             "threshold": {"op": ">=", "value": 99.0}, "message": HOSTILE,
             "evidence": {"numerator": 97, "denominator": 100, "dates": [], "spans": [], "rows": rows,
                          "query": "SELECT 1 < 2"},
             "months": [{"month": "2024-01", "value": 42.0, "rows": 1000},
                        {"month": "2024-02", "value": 99.5, "rows": 1000}]},
            {"name": "game_count", "level": "normal", "status": "error", "observed": null,
             "threshold": null, "message": "no permission", "evidence": null},
            {"name": "usage_rate", "level": "warning", "status": "warn", "observed": 94.0,
             "threshold": null, "message": "94% < 95%", "evidence": null},
            {"name": "partners", "level": "normal", "status": "skipped", "observed": null,
             "threshold": null, "message": "not asked for", "evidence": null},
        ],
        "log_summary": null,
        "engine": {"kind": "sqlite", "queries": 1, "bytes_processed": null, "bytes_billed": null,
                   "elapsed_seconds": 0.1, "job_ids": []},
        "rerun": {"dates": ["2024-01-01", "2024-01-02"], "command": ["python", "a b.py"]},
        "days": days,
    })
}

fn report(sandbox: &Sandbox, args: &[&str]) -> Output {
    let output = sandbox.command("bf-report").args(args).output();
    output.expect("it runs")
}

fn sandbox_with(document: &Value) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("v.ndjson", &format!("{document}\n"));
    sandbox
}

#[test]
fn the_page_has_a_cell_for_every_date_and_nothing_of_a_text_is_markup() {
    let sandbox = sandbox_with(&validation());
    let output = report(&sandbox, &["v.ndjson", "--html", "r.html"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = sandbox.read("r.html");
    assert_eq!(page.matches("<title>2024-").count(), 60);
    assert!(page.contains("<title>2024-01-02: missing, claimed 12, found 12, expected</title>"));
    for forbidden in [
        "<script", "\u{1b}", "\u{0}", "\u{202e}", "http://", "https://", "onload=",
    ] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    assert!(
        !page.contains(&"x".repeat(1_000)),
        "a value of 40 kB is truncated"
    );
    assert!(page.contains("python &#39;a b.py&#39;") || page.contains("python 'a b.py'"));
}

#[test]
fn every_form_names_what_is_bad() {
    let sandbox = sandbox_with(&validation());
    let output = report(
        &sandbox,
        &[
            "v.ndjson",
            "--junit",
            "j.xml",
            "--annotations",
            "--markdown",
            "m.md",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let annotations = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(annotations.matches("::error ").count(), 2, "{annotations}");
    assert_eq!(
        annotations.matches("::warning ").count(),
        1,
        "{annotations}"
    );
    let junit = sandbox.read("j.xml");
    assert!(
        junit.contains("tests=\"4\" failures=\"1\" errors=\"1\""),
        "{junit}"
    );
    assert!(
        junit.contains("<skipped message=\"not asked for\"/>"),
        "{junit}"
    );
    assert!(
        junit.contains("<system-out>94% &lt; 95%</system-out>"),
        "{junit}"
    );
    let markdown = sandbox.read("m.md");
    assert!(
        markdown.contains("- **1 missing**: 2024-01-02\n"),
        "{markdown}"
    );
    assert!(!markdown.contains("<script>"), "{markdown}");
}

#[test]
fn what_changed_is_in_every_form() {
    let sandbox = sandbox_with(&validation());
    let mut before = validation();
    before["checks"][0]["status"] = "pass".into();
    before["checks"][0]["observed"] = 99.5.into();
    before["checks"][3]["status"] = "fail".into();
    before["days"][20]["status"] = "missing".into();
    sandbox.write("old.ndjson", &before.to_string());
    let args = [
        "v.ndjson",
        "--compare",
        "old.ndjson",
        "--html",
        "r.html",
        "--junit",
        "j.xml",
        "--markdown",
        "-",
    ];
    let output = report(&sandbox, &args);
    let markdown = String::from_utf8_lossy(&output.stdout).into_owned();
    for text in [&markdown, &sandbox.read("r.html"), &sandbox.read("j.xml")] {
        for word in ["new", "still failing", "resolved"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    assert!(markdown.contains("99.5 → 97"), "{markdown}");
    assert!(
        markdown.contains("1 from missing to ok: 2024-01-21"),
        "{markdown}"
    );
}

#[test]
fn bad_input_is_one_line_and_never_half_a_page() {
    let sandbox = sandbox_with(&validation());
    let newer = validation()
        .to_string()
        .replace("\"schema\":1", "\"schema\":2");
    sandbox.write("newer.ndjson", &newer);
    sandbox.write("empty.ndjson", "");
    sandbox.write("old.html", "the page of yesterday");
    for input in ["newer.ndjson", "empty.ndjson", "missing.ndjson", "."] {
        let output = report(&sandbox, &[input, "--html", "old.html"]);
        assert_eq!(output.status.code(), Some(3), "{input}: {output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = stderr.lines().filter(|line| !line.starts_with("hint: "));
        assert_eq!(lines.count(), 1, "{stderr}");
        assert_eq!(sandbox.read("old.html"), "the page of yesterday");
    }
    let output = report(&sandbox, &["v.ndjson", "--html", "no/such/folder/r.html"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
    // Nothing is left beside it, also not of a page that could not be put there.
    std::fs::create_dir(sandbox.join("folder.html")).expect("a folder");
    let output = report(&sandbox, &["v.ndjson", "--html", "folder.html"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let left = std::fs::read_dir(sandbox.path())
        .expect("a folder")
        .flatten();
    assert!(
        !left
            .into_iter()
            .any(|file| file.file_name().to_string_lossy().contains("partial"))
    );
}

#[test]
fn the_directory_of_a_live_run_is_a_provisional_page() {
    let sandbox = Sandbox::new();
    let event = include_str!("../crates/bf-contract/tests/golden/process_event.json").trim();
    let progress = event.replace("exited", "progress");
    sandbox.write(
        "run/documents.ndjson",
        &format!("{progress}\n{}", &progress[..progress.len() / 2]),
    );
    let output = report(&sandbox, &["run", "--html", "r.html", "--markdown", "-"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let markdown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(markdown.contains("Not judged"), "{markdown}");
    assert!(
        markdown.contains("1 line that are not documents"),
        "{markdown}"
    );
    assert!(sandbox.read("r.html").contains("Not judged"));
    // Before its first document there is nothing to show.
    sandbox.write("run/documents.ndjson", "");
    let output = report(&sandbox, &["run", "--html", "r.html"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 2);
}

/// Opens the page in an iframe without scripts, as a tool that shows artifacts does, and measures it from outside.
const RULER: &str = r#"<!doctype html><body><pre id="out"></pre><script>
const frame = document.createElement('iframe');
frame.setAttribute('sandbox', 'allow-same-origin');
frame.style = 'border:0;height:3000px;width:WIDTHpx';
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  const clipped = [...page.querySelectorAll('main *')].filter((one) =>
    !one.closest('.scroll') && !one.closest('svg') && one.getBoundingClientRect().right > WIDTH + 1);
  document.getElementById('out').textContent = 'measured ' + JSON.stringify({
    overflow: root.scrollWidth - root.clientWidth, clipped: clipped.length,
    cells: page.querySelectorAll('.year rect').length,
    ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
    title: page.title}) + ' end';
};
frame.src = 'r.html';
document.body.append(frame);
</script>"#;

fn browse(browser: &Path, sandbox: &Sandbox, page: &str, flags: &[&str]) -> String {
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args([
            "--allow-file-access-from-files",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(flags)
        .arg(format!("file://{}", sandbox.join(page).display()))
        .output()
        .expect("the browser runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_browser_shows_all_of_it_narrow_and_wide_light_and_dark() {
    let Some(browser) = program(&["chromium", "chromium-browser", "google-chrome"]) else {
        return;
    };
    let sandbox = sandbox_with(&validation());
    report(&sandbox, &["v.ndjson", "--html", "r.html"]);
    let mut grounds = Vec::new();
    for width in ["400", "1400"] {
        sandbox.write("ruler.html", &RULER.replace("WIDTH", width));
        for scheme in [
            "--blink-settings=preferredColorScheme=1",
            "--blink-settings=preferredColorScheme=0",
        ] {
            let dom = browse(&browser, &sandbox, "ruler.html", &[scheme]);
            let measured = dom
                .split_once("measured ")
                .and_then(|(_, rest)| rest.split_once(" end"));
            let measured = measured.unwrap_or_else(|| panic!("not measured: {dom}")).0;
            let measured: Value =
                serde_json::from_str(&measured.replace("&amp;", "&")).expect("JSON");
            assert_eq!(measured["overflow"], 0, "{width} {scheme}: {measured}");
            assert_eq!(measured["clipped"], 0, "{width} {scheme}: {measured}");
            assert_eq!(measured["cells"], 60, "{width} {scheme}: {measured}");
            assert_eq!(measured["title"], "Failed: team_offense", "no script ran");
            grounds.push(measured["ground"].to_string());
        }
    }
    assert_ne!(grounds[0], grounds[1], "light and dark differ");
}

#[test]
fn a_screen_reader_is_told_every_status_and_every_bad_date() {
    let Some(browser) = program(&["chromium", "chromium-browser", "google-chrome"]) else {
        return;
    };
    let sandbox = sandbox_with(&validation());
    report(&sandbox, &["v.ndjson", "--html", "r.html"]);
    let names = browser::accessible_names(&browser, &sandbox, "r.html");
    for text in [
        // The verdict, and the checks.
        "Failed",
        "Fail",
        "Could not be checked",
        "Warning",
        "Skipped",
        "CRITICAL",
        // The dates, and which of them are bad.
        " failed",
        " missing",
        " fewer than claimed",
        " more than claimed",
        " skipped",
        " nothing expected",
        " not judged",
        " unknown",
        " ok",
        "2024-01-02",
        "2024-01-08",
    ] {
        let is_told = names
            .iter()
            .any(|name| name.trim_end() == format!("StaticText {text}"));
        assert!(is_told, "{text}: {names:#?}");
    }
    let pictures: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with("image "))
        .collect();
    assert!(
        pictures
            .iter()
            .any(|name| name.starts_with("image 2024: 1 failed, 1 missing")),
        "{pictures:#?}"
    );
    assert!(
        pictures
            .iter()
            .any(|name| name.contains("worst month 2024-01: 42")),
        "{pictures:#?}"
    );
    for role in [
        "heading ",
        "table",
        "columnheader Threshold",
        "rowheader minutes_played",
    ] {
        assert!(
            names.iter().any(|name| name.starts_with(role)),
            "{role}: {names:#?}"
        );
    }
}

/// Nine phases over five years, as the largest plan that bf ships.
fn five_years() -> Value {
    let golden = include_str!("../crates/bf-contract/tests/golden/run_report.json");
    let mut run: Value = serde_json::from_str(golden).expect("JSON");
    let start = chrono::NaiveDate::from_ymd_opt(2021, 1, 1).expect("a date");
    let days: Vec<Value> = (0..1826)
        .map(|at| {
            let status = match at % 12 {
                0..7 => "ok",
                7..10 => "nothing_expected",
                10 => "missing",
                _ => "fewer",
            };
            let date = start + chrono::Days::new(at as u64);
            json!({"date": date, "expected": true, "claimed": 12, "rows": 12, "status": status})
        })
        .collect();
    let months: Vec<Value> = (0..60)
        .map(|at| json!({"month": format!("{}-{:02}", 2021 + at / 12, at % 12 + 1), "value": 98.5, "rows": 1000}))
        .collect();
    let mut validation = validation();
    validation["days"] = days.into();
    validation["range"] = json!({"start": "2021-01-01", "end": "2025-12-31"});
    let check = validation["checks"][2].clone();
    let checks = (0..12).map(|at| {
        let mut check = check.clone();
        check["name"] = format!("check_{at}").into();
        check["months"] = months.clone().into();
        check
    });
    validation["checks"] = checks.collect();
    let phases = (0..9).map(|at| {
        let mut phase = run["phases"][0].clone();
        phase["name"] = format!("phase_{at}").into();
        phase["validation"] = validation.clone();
        phase
    });
    run["phases"] = phases.collect();
    run
}

#[test]
fn nine_phases_of_five_years_are_a_page_of_less_than_two_mebibytes() {
    let sandbox = sandbox_with(&five_years());
    let output = report(&sandbox, &["v.ndjson", "--html", "r.html"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = sandbox.read("r.html");
    assert_eq!(page.matches("<title>20").count(), 9 * 1826);
    assert!(page.len() < 2 << 20, "{} bytes", page.len());
}

/// Reads the file as a CI system does.
const JUNIT_READER: &str = "
import junitparser, sys
cases = [case for suite in junitparser.JUnitXml.fromfile(sys.argv[1]) for case in suite]
for case in cases:
    kinds = [type(one).__name__ for one in case.result] or ['Passed']
    print(case.name, *kinds, (case.system_out or '').strip())
";

#[test]
fn another_program_reads_the_test_results() {
    let Some(python) = program(&["python3"]) else {
        return;
    };
    let has_reader = Command::new(&python)
        .args(["-c", "import junitparser"])
        .output();
    if !has_reader.expect("python runs").status.success() {
        crate::support::skip("junitparser is not installed");
        return;
    }
    let sandbox = sandbox_with(&validation());
    report(&sandbox, &["v.ndjson", "--junit", "j.xml"]);
    let read = Command::new(python)
        .args(["-c", JUNIT_READER])
        .arg(sandbox.join("j.xml"))
        .output()
        .expect("python runs");
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        "minutes_played Failure \ngame_count Error \nusage_rate Passed 94% < 95%\npartners Skipped \n",
        "{read:?}"
    );
}

/// Whether Prometheus reads these metrics, and has nothing to say against their names.
pub fn check_metrics(sandbox: &Sandbox, file: &str) {
    let Some(promtool) = program(&["promtool"]) else {
        return;
    };
    let metrics = std::fs::File::open(sandbox.join(file)).expect("metrics");
    let output = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(metrics)
        .output()
        .expect("promtool runs");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_alerts_are_raised_when_they_should_be_and_not_before() {
    let Some(promtool) = program(&["promtool"]) else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write(
        "alerts.yaml",
        include_str!("../config/prometheus/alerts.yaml"),
    );
    sandbox.write("test.yaml", include_str!("report/alerts_test.yaml"));
    let output = Command::new(promtool)
        .current_dir(sandbox.path())
        .args(["test", "rules", "test.yaml"])
        .output()
        .expect("promtool runs");
    assert!(output.status.success(), "{output:?}");
}

/// cron's sh has no pipefail: the table's code must be the pipe's.
#[test]
fn a_bad_table_in_a_pipe_does_not_become_a_zero() {
    let mut strict = validation();
    strict["verdict"] = "warn".into();
    strict["exit_code"] = 1.into();
    let mut good = validation();
    good["verdict"] = "pass".into();
    let half = validation().to_string()[..300].to_owned();
    let banner = format!("12 of 16 done\n{good}\n");
    for (input, code) in [
        (validation().to_string(), 1),
        (strict.to_string(), 1),
        (good.to_string(), 0),
        (banner.clone(), 0),
        (format!("{banner}{half}"), 3),
        (format!("{banner}{}", validation()), 1),
        (String::new(), 3),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("v.ndjson", &input);
        for reader in [
            "bf-notify --format json",
            "bf-report - --markdown -",
            "bf-report --html r.html --junit j.xml",
            "bf-report - --annotations",
        ] {
            let mut shell = sandbox.command("/bin/sh");
            shell.args(["-c", &format!("cat v.ndjson | {reader}")]);
            let output = shell.output().expect("it runs");
            assert_eq!(
                output.status.code(),
                Some(code),
                "{reader}: {input}: {output:?}"
            );
        }
    }
    // Nor does it if the page cannot be written.
    for (input, code) in [(validation(), 1), (good, 3)] {
        let sandbox = sandbox_with(&input);
        let mut shell = sandbox.command("/bin/sh");
        shell.args(["-c", "cat v.ndjson | bf-report - --html no/folder/r.html"]);
        let output = shell.output().expect("it runs");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    // The page of a file is asked for as a page, whatever it shows.
    let sandbox = sandbox_with(&validation());
    let output = report(&sandbox, &["v.ndjson", "--html", "r.html"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
