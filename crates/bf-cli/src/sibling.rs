//! The other tools of bf: where they are, and how a named validator becomes `bf-validate`.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::program::report;
use crate::{Context, Failure, Format, Streams};

/// Finds a tool of bf: in `BF_BIN_DIR` if that is set, else beside this program, else on PATH.
///
/// # Errors
/// It is in none of them: usage (exit 2).
pub fn find_sibling(name: &str) -> Result<PathBuf, Failure> {
    if let Some(folder) = variable("BF_BIN_DIR") {
        let path = Path::new(&folder).join(name);
        return if is_program(&path) {
            Ok(path)
        } else {
            Err(
                Failure::usage(format!("there is no program {}", path.display()))
                    .hint("BF_BIN_DIR must name the folder of all bf tools"),
            )
        };
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    let on_path = variable("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    beside
        .into_iter()
        .chain(std::env::split_paths(&on_path))
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
        .ok_or_else(|| {
            Failure::usage(format!("the tool {name} was not found")).hint(
                "install all bf tools into one folder (cargo install --path .), or set BF_BIN_DIR",
            )
        })
}

/// Becomes the tool `sibling`, with `first` before this program's own arguments. Returns only when that fails.
pub fn exec_sibling(name: &str, sibling: &str, first: &str) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let failure = match find_sibling(sibling) {
        Ok(path) => {
            let error = Command::new(&path).arg(first).args(&arguments).exec();
            let started: Result<(), Failure> =
                Err(error).or_usage(|| format!("starting {}", path.display()));
            started.err()
        }
        Err(failure) => Some(failure),
    };
    let format = Format::of_call(arguments.into_iter());
    let documents = format.writes_documents(&Streams::real());
    failure.map_or(ExitCode::SUCCESS, |failure| {
        report(name, documents, &failure)
    })
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
