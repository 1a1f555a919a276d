//! Whether a channel could be told, without telling it anything.

#[cfg(feature = "network")]
use {hyper_util::client::proxy::matcher::Matcher, reqwest::Url, tokio::net::TcpStream};

use crate::command;
#[cfg(feature = "network")]
use crate::http;
use crate::route::Resolved;

/// Looks for the program, or connects to the host: to the proxy's where one of `HTTPS_PROXY`, `HTTP_PROXY`,
/// `ALL_PROXY` is set for it.
///
/// # Errors
/// One line without any secret: there is no such program or host, or it takes no connection.
pub(crate) async fn reach(route: &Resolved) -> Result<(), String> {
    match route {
        Resolved::Command(command, _) => {
            let program = command.first().map_or("", String::as_str);
            command::find(program).map(drop)
        }
        #[cfg(feature = "network")]
        Resolved::Webhook { url, .. } | Resolved::Healthchecks { url } => connect(url).await,
    }
}

#[cfg(feature = "network")]
async fn connect(url: &Url) -> Result<(), String> {
    http::client(url)?;
    let (whose, host, port) = match proxy_of(url) {
        Some((host, port)) => ("its proxy", host, port),
        None => (
            "its host",
            url.host_str().unwrap_or_default().to_owned(),
            url.port_or_known_default().unwrap_or_default(),
        ),
    };
    // A v6 address stands in brackets in a URL, and without them everywhere else.
    let host = host.trim_matches(['[', ']']);
    TcpStream::connect((host, port))
        .await
        .map(drop)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => format!("{whose} refuses connections"),
            kind if error.raw_os_error().is_some() => format!("connecting to {whose}: {kind}"),
            _ => format!("the name of {whose} is not known"),
        })
}

#[cfg(feature = "network")]
/// The proxy's host and port, found as the client finds it.
fn proxy_of(url: &Url) -> Option<(String, u16)> {
    let proxy = Matcher::from_env().intercept(&url.as_str().parse().ok()?)?;
    let uri = proxy.uri();
    let port = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(port)))
}
