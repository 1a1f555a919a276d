//! `bf-orchestrate plan`: the plan that the documented flags make, as a file.

use std::io::Write as _;

use bf_cli::{Context, Failure, Streams};
use bf_config::write_yaml;
use bf_contract::Exit;

use crate::cli::PrintPlan;
use crate::plan;

/// Prints the plan as a file, on standard output.
///
/// # Errors
/// A wrong call or config (exit 2), or it cannot be written (exit 3).
pub(crate) fn print(args: &PrintPlan, mut streams: Streams) -> Result<Exit, Failure> {
    let loaded = bf_config::load(&args.config)?;
    let warehouse = args.warehouse.warehouse.as_deref();
    let file = plan::two_phase_file(&args.documented.phases()?, &loaded.config, warehouse)?;
    let text = write_yaml(&file)?;
    let stdout = &mut streams.stdout.writer;
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .or_could_not_check(|| "writing the plan to standard output".to_owned())?;
    Ok(Exit::Success)
}
