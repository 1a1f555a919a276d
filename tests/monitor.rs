//! bf-monitor over real processes, real logs and real signals.

mod calls;
mod earlier;
mod ends;
mod family;
mod giving_up;
mod identity;
mod odd;
mod rig;
mod rotation;
mod silence;
mod take_up;
