//! The URL of a warehouse.

use std::path::PathBuf;

use crate::WarehouseError;

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseUrl {
    /// `sqlite:DIR`: a folder with one database file per dataset.
    Sqlite(PathBuf),
    /// `bigquery://PROJECT?location=US&maximum_bytes_billed=…`.
    BigQuery {
        /// The project that runs and pays for the queries, and has the datasets.
        project: String,
        /// The datasets' location; the engine finds it where it is not given.
        location: Option<String>,
        /// No query may be charged for more bytes than this.
        maximum_bytes_billed: Option<u64>,
    },
}

impl std::str::FromStr for WarehouseUrl {
    type Err = WarehouseError;

    fn from_str(url: &str) -> Result<Self, WarehouseError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(refused(url, "the folder is missing"));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        let Some(rest) = url.strip_prefix("bigquery://") else {
            return Err(refused(url, "neither sqlite:DIR nor bigquery://PROJECT"));
        };
        let (project, query) = rest.split_once('?').unwrap_or((rest, ""));
        let project = project.trim_end_matches('/');
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
        };
        if !is_name(project) {
            return Err(refused(url, &format!("{project:?} is not a project")));
        }
        let (mut location, mut maximum_bytes_billed) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "location" if is_name(value) => location = Some(value.to_owned()),
                "location" => return Err(refused(url, &format!("{value:?} is not a location"))),
                "maximum_bytes_billed" => {
                    let bytes = value.parse::<u64>().ok().filter(|bytes| *bytes > 0);
                    if bytes.is_none() {
                        return Err(refused(url, &format!("{value:?} is not a number of bytes")));
                    }
                    maximum_bytes_billed = bytes;
                }
                _ => {
                    return Err(refused(
                        url,
                        &format!("unknown key {key:?} (known: location, maximum_bytes_billed)"),
                    ));
                }
            }
        }
        Ok(Self::BigQuery {
            project: project.to_owned(),
            location,
            maximum_bytes_billed,
        })
    }
}

fn refused(url: &str, reason: &str) -> WarehouseError {
    WarehouseError::Url {
        url: url.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::WarehouseUrl;

    #[test]
    fn a_folder_is_named_with_or_without_slashes() {
        for url in ["sqlite:/data/wh", "sqlite:///data/wh"] {
            assert_eq!(url.parse(), Ok(WarehouseUrl::Sqlite("/data/wh".into())));
        }
        assert_eq!("sqlite:wh".parse(), Ok(WarehouseUrl::Sqlite("wh".into())));
    }

    #[test]
    fn a_project_can_have_a_location_and_a_limit() {
        assert_eq!(
            "bigquery://nba-props?location=US&maximum_bytes_billed=10485760".parse(),
            Ok(WarehouseUrl::BigQuery {
                project: "nba-props".to_owned(),
                location: Some("US".to_owned()),
                maximum_bytes_billed: Some(10_485_760),
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for url in [
            "",
            "warehouse",
            "sqlite:",
            "postgres://x",
            "bigquery://",
            "bigquery://p?limit=1",
            "bigquery://p?maximum_bytes_billed=0",
            "bigquery://p/../q",
        ] {
            assert!(url.parse::<WarehouseUrl>().is_err(), "{url:?}");
        }
    }
}
