//! `bf-notify`: tells people what a run does.
//!
//! A process of its own, so that whoever has something to tell never waits for a server, and never fails
//! with one.

mod args;
mod command;
mod deliver;
mod desk;
#[cfg(feature = "network")]
mod http;
#[cfg_attr(not(feature = "network"), allow(dead_code))]
mod message;
mod reach;
mod read;
#[cfg_attr(not(feature = "network"), allow(dead_code))]
mod retry;
mod route;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bf_cli::{Context, Failure, Interrupt, Interrupts, Output, Streams};
use bf_config::notify::Channel;
use bf_contract::Exit;
use read::Reading;
use tokio::task::{JoinSet, spawn_blocking};

pub use args::Args;
use deliver::{Outcome, deliver, look};
use desk::Desk;

/// Runs the tool.
///
/// # Errors
/// A wrong call or config, or no notification on standard input (exit 2); the output has no reader (exit 3).
pub fn run(args: Args, streams: Streams) -> Result<Exit, Failure> {
    let (mut output, stdin) = Output::new(&args.output, streams);
    let loaded = bf_config::load(&args.config)?;
    if args.test || args.check {
        output.text(format!("bf-notify: {}", loaded.describe()))?;
    }
    let channels = loaded.config.notify;
    if args.test && channels.is_empty() {
        return Err(Failure::usage("no channel is configured")
            .hint("name one under notify in the config; the shipped config has examples"));
    }
    let interrupts = Interrupts::install()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_could_not_check(|| "starting the network".to_owned())?;
    let exit = runtime.block_on(serve(&args, channels, stdin, interrupts, output));
    // Threads that wait for a signal, for input or for a name server are not waited for.
    runtime.shutdown_background();
    exit
}

/// Does the work until it is done or a signal arrives.
async fn serve(
    args: &Args,
    channels: Vec<Channel>,
    stdin: Box<dyn Read + Send>,
    interrupts: Interrupts,
    output: Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::new(output);
    tokio::select! {
        biased;
        signal = arrival(interrupts) => {
            let signal = signal?;
            desk.interrupted(signal)?;
            Ok(signal.exit())
        }
        done = tell(args, channels, stdin, &mut desk) => done,
    }
}

/// Tells, or looks at, every channel that is concerned, all at the same time.
async fn tell(
    args: &Args,
    mut channels: Vec<Channel>,
    stdin: Box<dyn Read + Send>,
    desk: &mut Desk,
) -> Result<Exit, Failure> {
    let mut found = Exit::Success;
    let notification = if args.check {
        None
    } else if args.test {
        // What is wrong now is shown at once.
        channels.iter_mut().for_each(|channel| channel.retries = 0);
        Some(Arc::new(message::test(chrono::Utc::now())))
    } else {
        let read = spawn_blocking(|| read_input(stdin)).await;
        let reading = read.or_could_not_check(|| "reading standard input".to_owned())??;
        found = reading.exit;
        let notification = reading.notification;
        channels.retain(|channel| channel.events.contains(&notification.event));
        Some(Arc::new(notification))
    };
    desk.open(
        notification.as_ref().map(|notification| notification.event),
        channels.iter().map(|channel| channel.name.clone()),
    )?;
    let mut tasks = JoinSet::new();
    for channel in channels {
        let notification = notification.clone();
        tasks.spawn(async move {
            let outcome = match notification {
                Some(notification) => deliver(&channel, &notification).await,
                None => look(&channel).await,
            };
            (channel.name, outcome)
        });
    }
    while let Some(done) = tasks.join_next().await {
        // A panic is passed on: a defect is said as such.
        let (name, outcome) = done.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("{error}"),
        });
        desk.done(&name, outcome);
    }
    desk.close().map(|told| found.worse(told))
}

/// Reads all of standard input.
fn read_input(mut stdin: Box<dyn Read + Send>) -> Result<Reading, Failure> {
    let mut bytes = Vec::new();
    stdin
        .read_to_end(&mut bytes)
        .or_could_not_check(|| "reading standard input".to_owned())?;
    Ok(read::read(
        &String::from_utf8_lossy(&bytes),
        chrono::Utc::now(),
        host(),
    ))
}

/// The name of this machine.
fn host() -> Option<String> {
    let name = rustix::system::uname();
    name.nodename().to_str().ok().map(str::to_owned)
}

/// Waits for a signal, on a thread that is left behind when the work is done first.
async fn arrival(interrupts: Interrupts) -> Result<Interrupt, Failure> {
    let wait = move || {
        loop {
            if let Some(signal) = interrupts.wait(Duration::from_secs(3600)) {
                return signal;
            }
        }
    };
    spawn_blocking(wait)
        .await
        .or_could_not_check(|| "waiting for signals".to_owned())
}
