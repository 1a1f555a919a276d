//! A channel's route with its secrets filled in from the environment.

#[cfg(feature = "network")]
use bf_config::notify::{Address, WebhookForm};
use bf_config::notify::{CommandInput, Route};
#[cfg(feature = "network")]
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

/// A route that can be taken. It holds secrets, so it cannot be printed.
pub(crate) enum Resolved {
    /// A POST.
    #[cfg(feature = "network")]
    Webhook {
        /// Where it goes.
        url: Url,
        /// What the body is.
        form: WebhookForm,
        /// Headers beside the usual ones.
        headers: HeaderMap,
    },
    /// A ping.
    #[cfg(feature = "network")]
    Healthchecks {
        /// The check's ping URL.
        url: Url,
    },
    /// A program and its arguments, and what it reads.
    Command(Vec<String>, CommandInput),
}

/// Refuses what needs the network, which this build does not have.
///
/// # Errors
/// The route is not a command.
#[cfg(not(feature = "network"))]
pub(crate) fn resolve(
    route: &Route,
    _environment: impl Fn(&str) -> Option<String>,
) -> Result<Resolved, String> {
    match route {
        Route::Command { words, stdin } => Ok(Resolved::Command(words.clone(), *stdin)),
        _ => Err("this build of bf has no network (built without the cargo feature bigquery): it sends no \
             webhook and no ping; use a command"
            .to_owned()),
    }
}

/// Fills in what the environment holds.
///
/// # Errors
/// One line that names the variable and never its value: it is not set, or holds no URL or header.
#[cfg(feature = "network")]
pub(crate) fn resolve(
    route: &Route,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Resolved, String> {
    let variable = |name: &str| {
        environment(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the environment variable {name} is not set, or empty"))
    };
    let url = |address: &Address| match address {
        Address::Variable(name) => http_url(&variable(name)?)
            .ok_or_else(|| format!("the environment variable {name} holds no http or https URL")),
        Address::Literal(secret) if secret.is_hidden() => Err(
            "its url is left out of this copy of the config: use url_env, or the original".into(),
        ),
        Address::Literal(secret) => http_url(secret.reveal())
            .ok_or_else(|| "its url in the config is no http or https URL".to_owned()),
    };
    Ok(match route {
        Route::Webhook {
            address,
            form,
            headers,
        } => Resolved::Webhook {
            url: url(address)?,
            form: *form,
            headers: headers
                .iter()
                .map(|(header, name)| {
                    let key = HeaderName::from_bytes(header.as_bytes())
                        .map_err(|_| format!("{header:?} is not the name of a header"))?;
                    let mut value = HeaderValue::from_str(&variable(name)?).map_err(|_| {
                        format!("the environment variable {name} holds what no header can hold")
                    })?;
                    value.set_sensitive(true);
                    Ok((key, value))
                })
                .collect::<Result<_, String>>()?,
        },
        Route::Healthchecks { address } => Resolved::Healthchecks { url: url(address)? },
        Route::Command { words, stdin } => Resolved::Command(words.clone(), *stdin),
    })
}

#[cfg(feature = "network")]
fn http_url(text: &str) -> Option<Url> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(all(test, feature = "network"))]
mod tests {
    use super::{Resolved, resolve};
    use bf_config::notify::{Address, Route, WebhookForm};
    use std::collections::BTreeMap;

    fn webhook(headers: &[(&str, &str)]) -> Route {
        Route::Webhook {
            address: Address::Variable("HOOK".to_owned()),
            form: WebhookForm::Json,
            headers: headers
                .iter()
                .map(|(name, variable)| ((*name).to_owned(), (*variable).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn a_copy_of_the_config_says_that_the_url_is_not_in_it() {
        let secret = serde_json::from_value("(secret)".into()).expect("a text");
        let address = Address::Literal(secret);
        let complaint = resolve(&Route::Healthchecks { address }, |_| None)
            .err()
            .expect("no URL");
        assert!(complaint.contains("use url_env"), "{complaint}");
    }

    fn complaint(route: &Route, value: &str) -> String {
        let environment = |name: &str| (name == "HOOK").then(|| value.to_owned());
        resolve(route, environment)
            .err()
            .unwrap_or_else(|| panic!("{value:?} is taken"))
    }

    #[test]
    fn a_variable_is_trimmed_as_files_end_in_newlines() {
        let environment = |_: &str| Some("https://hooks.example/s3cret\n".to_owned());
        let route = webhook(&[("Authorization", "TOKEN")]);
        let Ok(Resolved::Webhook { url, headers, .. }) = resolve(&route, environment) else {
            panic!("a webhook");
        };
        assert_eq!(url.as_str(), "https://hooks.example/s3cret");
        assert!(headers["authorization"].is_sensitive());
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        assert!(complaint(&webhook(&[]), " ").contains("HOOK is not set"));
        for value in ["s3cret", "ftp://s3cret/", "https://", "/s3cret"] {
            let complaint = complaint(&webhook(&[]), value);
            assert!(complaint.contains("HOOK holds no http"), "{complaint}");
            assert!(!complaint.contains("s3cret"), "{complaint}");
        }
        let url = "https://hooks.example/s3cret";
        let headers = webhook(&[("X-Token", "TOKEN")]);
        assert!(complaint(&headers, url).contains("TOKEN is not set"));
        let headers = webhook(&[("no header", "HOOK")]);
        assert!(complaint(&headers, url).contains("\"no header\""));
    }
}
