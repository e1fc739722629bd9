//! The real binary as a process: signals, kills, files, curl.

mod commands;
mod signals;
