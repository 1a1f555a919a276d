//! One POST, and what its answer means.

use std::sync::Once;
use std::time::Duration;

use bf_cli::text::printable;
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use crate::retry::{Again, Fault, without_number};

/// No more of an answer is read, in bytes.
const LONGEST_ANSWER: usize = 4_096;

/// A POST, as often as it is sent.
pub(crate) struct Post {
    /// The client to send it with.
    pub client: Client,
    /// Where it goes.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether it is a ping, whose answer says more than its status does.
    pub is_ping: bool,
}

impl Post {
    /// Sends it once.
    ///
    /// # Errors
    /// It was not accepted, or that is not known; no URL and no header stands in the reason.
    pub(crate) async fn attempt(&self) -> Result<(), Fault> {
        let response = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .body(self.body.clone())
            .send()
            .await
            .map_err(|error| self.unreached(&error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| wait_of(value.to_str().ok()?, Utc::now()));
        if status.is_success() && !self.is_ping {
            return Ok(());
        }
        let body = start_of_body(response).await;
        if status.is_success() {
            return ping_fault(&body.map_err(|error| self.unreached(&error))?).map_or(Ok(()), Err);
        }
        let word = body.ok().and_then(|body| self.word(&body));
        Err(refused(status, word.as_deref(), retry_after))
    }

    /// A request without an answer.
    fn unreached(&self, error: &reqwest::Error) -> Fault {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let doing = if error.is_connect() {
            "connecting: "
        } else {
            ""
        };
        let cause = self.scrub(without_number(&cause.to_string()));
        Fault::passing(format!("{doing}{cause}"))
    }

    /// A text from outside, in one line and without any part of the URL.
    fn scrub(&self, text: &str) -> String {
        let url = &self.url;
        let parts = [
            Some(url.as_str()),
            url.host_str(),
            Some(url.path()),
            url.query(),
            Some(url.username()),
            url.password(),
        ];
        let text = parts
            .into_iter()
            .flatten()
            .chain(url.path_segments().into_iter().flatten())
            .filter(|part| part.len() > 3)
            .fold(text.to_owned(), |text, part| text.replace(part, "***"));
        printable(&text, 200)
    }

    /// The answer where it is one of the short words that chat servers answer with (`no_service`); a page
    /// may repeat the URL and is not shown.
    fn word(&self, body: &str) -> Option<String> {
        let word = body.trim();
        let is_word = (1..=60).contains(&word.len())
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b"_ ".contains(&b));
        let is_secret = self.url.as_str().contains(word)
            || (self.headers.values())
                .any(|value| value.is_sensitive() && holds(value.as_bytes(), word));
        (is_word && !is_secret).then(|| word.to_owned())
    }
}

/// A client for `url`. Redirects are not followed: a POST becomes a GET on the way, and its answer would be
/// taken for a delivery.
///
/// # Errors
/// One line: the TLS library finds no root certificates.
pub(crate) fn client(url: &Url) -> Result<Client, String> {
    install_crypto_provider();
    let builder = Client::builder()
        .user_agent(concat!("bf/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none());
    let builder = if url.scheme() == "https" {
        builder
    } else {
        builder.tls_certs_only([])
    };
    builder
        .build()
        .map_err(|_| "setting up TLS: no root certificates are installed".to_owned())
}

fn holds(value: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(value).contains(word)
}

/// What a status other than 2xx means.
fn refused(status: StatusCode, word: Option<&str>, retry_after: Option<Duration>) -> Fault {
    let code = status.as_u16();
    let reason = match word {
        Some(word) => format!("HTTP {code}: {word}"),
        None if status.is_redirection() => {
            format!("HTTP {code}: it redirects; give the address that it redirects to")
        }
        None => format!("HTTP {code}"),
    };
    let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let again = match retry_after {
        _ if !is_passing => Again::Never,
        Some(time) => Again::After(time),
        None => Again::Later,
    };
    Fault { reason, again }
}

/// What is wrong with a ping that was answered with 2xx. Healthchecks.io answers a ping of a check that it
/// does not have, and one too many, with 200 and says so in the body. Source: its Pinging API, response codes.
fn ping_fault(body: &str) -> Option<Fault> {
    let body = body.trim();
    if body.eq_ignore_ascii_case("OK (not found)") {
        Some(Fault::lasting("the server has no such check"))
    } else if body.eq_ignore_ascii_case("OK (rate limited)") {
        Some(Fault::passing("too many pings of this check, ignored"))
    } else {
        None
    }
}

/// How long a `Retry-After` asks to wait: seconds, or until a date. Source: RFC 9110, 10.2.3.
fn wait_of(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            Some((until.to_utc() - now).to_std().unwrap_or_default())
        }
    }
}

/// The beginning of an answer's body.
async fn start_of_body(mut response: Response) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < LONGEST_ANSWER {
        match response.chunk().await? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// One cryptography for the whole process: ring. reqwest asks for the installed one.
fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error says that there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::{Post, client, ping_fault, refused, wait_of};
    use crate::retry::Again;
    use chrono::{DateTime, Utc};
    use reqwest::{StatusCode, Url};
    use std::time::Duration;

    fn post(url: &str) -> Post {
        let url = Url::parse(url).expect("a URL");
        Post {
            client: client(&url).expect("a client"),
            url,
            headers: Default::default(),
            body: Vec::new(),
            is_ping: false,
        }
    }

    #[test]
    fn a_server_may_recover_and_a_refusal_stays() {
        let again =
            |code, wish| refused(StatusCode::from_u16(code).expect("a code"), None, wish).again;
        let wish = Duration::from_secs(7);
        assert_eq!(again(500, None), Again::Later);
        assert_eq!(again(429, Some(wish)), Again::After(wish));
        assert_eq!(again(503, Some(wish)), Again::After(wish));
        for code in [301, 307, 400, 401, 403, 404, 410] {
            assert_eq!(again(code, Some(wish)), Again::Never, "{code}");
        }
    }

    #[test]
    fn a_ping_that_nobody_took_is_not_taken_for_one_though_its_status_is_200() {
        let again = |body| ping_fault(body).map(|fault| fault.again);
        assert_eq!(again("OK"), None);
        assert_eq!(again("OK (not found)\n"), Some(Again::Never));
        assert_eq!(again("OK (rate limited)"), Some(Again::Later));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: DateTime<Utc> = "2026-01-03T13:45:00Z".parse().expect("a time");
        let seconds = |text| wait_of(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds("Sat, 03 Jan 2026 13:46:10 GMT"), Some(70));
        assert_eq!(seconds("Sat, 03 Jan 2026 13:00:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn no_part_of_the_url_is_shown() {
        let post = post("https://user:passw0rd@h00k.example/services/T000/b0xs3cret?key=v4lue");
        let text =
            "h00k.example: /services/T000/b0xs3cret, b0xs3cret, key=v4lue, user:passw0rd\u{1b}";
        let shown = post.scrub(text);
        for secret in ["h00k", "T000", "s3cret", "v4lue", "passw0rd", "\u{1b}"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn only_a_short_word_of_an_answer_is_shown() {
        let post = post("https://hooks.example/services/secretword");
        assert_eq!(post.word("no_service\n").as_deref(), Some("no_service"));
        for body in [
            "",
            "secretword",
            "<html>",
            "Cannot POST /services/secretword",
        ] {
            assert_eq!(post.word(body), None, "{body}");
        }
    }
}
