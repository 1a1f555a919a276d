//! The URL of a BigQuery project: `bigquery://PROJECT?location=US&maximum_bytes_billed=…`.

use crate::WarehouseError;

/// A project, as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectUrl {
    /// The project that runs and pays for the queries, and has the datasets.
    pub project: String,
    /// The datasets' location; BigQuery finds it if it is not given.
    pub location: Option<String>,
    /// No query may be charged for more bytes than this.
    pub maximum_bytes_billed: Option<u64>,
}

impl ProjectUrl {
    /// Reads what follows `bigquery://`.
    ///
    /// # Errors
    /// [`WarehouseError::Url`].
    pub(super) fn parse(rest: &str) -> Result<Self, WarehouseError> {
        let url = &format!("bigquery://{rest}");
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
        Ok(Self {
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
    use super::ProjectUrl;

    #[test]
    fn a_project_can_have_a_location_and_a_limit() {
        assert_eq!(
            ProjectUrl::parse("nba-props?location=US&maximum_bytes_billed=10485760"),
            Ok(ProjectUrl {
                project: "nba-props".to_owned(),
                location: Some("US".to_owned()),
                maximum_bytes_billed: Some(10_485_760),
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for rest in ["", "p?limit=1", "p?maximum_bytes_billed=0", "p/../q"] {
            assert!(ProjectUrl::parse(rest).is_err(), "{rest:?}");
        }
    }
}
