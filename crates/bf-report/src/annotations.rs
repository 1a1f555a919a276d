//! Findings as lines that GitHub Actions shows beside a job.
//!
//! Form: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use bf_contract::CheckStatus;

use crate::model::{Report, sorted};
use crate::words::clean;

/// One line for each finding, the worst first.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for failure in &report.failures {
        lines.push(line("error", &failure.tool, &failure.message));
    }
    for phase in &report.phases {
        if phase.is_bad() && phase.validations.is_empty() {
            lines.push(line("error", &phase.name, &phase.reason));
        }
        for validation in &phase.validations {
            for check in sorted(&validation.checks) {
                let word = match check.status {
                    _ if !check.level.counts() => continue,
                    CheckStatus::Fail | CheckStatus::Error | CheckStatus::Unknown => "error",
                    CheckStatus::Warn => "warning",
                    CheckStatus::Pass | CheckStatus::Skipped => continue,
                };
                let title = format!("{}: {}", phase.name, check.name);
                lines.push(line(word, &title, &check.message));
            }
        }
    }
    lines
}

fn line(word: &str, title: &str, message: &str) -> String {
    format!(
        "::{word} title={}::{}",
        property(&clean(title, 200)),
        data(&clean(message, 1_000))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_a_text_says_ends_neither_the_title_nor_the_line() {
        assert_eq!(
            line("error", "a: b, c", "99.0% < 100%\n::error::x"),
            "::error title=a%3A b%2C c::99.0%25 < 100%25 ::error::x"
        );
    }
}
