//! The tools from outside: real processes, real files, real signals.

mod conventions;
mod orchestrate;
mod support;
