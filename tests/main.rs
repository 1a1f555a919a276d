//! The tools from outside: real processes, real files, real signals.

mod conventions;
mod notify;
mod orchestrate;
mod parse_log;
mod support;
