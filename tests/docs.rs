//! The documents of the repository: what they list is what the tools know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The keys that a tool's refusal of an unknown key lists.
fn keys_of(refusal: &str) -> BTreeSet<String> {
    let known = refusal
        .split_once("expected one of ")
        .or_else(|| refusal.split_once("expected "))
        .map_or("", |(_, known)| known);
    // Some refusals quote the names; what follows them is the place.
    let known = known.split(" at line ").next().unwrap_or_default();
    let names = known.split([',', '`', ' ']).map(str::trim);
    names
        .filter(|name| !name.is_empty() && *name != "or")
        .map(str::to_owned)
        .collect()
}

/// Gives each of `texts` to a tool, and returns the keys that the refusals list.
fn keys(tool: &str, args: &[&str], file: &str, texts: &[&str]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for text in texts {
        let sandbox = Sandbox::new();
        sandbox.write(file, text);
        let output = sandbox.command(tool).args(args).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{text}");
        let refusal = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = keys_of(
            refusal
                .lines()
                .find(|line| line.contains("unknown"))
                .unwrap_or(""),
        );
        assert!(!found.is_empty(), "{text}: {refusal}");
        keys.extend(found);
    }
    keys
}

fn assert_listed(name: &str, keys: &BTreeSet<String>) {
    let page = page(name);
    let words: BTreeSet<&str> = page
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !words.contains(key.as_str()))
        .collect();
    assert!(missing.is_empty(), "{name} does not mention {missing:?}");
}

#[test]
fn the_reference_of_the_config_has_every_key() {
    let keys = keys(
        "bf-parse-log",
        &["x.log", "--config", "c.yaml"],
        "c.yaml",
        &[
            "zzz: 1\n",
            "team_offense: {zzz: 1}\n",
            "player_game_summary: {zzz: 1}\n",
            "precompute: {zzz: 1}\n",
            "polling: {zzz: 1}\n",
            "phase2: {zzz: 1}\n",
            "hang: {zzz: 1}\n",
            "expected_dates: {zzz: 1}\n",
            "evidence: {zzz: 1}\n",
            "notify: [{zzz: 1}]\n",
            "notify: [{webhook: {zzz: 1}}]\n",
            "notify: [{healthchecks: {zzz: 1}}]\n",
        ],
    );
    assert_listed("docs/reference/config.md", &keys);
}

#[test]
fn the_reference_of_the_dialect_has_every_key() {
    let keys = keys(
        "bf-parse-log",
        &["x.log", "--config", "c.yaml"],
        "c.yaml",
        &["dialects: [{zzz: 1}]\n"],
    );
    assert_listed("docs/reference/dialect.md", &keys);
}

#[test]
fn the_reference_of_the_plan_has_every_key() {
    let keys = keys(
        "bf-orchestrate",
        &["check", "p.yaml"],
        "p.yaml",
        &[
            "zzz: 1\n",
            "phases: [{zzz: 1}]\n",
            "preflight: [{zzz: 1}]\n",
            "phases: [{job: {zzz: 1}}]\n",
            "phases: [{job: {attach: {zzz: 1}}}]\n",
            "phases: [{validate: [{zzz: 1}]}]\n",
            "phases: [{retries: {zzz: 1}}]\n",
            "phases: [{check_again: {zzz: 1}}]\n",
        ],
    );
    assert_listed("docs/reference/plan.md", &keys);
}

#[test]
fn the_reference_of_the_suite_has_every_key() {
    let keys = keys(
        "bf-validate",
        &["--suite", "s.yaml", "2024-01-01", "2024-01-02"],
        "s.yaml",
        &[
            "zzz: 1\n",
            "checks: [{zzz: 1}]\n",
            "group: {zzz: 1}\n",
            "partner: {zzz: 1}\n",
        ],
    );
    assert_listed("docs/reference/suite.md", &keys);
}

#[test]
fn the_reference_of_the_documents_has_every_field() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/bf-contract/tests/golden");
    let mut fields = BTreeSet::new();
    for golden in std::fs::read_dir(goldens).expect("a folder").flatten() {
        let text = std::fs::read_to_string(golden.path()).expect("a golden file");
        for document in crate::support::documents(text.as_bytes()) {
            let document = document.as_object().expect("an object");
            fields.extend(document.keys().cloned());
        }
    }
    assert!(fields.len() > 60, "{fields:?}");
    assert_listed("docs/reference/documents.md", &fields);
}

#[test]
fn the_example_of_the_dialect_is_read_and_so_are_its_samples() {
    let page = page("docs/reference/dialect.md");
    let example = page.lines().filter_map(|line| line.strip_prefix("    "));
    let sandbox = Sandbox::new();
    sandbox.write(
        "c.yaml",
        &example.map(|line| format!("{line}\n")).collect::<String>(),
    );
    sandbox.write("x.log", "begin 2024-01-05\nstored 12 orders\nbye\n");
    let mut command = sandbox.command("bf-parse-log");
    let output = command
        .args(["x.log", "--config", "c.yaml"])
        .output()
        .expect("runs");
    let summary = &crate::support::documents(&output.stdout)[0];
    assert_eq!(summary["dialect"], "orders", "{output:?}");
    assert_eq!(summary["total_records"], 12, "{output:?}");
}

/// Every YAML file that a user is given, and those that are written in the same languages.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![
        root.join("config"),
        root.join("crates/bf-parse-log/src/dialects"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            match path.extension().and_then(|end| end.to_str()) {
                Some("yaml" | "yml") => files.push(path),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    assert!(files.len() > 20, "{files:?}");
    files
}

/// The schema that a file names in its first line.
fn schema_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a file");
    let first = text.lines().next().unwrap_or_default();
    let named = first.strip_prefix("# yaml-language-server: $schema=");
    let named = named.unwrap_or_else(|| panic!("{} names no schema", path.display()));
    named.to_owned()
}

#[test]
fn every_shipped_yaml_file_names_the_schema_of_its_kind() {
    for path in shipped() {
        let schema = schema_of(&path);
        if schema.starts_with("https://") {
            continue;
        }
        let target = path.parent().expect("a folder").join(&schema);
        assert!(target.is_file(), "{}: {schema}", path.display());
    }
}

/// Reads YAML as version 1.2 does, in which a date and `off` are texts.
const VALIDATOR: &str = "
import json, re, sys, yaml, jsonschema
class Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [rule for rule in rules if not rule[0].endswith(('timestamp', 'bool'))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver('tag:yaml.org,2002:bool', re.compile('^(?:true|false)$'), list('tf'))
for line in sys.stdin:
    path, schema = line.split()
    schema = json.load(open(schema))
    jsonschema.Draft7Validator.check_schema(schema)
    for error in jsonschema.Draft7Validator(schema).iter_errors(yaml.load(open(path), Loader)):
        print(path, error.json_path, error.message)
";

/// What a validator of JSON Schema complains of in files, each with its schema.
fn complaints(python: &Path, files: &[(PathBuf, PathBuf)]) -> String {
    let mut lines = String::new();
    for (path, schema) in files {
        lines += &format!("{} {}\n", path.display(), schema.display());
    }
    let mut command = assert_cmd::Command::new(python);
    let output = command
        .args(["-c", VALIDATOR])
        .write_stdin(lines)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_shipped_yaml_file_is_valid_by_its_schema_and_a_slip_is_not() {
    let Some(python) = crate::support::python("jsonschema, yaml") else {
        return;
    };
    let files = shipped().into_iter().filter_map(|path| {
        let schema = path.parent()?.join(schema_of(&path));
        schema.is_file().then_some((path, schema))
    });
    assert_eq!(complaints(&python, &files.collect::<Vec<_>>()), "");
    let sandbox = Sandbox::new();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    for (kind, text) in [
        ("config", "team_offense: {min_gamez: 1}\n"),
        ("config", "team_offense: {min_success_rate: 950}\n"),
        ("config", "levels: {orders: {rows: loud}}\n"),
        ("suite", "checks: [{name: a, row_counts: {}}]\n"),
        ("suite", "checks: [{name: a, completeness: {colum: b}}]\n"),
        ("plan", "phases: [{name: a, on_fail: ignore}]\n"),
        ("dialect", "sucess: 'x'\n"),
    ] {
        sandbox.write("slip.yaml", text);
        let file = (
            sandbox.join("slip.yaml"),
            schemas.join(format!("{kind}.json")),
        );
        assert_ne!(complaints(&python, &[file]), "", "{kind}: {text}");
    }
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/reference"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder");
        pages.extend(
            entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    for path in &pages {
        let text = std::fs::read_to_string(path).expect("a page");
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let target = path.parent().expect("a folder").join(link);
            assert!(target.exists(), "{}: {link}", path.display());
        }
    }
}

/// The fragments of a quoted message: what is between the parts that are filled in, and what is put together.
fn fragments(message: &str) -> Vec<&str> {
    let parts = message.split(['…', '"']).flat_map(|part| part.split(": "));
    let parts = parts.flat_map(|part| part.split("is not "));
    parts.map(str::trim).filter(|part| part.len() > 5).collect()
}

#[test]
fn every_message_of_the_troubleshooting_is_one_that_a_tool_prints() {
    let mut sources = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                sources.push_str(&std::fs::read_to_string(path).expect("a source"));
            }
        }
    }
    // Texts that are broken over lines, and what is filled in.
    let sources = sources.split_whitespace().collect::<Vec<_>>().join(" ");
    let sources = sources.replace("\\ ", "").replace("\\\"", "\"");
    // What serde and the system print.
    let from_elsewhere = [
        "No such file or directory",
        "unknown field",
        "expected one of",
    ];
    let page = page("docs/troubleshooting.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let messages: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert!(messages.len() > 15, "{messages:?}");
    for message in messages {
        for fragment in fragments(message) {
            let words = fragment.trim_start_matches(": ").trim_end_matches(':');
            let is_known = from_elsewhere.iter().any(|known| words.contains(known));
            // A name is filled in where the page has one.
            let is_printed = sources.contains(words)
                || words
                    .split("bf-monitor")
                    .all(|part| sources.contains(part.trim()));
            assert!(
                is_known || is_printed,
                "{message}: {words:?} is in no source"
            );
        }
    }
}

#[test]
fn the_readme_is_short() {
    assert!(page("README.md").lines().count() <= 200);
}
