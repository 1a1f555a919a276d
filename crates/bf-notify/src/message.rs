//! A notification in the form of each route.

use bf_cli::text::printable;
#[cfg(feature = "network")]
use bf_contract::Verdict;
use bf_contract::{Notification, NotificationEvent, NotificationType, Schema};
use chrono::{DateTime, Utc};
#[cfg(feature = "network")]
use reqwest::Url;
use serde_json::{Value, json};

/// Slack refuses a section of more than 3,000 characters. Source: "Reference: blocks", section. The fences and the line
/// about what is left out come on top.
const LONGEST_SECTION: usize = 2_900;
/// What stands for the heading in the arguments of a command.
const TITLE: &str = "{title}";
/// What a heading has at most, in characters.
const LONGEST_HEADING: usize = 500;

/// The notification of `--test`.
pub(crate) fn test(time: DateTime<Utc>) -> Notification {
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

/// What a message begins with: the plan and the machine, then what happened.
pub(crate) fn heading(notification: &Notification) -> String {
    let title = notification.title.replace('\n', " ");
    match (&notification.plan, &notification.host) {
        (Some(plan), Some(host)) => format!("{plan} on {host}: {title}"),
        (Some(name), None) | (None, Some(name)) => format!("{name}: {title}"),
        (None, None) => title,
    }
}

/// The text of a message, with the path of the run's page.
fn body(notification: &Notification) -> String {
    let text = notification.text.trim_end();
    match &notification.report {
        Some(report) => format!("{text}\npage: {report}").trim_start().to_owned(),
        None => text.to_owned(),
    }
}

/// Slack's incoming form: a block each for the heading, the text, and where it is from; `text` is what a phone shows
/// without blocks.
pub(crate) fn slack(notification: &Notification) -> Value {
    let heading = markup_free(&heading(notification));
    let bold = format!("*{}*", cut_markup(&heading, LONGEST_HEADING));
    let mut blocks = vec![section(&bold)];
    let body = body(notification);
    if !body.is_empty() {
        let body = markup_free(&body.replace("```", "'''"));
        blocks.push(section(&format!(
            "```{}```",
            cut_markup(&body, LONGEST_SECTION)
        )));
    }
    let mut from = Vec::new();
    if !notification.run_id.is_empty() {
        from.push(format!("run {}", markup_free(&notification.run_id)));
    }
    if let Some(phase) = &notification.phase {
        from.push(format!("phase {}", markup_free(phase)));
    }
    from.push(
        notification
            .time
            .format("%Y-%m-%d %H:%M:%S UTC")
            .to_string(),
    );
    let from = from.join(", ");
    blocks.push(json!({
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": cut_markup(&from, LONGEST_SECTION)}],
    }));
    json!({ "text": cut_markup(&heading, LONGEST_HEADING), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// Cuts a text that is escaped already, and never within an escape.
fn cut_markup(text: &str, limit: usize) -> String {
    let short = cut(text, limit);
    match short.rfind('&') {
        Some(at) if short.len() < text.len() && !short[at..].contains(';') => {
            format!("{}…", &short[..at])
        }
        _ => short,
    }
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

/// The heading in place of `{title}` in the arguments of a command.
pub(crate) fn with_title(words: Vec<String>, notification: &Notification) -> Vec<String> {
    let title = printable(&heading(notification), LONGEST_HEADING);
    let words = words.into_iter();
    words.map(|word| word.replace(TITLE, &title)).collect()
}

/// What a command reads as text: without the heading if its arguments have it.
pub(crate) fn text(notification: &Notification, words: &[String]) -> String {
    let body = body(notification);
    if body.is_empty() || !words.iter().any(|word| word.contains(TITLE)) {
        return format!("{}\n\n{body}", heading(notification))
            .trim_end()
            .to_owned();
    }
    body
}

#[cfg(feature = "network")]
/// The URL of a ping. A run begins with `/start` and ends with the plain URL or `/fail`; whatever happens
/// between goes to the check's log and changes nothing. Source: the Pinging API of Healthchecks.io, also for
/// `rid`, which must be a UUID.
pub(crate) fn ping(check: &Url, notification: &Notification) -> Url {
    let mut url = check.clone();
    let signal = match (notification.event, notification.verdict) {
        (NotificationEvent::RunStarted, _) => "start",
        (NotificationEvent::RunFinished, Some(Verdict::Pass | Verdict::Warn)) => "",
        // A run that stands still has come to an end, and not to a good one.
        (NotificationEvent::RunFinished | NotificationEvent::Interrupted, _) => "fail",
        // Without a run, what is told is all that there is.
        (NotificationEvent::GateFailed | NotificationEvent::CouldNotCheck, _)
            if notification.run_id.is_empty() =>
        {
            "fail"
        }
        _ => "log",
    };
    if let (false, Ok(mut path)) = (signal.is_empty(), url.path_segments_mut()) {
        path.pop_if_empty().push(signal);
    }
    let ids = notification.run_uuid.iter().chain([&notification.run_id]);
    if let Some(id) = ids.into_iter().find(|id| is_uuid(id)) {
        url.query_pairs_mut().append_pair("rid", id);
    }
    url
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
    use super::{cut, ping, slack, test, text, with_title};
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
        notification.plan = Some("nightly".to_owned());
        notification.host = Some("etl-1".to_owned());
        let told = slack(&notification);
        let heading = "nightly on etl-1: 97.0% &lt; 99.0% &amp; &lt;!channel&gt;";
        assert_eq!(told["text"], heading);
        let text = |at: usize| told["blocks"][at]["text"]["text"].clone();
        assert_eq!(text(0), format!("*{heading}*"));
        assert_eq!(text(1), "```a\n'''b'''```");
        assert_eq!(
            told["blocks"][2]["elements"][0]["text"],
            "run test, phase team_offense, 1970-01-01 00:00:00 UTC"
        );
    }

    #[test]
    fn a_command_has_the_heading_in_its_arguments_or_in_its_text() {
        let mut notification = notification(NotificationEvent::GateFailed, None);
        notification.title = "97.0% < 99.0%\u{1b}".to_owned();
        notification.text = "a\nb\n".to_owned();
        notification.plan = Some("nightly".to_owned());
        let words = ["mail", "-s", "bf: {title}", "x"].map(str::to_owned);
        assert_eq!(text(&notification, &words), "a\nb");
        assert_eq!(
            with_title(words.to_vec(), &notification),
            ["mail", "-s", "bf: nightly: 97.0% < 99.0%\\x1b", "x"]
        );
        assert_eq!(
            text(&notification, &words[..2]),
            "nightly: 97.0% < 99.0%\u{1b}\n\na\nb"
        );
    }

    #[test]
    fn no_section_is_longer_than_slack_takes() {
        let mut notification = notification(NotificationEvent::GateFailed, None);
        notification.text = "<&>\n".repeat(5_000);
        notification.title = "&".repeat(9_000);
        let told = slack(&notification);
        for block in told["blocks"].as_array().expect("blocks") {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.chars().count() <= 3_000, "{}", text.len());
        }
    }

    #[test]
    fn a_long_text_ends_with_a_whole_line_and_says_what_is_missing() {
        assert_eq!(cut("one\ntwo\nthree", 13), "one\ntwo\nthree");
        assert_eq!(cut("one\ntwo\nthree", 10), "one\ntwo\n… (1 more line)");
        assert_eq!(cut("äöüäöü", 4), "äöüä\n… (1 more line)");
    }
}
