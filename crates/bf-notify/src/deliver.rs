//! Brings a notification to one channel: attempts, delays, and an end.

use std::time::Duration;

use bf_cli::text;
#[cfg(feature = "network")]
use bf_config::notify::WebhookForm;
use bf_config::notify::{Channel, CommandInput};
use bf_contract::Notification;
#[cfg(feature = "network")]
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::{Instant, sleep, timeout};

#[cfg(feature = "network")]
use crate::http::{self, Post};
use crate::message;
use crate::retry::{Again, Backoff, Fault};
use crate::route::{Resolved, resolve};
use crate::{command, reach};

/// What became of a notification, or of a look, on one channel.
pub(crate) struct Outcome {
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not work.
    pub result: Result<(), String>,
}

/// What is done for each attempt.
enum Delivery {
    #[cfg(feature = "network")]
    Post(Box<Post>),
    Command(Vec<String>, Vec<u8>),
}

/// Delivers the notification: at once, and again where that may help, within the channel's deadline.
pub(crate) async fn deliver(channel: &Channel, notification: &Notification) -> Outcome {
    let prepared = resolve(&channel.route, |name| std::env::var(name).ok())
        .and_then(|route| prepare(route, notification));
    let delivery = match prepared {
        Ok(delivery) => delivery,
        Err(reason) => {
            return Outcome {
                attempts: 0,
                result: Err(reason),
            };
        }
    };
    let end = Instant::now() + channel.deadline;
    let remaining = || end.saturating_duration_since(Instant::now());
    let mut backoff = Backoff::new(channel.retries);
    let mut attempts = 0;
    let result = loop {
        attempts += 1;
        let limit = channel.timeout.min(remaining());
        let fault = match timeout(limit, delivery.attempt()).await {
            Ok(Ok(())) => break Ok(()),
            Ok(Err(fault)) => fault,
            Err(_) => Fault::passing(no_answer(limit)),
        };
        match backoff.delay(fault.again, remaining()) {
            Some(delay) => sleep(delay).await,
            None if fault.again == Again::Never || attempts > channel.retries => {
                break Err(fault.reason);
            }
            None => {
                let deadline = text::duration(channel.deadline);
                break Err(format!(
                    "{}; no time left of the deadline of {deadline}",
                    fault.reason
                ));
            }
        }
    };
    Outcome { attempts, result }
}

/// Looks whether the channel could be told; sends nothing.
pub(crate) async fn look(channel: &Channel) -> Outcome {
    let result = match resolve(&channel.route, |name| std::env::var(name).ok()) {
        Ok(route) => timeout(channel.timeout, reach::reach(&route))
            .await
            .unwrap_or_else(|_| Err(no_answer(channel.timeout))),
        Err(reason) => Err(reason),
    };
    Outcome {
        attempts: 0,
        result,
    }
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {}", text::duration(limit))
}

/// Writes the notification in the form of the route.
fn prepare(route: Resolved, notification: &Notification) -> Result<Delivery, String> {
    let json = |value: Result<Vec<u8>, serde_json::Error>| {
        value.map_err(|error| format!("writing the notification as JSON: {error}"))
    };
    match route {
        Resolved::Command(words, stdin) => {
            let mut input = match stdin {
                CommandInput::Json => json(serde_json::to_vec(notification))?,
                CommandInput::Text => message::text(notification, &words).into_bytes(),
            };
            input.push(b'\n');
            Ok(Delivery::Command(
                message::with_title(words, notification),
                input,
            ))
        }
        #[cfg(feature = "network")]
        Resolved::Webhook { url, form, headers } => {
            let body = json(match form {
                WebhookForm::Slack => serde_json::to_vec(&message::slack(notification)),
                WebhookForm::Json => serde_json::to_vec(notification),
            })?;
            post(url, headers, body, "application/json", false)
        }
        #[cfg(feature = "network")]
        Resolved::Healthchecks { url } => post(
            message::ping(&url, notification),
            HeaderMap::new(),
            message::text(notification, &[]).into_bytes(),
            "text/plain; charset=utf-8",
            true,
        ),
    }
}

#[cfg(feature = "network")]
fn post(
    url: reqwest::Url,
    mut headers: HeaderMap,
    body: Vec<u8>,
    content_type: &'static str,
    is_ping: bool,
) -> Result<Delivery, String> {
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(content_type));
    Ok(Delivery::Post(Box::new(Post {
        client: http::client(&url)?,
        url,
        headers,
        body,
        is_ping,
    })))
}

impl Delivery {
    async fn attempt(&self) -> Result<(), Fault> {
        match self {
            #[cfg(feature = "network")]
            Self::Post(post) => post.attempt().await,
            Self::Command(command, document) => command::attempt(command, document).await,
        }
    }
}
