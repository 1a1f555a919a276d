//! Copies a folder of SQLite files into the emulator, over the REST interface that a real job would use.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

/// The variable that names the emulator.
pub const EMULATOR_HOST: &str = "BIGQUERY_EMULATOR_HOST";

pub use crate::support::require::emulator;

/// A project of the emulator that belongs to one test.
pub struct Project {
    host: String,
    name: String,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Project {
    /// An empty project in the emulator at `host`.
    pub fn new(host: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("bf-test-{}-{count}", std::process::id());
        // There is no TLS on the way, but a client is not made without it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Each request has a connection of its own: the emulator closes those that wait.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        let client = client.no_proxy().tls_certs_only([]);
        Self {
            host: host.to_owned(),
            name,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            client: client.build().expect("an HTTP client"),
        }
    }

    /// The URL of the project as a warehouse.
    pub fn url(&self) -> String {
        format!("bigquery://{}?location=US", self.name)
    }

    /// Copies every table of every `DATASET.db` in `folder`.
    pub fn copy(&self, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("the warehouse's folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "db") {
                let dataset = path.file_stem().expect("a name").to_string_lossy();
                self.copy_dataset(&dataset, &path);
            }
        }
    }

    /// Runs one statement, such as `ALTER TABLE`.
    pub fn run(&self, sql: &str) {
        let answer = self.post("queries", &json!({"query": sql, "useLegacySql": false}));
        assert_eq!(answer.get("errors"), None, "{sql}");
    }

    /// The SQL of every query that the project has seen.
    pub fn queries(&self) -> Vec<String> {
        let url = format!(
            "http://{}/bigquery/v2/projects/{}/jobs?maxResults=1000",
            self.host, self.name
        );
        let jobs = self.send(self.client.get(url));
        let jobs = jobs["jobs"].as_array().expect("jobs").iter();
        jobs.filter_map(|job| job["configuration"]["query"]["query"].as_str())
            .map(str::to_owned)
            .collect()
    }

    fn copy_dataset(&self, dataset: &str, path: &Path) {
        let reference = json!({"datasetId": dataset, "projectId": self.name});
        self.post(
            "datasets",
            &json!({"datasetReference": reference, "location": "US"}),
        );
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let db = db.expect("a database");
        let names =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let mut names = db.prepare(names).expect("a list of tables");
        let names = names
            .query_map([], |row| row.get::<_, String>(0))
            .expect("tables");
        for table in names {
            self.copy_table(&db, dataset, &table.expect("a name"));
        }
    }

    fn copy_table(&self, db: &Connection, dataset: &str, table: &str) {
        let columns = Kind::columns(db, table);
        let mut statement = db
            .prepare(&format!("SELECT * FROM {table}"))
            .expect("a table");
        let fields: Vec<Value> = columns
            .iter()
            .map(|(name, kind)| {
                let (kind, mode) = kind.in_bigquery();
                json!({"name": name, "type": kind, "mode": mode})
            })
            .collect();
        let mut description = json!({
            "tableReference": {"projectId": self.name, "datasetId": dataset, "tableId": table},
            "schema": {"fields": fields},
        });
        if let Some((day, _)) = columns.iter().find(|(_, kind)| matches!(kind, Kind::Date)) {
            description["timePartitioning"] = json!({"type": "DAY", "field": day});
            description["requirePartitionFilter"] = json!(true);
        }
        self.post(&format!("datasets/{dataset}/tables"), &description);

        let mut lines = String::new();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let mut json = Map::new();
            for (at, (name, kind)) in columns.iter().enumerate() {
                let value = kind.value(row.get_ref(at).expect("a value"));
                json.insert(name.clone(), value);
            }
            lines.push_str(&Value::Object(json).to_string());
            lines.push('\n');
        }
        if !lines.is_empty() {
            self.load(&description["tableReference"], &lines);
        }
    }

    /// Loads lines of JSON into a table: a load job whose data travels with it.
    fn load(&self, table: &Value, lines: &str) {
        let job = json!({"configuration": {"load": {
            "destinationTable": table,
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "writeDisposition": "WRITE_APPEND",
        }}});
        let part =
            |kind: &str, body: &str| format!("--part\r\nContent-Type: {kind}\r\n\r\n{body}\r\n");
        let body = part("application/json; charset=UTF-8", &job.to_string())
            + &part("application/octet-stream", lines)
            + "--part--\r\n";
        let url = format!(
            "http://{}/upload/bigquery/v2/projects/{}/jobs?uploadType=multipart",
            self.host, self.name
        );
        let request = self.client.post(url).body(body);
        let request = request.header("content-type", "multipart/related; boundary=part");
        let job = self.send(request);
        assert_eq!(job["status"]["errorResult"], Value::Null, "{table}: {job}");
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!(
            "http://{}/bigquery/v2/projects/{}/{path}",
            self.host, self.name
        );
        self.send(self.client.post(url).json(body))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Value {
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let (status, url) = (answer.status(), answer.url().clone());
            let text = answer.text().await.expect("a body");
            assert!(status.is_success(), "{url}: {status} {text}");
            serde_json::from_str(&text).expect("a document")
        })
    }
}

/// What a column of the sample job's tables is in the real ones.
#[derive(Clone, Copy)]
pub enum Kind {
    Date,
    Bool,
    Strings,
    Floats,
    Timestamp,
    Integer,
    Float,
    Text,
}

impl Kind {
    /// The columns of a table, in order.
    pub fn columns(db: &Connection, table: &str) -> Vec<(String, Self)> {
        let described = "SELECT name, type FROM pragma_table_info(?1)";
        let mut described = db.prepare(described).expect("a list of columns");
        let columns = described.query_map([table], |row| {
            let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
            let kind = Self::of(&name, &declared);
            Ok((name, kind))
        });
        columns.and_then(Iterator::collect).expect("columns")
    }

    pub fn in_duckdb(self) -> &'static str {
        match self {
            Self::Date => "DATE",
            Self::Bool => "BOOLEAN",
            Self::Strings => "VARCHAR[]",
            Self::Floats => "DOUBLE[]",
            Self::Timestamp => "TIMESTAMPTZ",
            Self::Integer => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Text => "VARCHAR",
        }
    }

    fn of(name: &str, declared: &str) -> Self {
        match (name, declared) {
            ("quality_issues" | "data_sources" | "data_quality_issues" | "feature_names", _) => {
                Self::Strings
            }
            ("features", _) => Self::Floats,
            (
                "home_game"
                | "shot_zones_available"
                | "shot_zones_estimated"
                | "processed_with_issues"
                | "has_complete_shot_zones"
                | "usage_rate_valid"
                | "usage_rate_capped"
                | "quality_used_fallback"
                | "quality_reconstructed",
                _,
            ) => Self::Bool,
            (name, _) if name.ends_with("_last_updated") => Self::Timestamp,
            (name, _) if name.ends_with("_date") => Self::Date,
            (name, _) if name.ends_with("_at") => Self::Timestamp,
            (name, _) if name.starts_with("is_") || name.ends_with("_flag") => Self::Bool,
            (_, "INTEGER") => Self::Integer,
            (_, "REAL") => Self::Float,
            _ => Self::Text,
        }
    }

    fn in_bigquery(self) -> (&'static str, &'static str) {
        match self {
            Self::Date => ("DATE", "NULLABLE"),
            Self::Bool => ("BOOLEAN", "NULLABLE"),
            Self::Strings => ("STRING", "REPEATED"),
            Self::Floats => ("FLOAT", "REPEATED"),
            Self::Timestamp => ("TIMESTAMP", "NULLABLE"),
            Self::Integer => ("INTEGER", "NULLABLE"),
            Self::Float => ("FLOAT", "NULLABLE"),
            Self::Text => ("STRING", "NULLABLE"),
        }
    }

    pub fn value(self, value: ValueRef<'_>) -> Value {
        match (self, value) {
            (Self::Strings | Self::Floats, ValueRef::Null) => json!([]),
            (_, ValueRef::Null) => Value::Null,
            (Self::Bool, ValueRef::Integer(number)) => json!(number != 0),
            (_, ValueRef::Integer(number)) => json!(number),
            (_, ValueRef::Real(number)) => json!(number),
            (Self::Strings | Self::Floats, ValueRef::Text(text)) => {
                serde_json::from_slice(text).expect("a JSON array")
            }
            (_, ValueRef::Text(text)) => json!(String::from_utf8_lossy(text)),
            (_, ValueRef::Blob(_)) => panic!("no table has a blob"),
        }
    }
}
