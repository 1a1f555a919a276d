//! Writes man pages and completions of all tools from their flags: `cargo run --example bf-docs -- FOLDER`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).ok_or("give a folder")?;
    let folder = PathBuf::from(folder);
    for tool in tools() {
        write_man_pages(&folder.join("man/man1"), tool.clone())?;
        write_completions(&folder, tool)?;
    }
    Ok(())
}

fn tools() -> Vec<Command> {
    vec![
        bf_monitor::Args::command(),
        bf_parse_log::Args::command(),
        bf_validate::SuiteArgs::command(),
        bf_validate::TeamOffenseArgs::command(),
        bf_validate::PlayerSummaryArgs::command(),
        bf_notify::Args::command(),
        bf_report::Args::command(),
        bf_orchestrate::Args::command(),
    ]
}

/// One page for the tool, and one for each of its verbs.
fn write_man_pages(folder: &Path, tool: Command) -> Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(tool.version(bf_cli::VERSION), folder)?;
    Ok(())
}

/// Where each shell of a system looks.
fn write_completions(folder: &Path, mut tool: Command) -> Result<()> {
    let name = tool.get_name().to_owned();
    for (shell, path) in [
        (Shell::Bash, "bash-completion/completions"),
        (Shell::Zsh, "zsh/vendor-completions"),
        (Shell::Fish, "fish/vendor_completions.d"),
    ] {
        let folder = folder.join(path);
        fs::create_dir_all(&folder)?;
        let written = generate_to(shell, &mut tool, &name, &folder)?;
        // bash looks for a file of the command's name.
        if shell == Shell::Bash {
            fs::rename(written, folder.join(&name))?;
        }
    }
    Ok(())
}
