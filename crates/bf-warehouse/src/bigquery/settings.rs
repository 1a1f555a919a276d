//! How BigQuery is reached, beyond what the URL of a warehouse says.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::WarehouseError;

/// The variable that names an emulator.
pub(super) const EMULATOR_HOST: &str = "BIGQUERY_EMULATOR_HOST";

/// What a query may be charged for unless the URL gives another limit: 10 GiB.
pub(super) const DEFAULT_MAXIMUM_BYTES_BILLED: u64 = 10 << 30;

/// BigQuery charges at least 10 MiB for each table that a query reads, so a lower limit refuses every query.
/// Source: "On-demand compute pricing" of BigQuery's price list.
pub(super) const LEAST_BYTES_BILLED: u64 = 10 << 20;

/// Which server answers, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port; the path of the REST interface is added to it.
    pub base: Url,
    /// Whose token the requests carry.
    pub identity: Identity,
}

/// Whose token requests carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// None: an emulator never gets a token.
    None,
    /// The application default credentials: the key of `GOOGLE_APPLICATION_CREDENTIALS`, the gcloud login,
    /// the metadata server.
    Default,
    /// The service account of this key file.
    KeyFile(PathBuf),
}

impl Endpoint {
    /// Google's own server, or the emulator of `BIGQUERY_EMULATOR_HOST`.
    ///
    /// # Errors
    /// [`WarehouseError::Url`]: the variable holds neither `host:port` nor a URL.
    pub fn from_environment() -> Result<Self, WarehouseError> {
        match std::env::var(EMULATOR_HOST) {
            Ok(host) if !host.trim().is_empty() => Self::emulator(&host),
            Ok(_) | Err(std::env::VarError::NotPresent) => Self::google(),
            Err(std::env::VarError::NotUnicode(host)) => Err(not_a_host(&host.to_string_lossy())),
        }
    }

    fn google() -> Result<Self, WarehouseError> {
        let base = "https://bigquery.googleapis.com";
        Ok(Self {
            base: Url::parse(base).map_err(|_| not_a_host(base))?,
            identity: Identity::Default,
        })
    }

    /// Whether it is an emulator, and not BigQuery.
    #[must_use]
    pub fn is_emulator(&self) -> bool {
        self.identity == Identity::None
    }

    /// An emulator, given as `host:port` or as a URL without a path.
    ///
    /// # Errors
    /// [`WarehouseError::Url`]: the text is neither.
    pub fn emulator(host: &str) -> Result<Self, WarehouseError> {
        let text = host.trim();
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let base = Url::parse(&url).map_err(|_| not_a_host(host))?;
        let is_plain = matches!(base.scheme(), "http" | "https")
            && base.has_host()
            && base.path() == "/"
            && base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        if !is_plain {
            return Err(not_a_host(host));
        }
        Ok(Self {
            base,
            identity: Identity::None,
        })
    }
}

fn not_a_host(host: &str) -> WarehouseError {
    WarehouseError::Url {
        url: host.to_owned(),
        reason: format!("{EMULATOR_HOST} must be host:port or http://host:port"),
    }
}

/// How patient the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first delay before a request is repeated; each further one is twice as long.
    pub base_delay: Duration,
    /// No delay is longer.
    pub longest_delay: Duration,
    /// How often a request is repeated.
    pub retries: u32,
    /// How long the request that starts a job waits for its end. Short, so that the job's name is known
    /// early: without it the job cannot be cancelled.
    pub first_wait: Duration,
    /// How long each further question after the job waits on the server.
    pub wait: Duration,
    /// How long the search for credentials may take.
    pub credentials: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            base_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(32),
            retries: 6,
            first_wait: Duration::from_secs(2),
            wait: Duration::from_secs(10),
            credentials: Duration::from_secs(2),
        }
    }
}

/// Where queries go, who pays, and how patient the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The project that runs and pays for the queries, and has the datasets.
    pub project: String,
    /// The datasets' location; BigQuery finds it if it is not given.
    pub location: Option<String>,
    /// No query may be charged for more bytes than this.
    pub maximum_bytes_billed: u64,
    /// Which server answers.
    pub endpoint: Endpoint,
    /// How patient the client is.
    pub pace: Pace,
}

impl Settings {
    /// The settings of a `bigquery://` URL, with the endpoint from the environment.
    ///
    /// # Errors
    /// [`WarehouseError::Url`]: `maximum_bytes_billed` is below what any query costs, or
    /// `BIGQUERY_EMULATOR_HOST` is no host.
    pub fn new(
        project: String,
        location: Option<String>,
        maximum_bytes_billed: Option<u64>,
    ) -> Result<Self, WarehouseError> {
        let maximum_bytes_billed = maximum_bytes_billed.unwrap_or(DEFAULT_MAXIMUM_BYTES_BILLED);
        if maximum_bytes_billed < LEAST_BYTES_BILLED {
            return Err(WarehouseError::Url {
                url: format!("bigquery://{project}?maximum_bytes_billed={maximum_bytes_billed}"),
                reason: format!(
                    "maximum_bytes_billed must be at least {LEAST_BYTES_BILLED}: \
                     BigQuery charges no less for a table"
                ),
            });
        }
        Ok(Self {
            project,
            location,
            maximum_bytes_billed,
            endpoint: Endpoint::from_environment()?,
            pace: Pace::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Identity, Settings};

    #[test]
    fn an_emulator_is_a_host_and_port_or_a_url_and_gets_no_token() {
        for (host, base) in [
            ("127.0.0.1:9050", "http://127.0.0.1:9050/"),
            ("localhost:9050", "http://localhost:9050/"),
            ("http://[::1]:9050", "http://[::1]:9050/"),
            ("https://emulator/", "https://emulator/"),
        ] {
            let endpoint = Endpoint::emulator(host).expect(host);
            assert_eq!(endpoint.base.as_str(), base);
            assert_eq!(endpoint.identity, Identity::None);
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "127.0.0.1:99999",
            "ftp://host",
            "http://host/bigquery/v2",
            "http://user:word@host",
            "host name:1",
            ":9050",
        ] {
            assert!(Endpoint::emulator(host).is_err(), "{host}");
        }
    }

    #[test]
    fn a_limit_below_the_price_of_any_query_is_refused() {
        assert!(Settings::new("p".to_owned(), None, Some(10_485_759)).is_err());
        assert!(Settings::new("p".to_owned(), None, Some(10_485_760)).is_ok());
    }
}
