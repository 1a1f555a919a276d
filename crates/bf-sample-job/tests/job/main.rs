//! The job as others use it: a command line in, a database, a log and an exit code out.

mod checkpoint;
mod faults;
mod logs;
mod precompute;
mod support;
mod tables;
