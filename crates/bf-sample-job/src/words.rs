//! What a job prints: its sections of `words.txt`, with figures filled in.

use std::collections::HashMap;

use crate::job::Job;
use crate::log::Log;

const WORDS: &str = include_str!("words.txt");

/// The name of a figure and its text; a line with a figure that is `None` is left out.
pub(crate) type Figure = (&'static str, Option<String>);

/// Figures for a section: `name = value`, or `name ? optional value`.
macro_rules! figures {
    ($($name:ident $kind:tt $value:expr),* $(,)?) => {
        [$((stringify!($name), figures!(@ $kind $value))),*]
    };
    (@ = $value:expr) => { Some($value.to_string()) };
    (@ ? $value:expr) => { $value.map(|value| value.to_string()) };
}

/// The sections of one job.
pub(crate) struct Words(HashMap<&'static str, Vec<&'static str>>);

impl Words {
    /// Those of `job`, and those of its whole phase.
    pub(crate) fn of(job: &Job) -> Self {
        let mut sections: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut current = Vec::new();
        for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix("== ") {
                let (jobs, names) = header.split_once(" : ").unwrap_or_default();
                let is_ours = |word| word == job.name || word == job.stage.name();
                let ours = jobs.split(' ').any(is_ours);
                current = names.split(' ').filter(|_| ours).collect();
            } else if !line.is_empty() {
                for section in &current {
                    sections.entry(section).or_default().push(line);
                }
            }
        }
        Self(sections)
    }

    /// Prints a section; nothing if the job has none of this name.
    pub(crate) fn print(&self, log: &Log, section: &str, figures: &[Figure]) {
        for line in self.0.get(section).into_iter().flatten() {
            let (head, text) = line.split_once(' ').unwrap_or((line, ""));
            let Some(text) = filled(&text.replace("\\n", "\n"), figures) else {
                continue;
            };
            let logger = head.get(2..head.len() - 1).unwrap_or("__main__");
            match &head[..1] {
                "I" => log.write("INFO", logger, &text),
                "W" => log.write("WARNING", logger, &text),
                "E" => log.write("ERROR", logger, &text),
                _ => log.plain(&text),
            }
        }
    }
}

/// The text with its figures; `None` if one of them is not there.
fn filled(text: &str, figures: &[Figure]) -> Option<String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled += before;
        match name {
            "rule" => filled += &"=".repeat(80),
            _ => {
                let known = figures.iter().rev().find(|(known, _)| *known == name);
                filled += known?.1.as_deref()?;
            }
        }
        rest = after;
    }
    Some(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_figure_that_is_not_known_is_left_out() {
        let figures = figures![rows = 7, average ? None::<f64>];
        assert_eq!(filled("{rows} rows", &figures).as_deref(), Some("7 rows"));
        assert_eq!(filled("about {average}", &figures), None);
        assert_eq!(filled("{other}", &figures), None);
    }
}
