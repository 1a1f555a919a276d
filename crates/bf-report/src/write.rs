//! Where a report goes.

use std::io::Write;
use std::path::Path;

use bf_cli::{Context, Failure, write_atomically};

/// Writes a file that is there whole or not at all. What is not a regular file, such as `/dev/stdout` or a pipe, is
/// written to as it is.
///
/// # Errors
/// It cannot be written (exit 3); what was there before is still there.
pub(crate) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path.exists() && !path.is_file() {
        let file = std::fs::OpenOptions::new().write(true).open(path);
        return file
            .and_then(|mut file| file.write_all(bytes))
            .or_could_not_check(|| format!("writing {}", path.display()));
    }
    // A link keeps pointing to the file.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_atomically(&path, bytes)
}
