//! The `axp` command as its users run it: whole builds, and everything that can
//! be wrong with what they give it.

mod bad_input;
mod build;
mod energy;
mod explore;
mod fpu;
mod interrupt;
mod names;
mod runner;
mod synth;
