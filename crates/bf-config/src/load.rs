//! Finding and reading the config file.

use std::path::{Path, PathBuf};

use crate::{Config, notify, secret, yaml};
use bf_cli::{ConfigArgs, Context, Failure, text::without_urls};

/// Where the config is looked for when neither a flag nor `BF_CONFIG` names it.
pub const DEFAULT_PATHS: [&str; 4] = [
    "config/backfill_thresholds.yaml",
    "config/backfill_thresholds.yml",
    "scripts/config/backfill_thresholds.yaml",
    "scripts/config/backfill_thresholds.yml",
];

/// A config and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// Its file; `None` for the built-in one.
    pub path: Option<PathBuf>,
    /// A copy of the file's text without the secrets in it; empty for the built-in one.
    pub text: String,
    /// The file's text as it was read.
    original: Original,
}

/// A text that may hold secrets: it cannot be printed.
#[derive(Clone, Default)]
struct Original(String);

impl std::fmt::Debug for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(config text)")
    }
}

impl Loaded {
    /// What a tool reports of its config on standard error.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.path {
            Some(path) if self.config.precompute.is_some() => format!(
                "config: {} (its section precompute is accepted, but no check uses it)",
                path.display()
            ),
            Some(path) => format!("config: {}", path.display()),
            None => "config: built in".to_owned(),
        }
    }

    /// What an error about `key` of a section begins with: the file, and the line where it can be found.
    #[must_use]
    pub fn place(&self, section: &str, key: &str) -> String {
        let path = self.path.as_deref().unwrap_or(Path::new("built in"));
        let line = line_of(&self.original.0, section, key)
            .map_or_else(String::new, |line| format!(", line {line}"));
        format!("config {}{line}: {section}", path.display())
    }
}

/// The line, from 1, on which a section has a key. A parsed config no longer knows the lines of its keys.
fn line_of(text: &str, section: &str, key: &str) -> Option<usize> {
    let names = |line: &str, name: &str| {
        let line = line.trim_start();
        [name.to_owned(), format!("{name:?}"), format!("'{name}'")]
            .iter()
            .any(|name| {
                line.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
    };
    let is_outside =
        |line: &str| line.starts_with(|first: char| !first.is_whitespace() && first != '#');
    let mut lines = text.lines().enumerate();
    lines.find(|(_, line)| is_outside(line) && names(line, section))?;
    lines
        .take_while(|(_, line)| !is_outside(line))
        .find(|(_, line)| names(line, key))
        .map(|(at, _)| at + 1)
}

/// Loads the config that the flags ask for: the file they name, else the first of [`DEFAULT_PATHS`] that
/// exists, else the built-in one.
///
/// # Errors
/// The named file is missing, the found one unreadable, not YAML, or not a config: usage (exit 2), with the
/// line.
pub fn load(args: &ConfigArgs) -> Result<Loaded, Failure> {
    let named = args
        .config
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty());
    let path = match named {
        Some(path) => path,
        None => match DEFAULT_PATHS
            .iter()
            .map(Path::new)
            .find(|path| is_there(path))
        {
            Some(path) => path,
            None => {
                return Ok(Loaded {
                    config: Config::default(),
                    path: None,
                    text: String::new(),
                    original: Original::default(),
                });
            }
        },
    };
    let text = std::fs::read_to_string(path)
        .or_usage(|| format!("reading the config {}", path.display()))
        .map_err(|failure| {
            failure.hint("give --config FILE, or leave it out to use the built-in thresholds")
        })?;
    let config = parse(&text).map_err(|error| {
        Failure::usage(format!("config {}: {error}", path.display()))
            .hint("nothing was started; fix that line, or remove the key to use its default")
    })?;
    let copy = secret::without_secrets(&text, &notify::secrets(&config.notify))
        .or_usage(|| format!("config {}", path.display()))?;
    Ok(Loaded {
        text: copy,
        original: Original(text),
        config,
        path: Some(path.to_owned()),
    })
}

/// Whether there is something of this name, readable or not: a link that leads nowhere was meant as a config.
fn is_there(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), NotFound | NotADirectory),
    }
}

/// Reads a config from text; an empty one is the default.
fn parse(text: &str) -> Result<Config, String> {
    let is_blank = text
        .lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---");
    if is_blank {
        return Ok(Config::default());
    }
    // A URL in the wrong place is quoted in the error, and it may be a secret.
    yaml::read(text).map_err(|error| without_urls(&error))
}

#[cfg(test)]
mod tests {
    use bf_cli::Seconds;

    use super::{ConfigArgs, line_of, load, parse};
    use crate::{Config, HangLimit};

    #[test]
    fn the_shipped_config_is_the_built_in_one() {
        let shipped = parse(include_str!("../../../config/backfill_thresholds.yaml"));
        assert_eq!(shipped, Ok(Config::default()));
    }

    #[test]
    fn a_file_of_comments_is_the_default() {
        assert_eq!(parse("# nothing\n\n---\n"), Ok(Config::default()));
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_line() {
        let error = parse("team_offense:\n  min_gamez: 5600\n").expect_err("misspelt");
        assert!(
            error.contains("min_gamez") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn a_threshold_of_the_wrong_type_is_refused_with_its_line() {
        for value in ["\"5600\"", "many", "-5", "[1]"] {
            let error = parse(&format!("team_offense:\n  min_games: {value}\n"))
                .expect_err("of the wrong type");
            assert!(error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn a_share_above_one_hundred_percent_is_refused() {
        let error = parse("team_offense:\n  min_success_rate: 950\n").expect_err("too large");
        assert!(
            error.contains("0 to 100") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn a_rate_is_that_of_the_jobs_section_else_all_dates() {
        let config = parse("team_offense:\n  min_success_rate: 90\n").expect("valid");
        for (job, rate) in [
            (Some("team_offense_game_summary"), 90.0),
            (Some("team_offense"), 90.0),
            (Some("player_game_summary"), 95.0),
            (Some("precompute"), 100.0),
            (None, 100.0),
        ] {
            assert!(
                (config.min_success_rate(job) - rate).abs() < 1e-9,
                "{job:?}"
            );
        }
    }

    #[test]
    fn an_unknown_section_is_refused() {
        let error = parse("teem_offense:\n  min_games: 1\n").expect_err("unknown section");
        assert!(error.contains("teem_offense"), "{error}");
    }

    #[test]
    fn the_line_of_a_key_is_the_one_in_its_section() {
        let text = "levels:\n  own:\n    rows: info\n\n# own: x\nrerun: # two\n  # own: y\n  \"own\" : [a]\n\
                    \n  other:\n  - b\npolling: {}\n";
        assert_eq!(line_of(text, "levels", "own"), Some(2));
        assert_eq!(line_of(text, "rerun", "own"), Some(8));
        assert_eq!(line_of(text, "rerun", "other"), Some(10));
        assert_eq!(line_of(text, "rerun", "polling"), None);
        assert_eq!(line_of("rerun: {own: [a]}", "rerun", "own"), None);
    }

    #[test]
    fn a_section_with_one_key_keeps_the_other_defaults() {
        let config = parse("team_offense:\n  min_games: 10\n").expect("valid");
        assert_eq!(config.team_offense.get("min_games"), Some(10.0));
        let default = Config::default();
        assert_eq!(
            config.team_offense.min_success_rate(),
            default.team_offense.min_success_rate()
        );
        assert_eq!(config.player_game_summary, default.player_game_summary);
    }

    #[test]
    fn a_level_is_one_of_five_words() {
        let config = parse("levels:\n  team_offense:\n    game_count: warning\n").expect("valid");
        assert_eq!(config.levels["team_offense"].len(), 1);
        assert!(parse("levels:\n  team_offense:\n    game_count: loud\n").is_err());
    }

    #[test]
    fn an_error_about_the_config_does_not_show_the_url_in_it() {
        for notify in [
            "- webhook: https://hooks.example/s3cret",
            "- webhook: {url: \"https://hooks.example/s3cret\", form: https://hooks.example/s3cret}",
            "- webhook: {url_env: https://hooks.example/s3cret, form: slack}",
            "- webhook: {url_env: A, form: json, headers_env: {Authorization: s3cret word}}",
            "- healthchecks: {https://hooks.example/s3cret: 1}",
        ] {
            let error = parse(&format!("notify:\n{notify}\n")).expect_err(notify);
            assert!(error.contains("line 2"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        let config = parse("hang:\n  quiet: 90s\n  stalled: 10m\n  hung: 7200\n").expect("valid");
        assert_eq!(config.hang.quiet, HangLimit::After(Seconds::new(90)));
        assert_eq!(config.hang.stalled, HangLimit::After(Seconds::new(600)));
        assert_eq!(config.hang.hung, HangLimit::After(Seconds::new(7200)));
        assert!(parse("hang:\n  quiet: soon\n").is_err());
    }

    #[test]
    fn a_second_level_for_one_check_is_refused_with_its_line() {
        let text =
            "levels:\n  team_offense:\n    missing_dates: critical\n    missing_dates: \"off\"\n";
        let error = parse(text).expect_err("twice");
        assert!(
            error.contains("duplicate key \"missing_dates\"") && error.contains("line 4"),
            "{error}"
        );
    }

    #[test]
    fn a_copy_of_the_config_is_a_config_without_the_url() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.yaml");
        let url = r"https:\/\/hooks.example\/s3cret";
        let text = format!("notify:\n- webhook: {{url: \"{url}\", form: json}}\n");
        std::fs::write(&path, text).expect("written");
        let args = ConfigArgs { config: Some(path) };
        let loaded = load(&args).expect("a config");
        assert!(!format!("{loaded:?}").contains("s3cret"));
        assert!(!loaded.text.contains("s3cret"), "{}", loaded.text);
        parse(&loaded.text).expect("a config");
    }

    const DIALECT: &str = "dialects:\n  - name: mine\n    success: '^ok (?P<date>\\S+)'\n";

    #[test]
    fn a_dialect_is_a_name_and_regular_expressions() {
        let config = parse(DIALECT).expect("valid");
        assert_eq!(config.dialects[0].name, "mine");
        let shipped = [
            include_str!("../../../config/dialects/tqdm.yaml"),
            include_str!("../../../config/dialects/json_lines.yaml"),
        ];
        for text in shipped {
            assert_eq!(parse(text).expect("valid").dialects.len(), 1);
        }
    }

    #[test]
    fn a_wrong_dialect_is_refused_with_its_line() {
        for (key, value, said) in [
            ("failure", "'^fail ('", "not a regular expression"),
            ("failure", "'^fail (?P<day>.*)'", "captures \"day\""),
            ("date_start", "'^begin'", "captures none"),
            ("sucess", "'^ok'", "unknown field"),
        ] {
            let text = format!("{DIALECT}    {key}: {value}\n");
            let error = parse(&text).expect_err("wrong");
            assert!(
                error.contains(said) && error.contains("line 4"),
                "{key}: {error}"
            );
        }
    }
}
