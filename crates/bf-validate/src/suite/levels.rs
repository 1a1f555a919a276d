//! The `levels:` of a config, looked at before anything is read: a name that is misspelt changes nothing, and
//! it would never be noticed.

use std::path::Path;

use bf_cli::Failure;
use bf_config::Loaded;

use super::{Builtin, Suite};

/// Refuses levels of suites and checks that are not there: those of the built-in suites, of `own`, and of the
/// files of a `suites` folder beside the config are known.
///
/// # Errors
/// An unknown suite or check: usage (exit 2).
pub(crate) fn verify(loaded: &Loaded, own: &Suite) -> Result<(), Failure> {
    let config = &loaded.config;
    if config.levels.is_empty() {
        return Ok(());
    }
    let builtin = [
        Builtin::TeamOffense.suite()?,
        Builtin::PlayerGameSummary.suite()?,
    ];
    let folder = loaded
        .path
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new("config"))
        .join("suites");
    for (name, levels) in &config.levels {
        // The file of the suite under another name has the last word on its checks.
        if *name == own.suite {
            own.knows(levels)?;
        } else if let Some(suite) = builtin.iter().find(|suite| suite.suite == *name) {
            suite.knows(levels)?;
        } else if let Some(suite) = beside(&folder, name)? {
            suite.knows(levels)?;
        } else {
            let known: Vec<&str> = builtin.iter().map(|suite| suite.suite.as_str()).collect();
            return Err(Failure::usage(format!(
                "{}: no suite is called {name}",
                loaded.place("levels", name)
            ))
            .hint(format!(
                "built in: {}; one of your own is found as {}/{name}.yaml",
                known.join(", "),
                folder.display()
            )));
        }
    }
    Ok(())
}

/// The suite of this name in the folder, if there is one.
fn beside(folder: &Path, name: &str) -> Result<Option<Suite>, Failure> {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let path = folder.join(format!("{name}.yaml"));
    if !is_plain || !path.is_file() {
        return Ok(None);
    }
    Suite::load(&path).map(Some)
}
