//! A notification in the form of each route.

#[cfg(feature = "network")]
use bf_contract::Verdict;
use bf_contract::{Notification, NotificationEvent, NotificationType, Schema};
use chrono::{DateTime, Utc};
#[cfg(feature = "network")]
use reqwest::Url;
use serde_json::{Value, json};

/// Slack shows about so many characters well. Source: "chat.postMessage", truncating content.
const LONGEST_SLACK_TEXT: usize = 3_500;

/// The notification of `--test`.
pub fn test(time: DateTime<Utc>) -> Notification {
    Notification {
        kind: NotificationType,
        schema: Schema,
        event: NotificationEvent::Test,
        time,
        run_id: "test".to_owned(),
        run_uuid: None,
        plan: None,
        host: None,
        report: None,
        run_dir: None,
        phase: None,
        verdict: None,
        title: "bf-notify: a test notification".to_owned(),
        text: "This channel works: what a run does will be told here.".to_owned(),
        run_report: None,
    }
}

/// Slack's incoming form: the title in bold, the text as it is, and where it is from.
pub fn slack(notification: &Notification) -> Value {
    let mut text = format!("*{}*", markup_free(&notification.title.replace('\n', " ")));
    let body = notification.text.trim_end();
    if !body.is_empty() {
        let body = cut(body, LONGEST_SLACK_TEXT).replace("```", "'''");
        text.push_str(&format!("\n```{}```", markup_free(&body)));
    }
    text.push_str(&format!("\nrun {}", markup_free(&notification.run_id)));
    if let Some(phase) = &notification.phase {
        text.push_str(&format!(", phase {}", markup_free(phase)));
    }
    let time = notification.time.format("%Y-%m-%d %H:%M:%S UTC");
    text.push_str(&format!(", {time}"));
    json!({ "text": text })
}

/// `&`, `<` and `>` begin what Slack takes for a link or for the name of everybody. Source: "Formatting text
/// for app surfaces", escaping.
fn markup_free(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The whole lines at the beginning of a text that fit into `limit` characters.
fn cut(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let end = text[..end].rfind('\n').unwrap_or(end);
    let lines = text[end..].trim_start_matches('\n').lines().count();
    let plural = if lines == 1 { "" } else { "s" };
    format!("{}\n… ({lines} more line{plural})", &text[..end])
}

#[cfg(feature = "network")]
/// The URL of a ping. A run begins with `/start` and ends with the plain URL or `/fail`; whatever happens
/// between goes to the check's log and changes nothing. Source: the Pinging API of Healthchecks.io, also for
/// `rid`, which must be a UUID.
pub fn ping(check: &Url, notification: &Notification) -> Url {
    let mut url = check.clone();
    let signal = match (notification.event, notification.verdict) {
        (NotificationEvent::RunStarted, _) => "start",
        (NotificationEvent::RunFinished, Some(Verdict::Pass | Verdict::Warn)) => "",
        // A run that stands still has come to an end, and not to a good one.
        (NotificationEvent::RunFinished | NotificationEvent::Interrupted, _) => "fail",
        _ => "log",
    };
    if let (false, Ok(mut path)) = (signal.is_empty(), url.path_segments_mut()) {
        path.pop_if_empty().push(signal);
    }
    if is_uuid(&notification.run_id) {
        url.query_pairs_mut()
            .append_pair("rid", &notification.run_id);
    }
    url
}

/// The body of a ping, as it stands in the check's log.
pub fn ping_body(notification: &Notification) -> String {
    format!("{}\n\n{}", notification.title, notification.text)
}

#[cfg(feature = "network")]
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(all(test, feature = "network"))]
mod tests {
    use super::{cut, ping, slack, test};
    use bf_contract::{Notification, NotificationEvent, Verdict};
    use chrono::DateTime;
    use reqwest::Url;

    fn notification(event: NotificationEvent, verdict: Option<Verdict>) -> Notification {
        Notification {
            event,
            verdict,
            ..test(DateTime::UNIX_EPOCH)
        }
    }

    #[test]
    fn only_a_good_end_is_a_success() {
        let check = Url::parse("https://ping.example/uuid/").expect("a URL");
        let path = |event, verdict| {
            let url = ping(&check, &notification(event, verdict));
            url.path().to_owned()
        };
        let end = NotificationEvent::RunFinished;
        assert_eq!(path(NotificationEvent::RunStarted, None), "/uuid/start");
        assert_eq!(path(end, Some(Verdict::Pass)), "/uuid/");
        assert_eq!(path(end, Some(Verdict::Warn)), "/uuid/");
        for verdict in [Some(Verdict::Fail), Some(Verdict::Error), None] {
            assert_eq!(path(end, verdict), "/uuid/fail");
        }
        assert_eq!(path(NotificationEvent::Interrupted, None), "/uuid/fail");
        for event in [NotificationEvent::GateFailed, NotificationEvent::Test] {
            assert_eq!(path(event, Some(Verdict::Pass)), "/uuid/log");
        }
    }

    #[test]
    fn a_run_id_is_sent_where_it_is_a_uuid() {
        let check = Url::parse("https://ping.example/key/slug?create=1").expect("a URL");
        let mut start = notification(NotificationEvent::RunStarted, None);
        assert_eq!(ping(&check, &start).query(), Some("create=1"));
        start.run_id = "728b3763-ea80-4113-9fc0-f49b3adf226a".to_owned();
        let url = ping(&check, &start);
        assert_eq!(url.path(), "/key/slug/start");
        assert_eq!(
            url.query(),
            Some("create=1&rid=728b3763-ea80-4113-9fc0-f49b3adf226a")
        );
    }

    #[test]
    fn nobody_is_called_by_what_a_log_says() {
        let mut notification = notification(NotificationEvent::GateFailed, None);
        notification.title = "97.0% < 99.0% & <!channel>".to_owned();
        notification.text = "a\n```b```\n".to_owned();
        notification.phase = Some("team_offense".to_owned());
        assert_eq!(
            slack(&notification)["text"],
            "*97.0% &lt; 99.0% &amp; &lt;!channel&gt;*\n```a\n'''b'''```\n\
             run test, phase team_offense, 1970-01-01 00:00:00 UTC"
        );
    }

    #[test]
    fn a_long_text_ends_with_a_whole_line_and_says_what_is_missing() {
        assert_eq!(cut("one\ntwo\nthree", 13), "one\ntwo\nthree");
        assert_eq!(cut("one\ntwo\nthree", 10), "one\ntwo\n… (1 more line)");
        assert_eq!(cut("äöüäöü", 4), "äöüä\n… (1 more line)");
    }
}
