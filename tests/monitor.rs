//! bf-monitor over real processes, real logs and real signals.

mod ends;
mod identity;
mod odd;
mod rig;
mod rotation;
mod silence;
mod take_up;
