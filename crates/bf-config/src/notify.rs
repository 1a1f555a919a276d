//! Who is told what a run does.

use std::collections::BTreeMap;
use std::time::Duration;

use bf_contract::NotificationEvent;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use bf_cli::Seconds;

use crate::Secret;

/// The events that a channel takes which names none: all but those of a run in which nothing is wrong.
const DEFAULT_EVENTS: [NotificationEvent; 8] = [
    NotificationEvent::RunStarted,
    NotificationEvent::PhaseEnded,
    NotificationEvent::GateFailed,
    NotificationEvent::CouldNotCheck,
    NotificationEvent::Stalled,
    NotificationEvent::Hung,
    NotificationEvent::Interrupted,
    NotificationEvent::RunFinished,
];

/// No attempt and no deadline is longer: a notification of yesterday is of no use.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// One way to notify.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Keys")]
pub struct Channel {
    /// What it is called in messages; the word of its kind where the config gives it no name.
    pub name: String,
    /// How it is reached.
    pub route: Route,
    /// What it wants to be told.
    pub events: Vec<NotificationEvent>,
    /// How long one attempt may take; above 0, at most a day.
    pub timeout: Duration,
    /// How often a failed attempt is repeated.
    pub retries: u32,
    /// How long all attempts together may take; above 0, at most a day.
    pub deadline: Duration,
}

/// How a channel is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A POST with the notification in its body.
    Webhook {
        /// Where it goes.
        address: Address,
        /// What the body is.
        form: WebhookForm,
        /// Headers: name → the environment variable that holds the value.
        headers: BTreeMap<String, String>,
    },
    /// A ping of a check in the manner of Healthchecks.io.
    Healthchecks {
        /// The check's ping URL.
        address: Address,
    },
    /// A program with the notification on its standard input.
    Command {
        /// The program and its arguments, in which `{title}` is the notification's heading; never empty.
        words: Vec<String>,
        /// What it reads.
        stdin: CommandInput,
    },
}

/// What a command reads on its standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandInput {
    /// The `notification` document.
    #[default]
    Json,
    /// Its text, as a person reads it.
    Text,
}

/// The body of a webhook's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookForm {
    /// Slack's incoming form: an object with a `text`.
    Slack,
    /// The `notification` document.
    Json,
}

/// A URL, or where to find it. Whoever knows the URL can write to the channel, so it is always a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The environment variable that holds it.
    Variable(String),
    /// The URL itself.
    Literal(Secret),
}

/// The secrets that channels hold in clear.
pub(crate) fn secrets(channels: &[Channel]) -> Vec<&Secret> {
    channels
        .iter()
        .filter_map(|channel| match &channel.route {
            Route::Webhook { address, .. } | Route::Healthchecks { address } => Some(address),
            Route::Command { .. } => None,
        })
        .filter_map(|address| match address {
            Address::Literal(secret) => Some(secret),
            Address::Variable(_) => None,
        })
        .collect()
}

/// A channel as it stands in the file.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    name: Option<String>,
    webhook: Option<WebhookKeys>,
    healthchecks: Option<AddressKeys>,
    command: Option<Vec<String>>,
    stdin: Option<CommandInput>,
    events: Vec<NotificationEvent>,
    timeout: Seconds,
    retries: u32,
    deadline: Seconds,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            name: None,
            webhook: None,
            healthchecks: None,
            command: None,
            stdin: None,
            events: DEFAULT_EVENTS.to_vec(),
            timeout: Seconds::new(10),
            retries: 5,
            deadline: Seconds::new(2 * 60),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookKeys {
    url: Option<Secret>,
    url_env: Option<String>,
    form: WebhookForm,
    #[serde(default)]
    headers_env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressKeys {
    url: Option<Secret>,
    url_env: Option<String>,
}

impl TryFrom<Keys> for Channel {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let (word, route) = match (keys.webhook, keys.healthchecks, keys.command) {
            (Some(keys), None, None) => ("webhook", webhook(keys)?),
            (None, Some(keys), None) => {
                let address = address(keys.url, keys.url_env)?;
                ("healthchecks", Route::Healthchecks { address })
            }
            (None, None, Some(command)) => {
                let stdin = keys.stdin.unwrap_or_default();
                (
                    "command",
                    Route::Command {
                        words: program(command)?,
                        stdin,
                    },
                )
            }
            _ => {
                return Err(
                    "a channel has exactly one of webhook, healthchecks and command".to_owned(),
                );
            }
        };
        if keys.stdin.is_some() && word != "command" {
            return Err(format!("stdin is for a command, not for a {word}"));
        }
        let name = keys.name.unwrap_or_else(|| word.to_owned());
        if name.is_empty() || name.contains(char::is_control) {
            return Err("the name of a channel is a word or a few, in one line".to_owned());
        }
        for (key, time) in [("timeout", keys.timeout), ("deadline", keys.deadline)] {
            if time.0.is_zero() || time.0 > LONGEST {
                return Err(format!("{key} must be above 0 and at most 24h"));
            }
        }
        Ok(Self {
            name,
            route,
            events: keys.events,
            timeout: keys.timeout.0,
            retries: keys.retries,
            deadline: keys.deadline.0,
        })
    }
}

/// What a log or a table says is in the title, and a shell would run it.
fn program(words: Vec<String>) -> Result<Vec<String>, String> {
    let Some((program, arguments)) = words.split_first().filter(|(first, _)| !first.is_empty())
    else {
        return Err("command has no program".to_owned());
    };
    let program = program.rsplit('/').next().unwrap_or_default();
    let is_shell = ["sh", "bash", "dash", "zsh", "ksh", "fish"].contains(&program);
    let runs_title = arguments.windows(2).any(|pair| {
        pair[0].starts_with('-') && pair[0].ends_with('c') && pair[1].contains("{title}")
    });
    if is_shell && runs_title {
        return Err(format!(
            "{{title}} must not be part of a script: write [{program}, -c, 'mail -s \"$1\" x', -, \"{{title}}\"]"
        ));
    }
    Ok(words)
}

fn webhook(keys: WebhookKeys) -> Result<Route, String> {
    for (header, variable) in &keys.headers_env {
        if !is_variable(variable) {
            // The value is not shown: it may be the secret itself.
            return Err(format!(
                "headers_env.{header} must name an environment variable, not hold the value"
            ));
        }
    }
    Ok(Route::Webhook {
        address: address(keys.url, keys.url_env)?,
        form: keys.form,
        headers: keys.headers_env,
    })
}

fn address(url: Option<Secret>, variable: Option<String>) -> Result<Address, String> {
    match (url, variable) {
        (Some(url), None) => Ok(Address::Literal(url)),
        (None, Some(variable)) if is_variable(&variable) => Ok(Address::Variable(variable)),
        (None, Some(_)) => {
            Err("url_env must name an environment variable, not hold the URL".to_owned())
        }
        _ => Err("exactly one of url_env and url is needed".to_owned()),
    }
}

/// Whether a text can be the name of an environment variable. Source: POSIX, "Environment Variable
/// Definition", the names that a shell can set.
fn is_variable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| !c.is_ascii_digit())
}

/// Reads the list, in which no name stands twice; a key with nothing behind it is an empty one.
pub(crate) fn channels<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Channel>, D::Error> {
    let channels = Option::<Vec<Channel>>::deserialize(deserializer)?.unwrap_or_default();
    for (at, channel) in channels.iter().enumerate() {
        if channels[..at]
            .iter()
            .any(|other| other.name == channel.name)
        {
            return Err(D::Error::custom(format!(
                "two channels are called {:?}; give each a name of its own",
                channel.name
            )));
        }
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use super::{Address, Channel, Route, channels};
    use bf_contract::NotificationEvent;

    fn read(yaml: &str) -> Result<Vec<Channel>, String> {
        channels(serde_yaml::Deserializer::from_str(yaml)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_channel_has_defaults_for_all_but_its_route() {
        let channels = read("- healthchecks: {url_env: PING_URL}").expect("a channel");
        let channel = &channels[0];
        assert_eq!(channel.name, "healthchecks");
        let address = Address::Variable("PING_URL".to_owned());
        assert_eq!(channel.route, Route::Healthchecks { address });
        assert_eq!(channel.timeout.as_secs(), 10);
        assert_eq!(channel.deadline.as_secs(), 120);
        assert_eq!(channel.retries, 5);
        assert!(channel.events.contains(&NotificationEvent::RunFinished));
        assert!(!channel.events.contains(&NotificationEvent::Quiet));
        assert!(!channel.events.contains(&NotificationEvent::PhaseStarted));
    }

    #[test]
    fn what_is_no_channel_is_refused() {
        for (yaml, complaint) in [
            ("- name: nobody", "exactly one of webhook"),
            (
                "- {command: [a], healthchecks: {url_env: U}}",
                "exactly one of webhook",
            ),
            ("- command: []", "no program"),
            ("- {command: [a], stdin: xml}", "xml"),
            (
                "- {healthchecks: {url_env: U}, stdin: text}",
                "stdin is for a command",
            ),
            (
                "- command: [/bin/sh, -ec, 'mail -s \"{title}\" x']",
                "{title} must not be part of a script",
            ),
            ("- webhook: {url_env: U}", "form"),
            ("- webhook: {form: json}", "exactly one of url_env and url"),
            (
                "- webhook: {url: u, url_env: U, form: json}",
                "exactly one of url_env and url",
            ),
            (
                "- healthchecks: {url_env: \"\"}",
                "must name an environment variable",
            ),
            ("- {command: [a], events: [lunch]}", "lunch"),
            ("- {command: [a], timeout: 0}", "timeout must be above 0"),
            ("- {command: [a], deadline: 99999d}", "deadline must be"),
            ("- {command: [a], retires: 1}", "retires"),
            (
                "- command: [a]\n- command: [b]",
                "two channels are called \"command\"",
            ),
        ] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.contains(complaint), "{yaml}: {error}");
        }
    }
}
