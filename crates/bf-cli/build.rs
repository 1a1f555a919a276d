//! The version that every tool shows: with the commit and its date in a release build, if git or `BF_COMMIT`
//! (`abc1234 2026-01-02`) tells them. A debug build shows neither, so that a commit does not build everything anew.

// How a build script talks to cargo.
#![allow(clippy::print_stdout)]

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=BF_COMMIT");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let commit = match std::env::var("BF_COMMIT") {
        Ok(commit) => Some(commit),
        Err(_) if std::env::var("PROFILE").as_deref() == Ok("release") => of_git(),
        Err(_) => None,
    };
    let commit = commit.filter(|commit| !commit.trim().is_empty());
    let version = match &commit {
        Some(commit) => format!("{version} ({})", commit.trim()),
        None => version,
    };
    println!("cargo:rustc-env=BF_VERSION={version}");
    println!(
        "cargo:rustc-env=BF_COMMIT_ID={}",
        commit
            .as_deref()
            .and_then(|commit| commit.split_whitespace().next())
            .unwrap_or_default()
    );
}

/// The commit and its date, unless this is no clone of bf, such as a crate that somebody vendors.
fn of_git() -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let prefix = git(&["rev-parse", "--show-prefix"])?;
    if !prefix.ends_with("crates/bf-cli/") {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", name]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&[
        "show",
        "--no-patch",
        "--abbrev=10",
        "--format=%h %cs",
        "HEAD",
    ])
}
