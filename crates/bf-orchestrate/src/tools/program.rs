//! Finding the program of a command before anything depends on it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Where the C library looks without PATH. Source: `_CS_PATH` of glibc's confstr(3), and execvp(3).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Finds the program that `name` means: itself where it has a slash (relative to `cwd`), else the first of
/// that name on PATH. `None` where there is no such file, or none that may be executed.
pub(crate) fn find_program(name: &str, cwd: Option<&Path>) -> Option<PathBuf> {
    if name.contains('/') {
        let path = cwd.map_or_else(|| PathBuf::from(name), |cwd| cwd.join(name));
        return is_program(&path).then(|| std::path::absolute(&path).unwrap_or(path));
    }
    find_on_path(OsStr::new(name))
}

/// The first program of that name on PATH.
fn find_on_path(name: &OsStr) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// Whether `path` is a file that this user may execute.
fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
