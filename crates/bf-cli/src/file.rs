//! Files that are there whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::{Context, Failure};

/// Writes a file so that it is there whole or not at all, also after a crash.
///
/// # Errors
/// It cannot be written (exit 3); what was there before is still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let doing = || format!("writing {}", path.display());
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let written = fs::File::create(&partial)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&partial);
        return Err(error).or_could_not_check(doing);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or_could_not_check(doing)
}
