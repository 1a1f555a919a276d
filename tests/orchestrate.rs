//! bf-orchestrate over the real tools, real jobs and a real warehouse.

mod crash;
mod documented;
mod plans;
mod rig;
