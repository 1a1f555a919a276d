//! Lists the dialects that bf ships: every file of src/dialects. A new one is one file more.

// How a build script talks to cargo.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?)
        .join("src")
        .join("dialects");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    let mut list = String::from("&[");
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let _ = write!(
            list,
            "({name:?}, include_str!({:?})),",
            file.display().to_string()
        );
    }
    list.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("dialects.rs"), list)
}
