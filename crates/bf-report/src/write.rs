//! A file that is there whole or not at all.

use std::io::Write;
use std::path::Path;

use bf_cli::{Context, Failure};

/// Writes a file beside its place, then puts it there. What is not a regular file, such as `/dev/stdout` or a
/// pipe, is written to as it is.
///
/// # Errors
/// It cannot be written (exit 3); what was there before is still there.
pub(crate) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let doing = || format!("writing {}", path.display());
    if path.exists() && !path.is_file() {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .or_could_not_check(doing)?;
        return file.write_all(bytes).or_could_not_check(doing);
    }
    // A link keeps pointing to the file.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".bf-report")
        .permissions(permissions())
        .tempfile_in(folder)
        // The name of a file that was not made says nothing.
        .map_err(|error| std::io::Error::from(error.kind()))
        .or_could_not_check(doing)?;
    file.write_all(bytes).or_could_not_check(doing)?;
    file.persist(&path)
        .map(drop)
        .map_err(|error| error.error)
        .or_could_not_check(doing)
}

/// As any other file, within the umask: a web server may be another user.
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
