//! The real binary as a process: signals, kill, files, neighbours, curl.

mod edge;
mod files;
mod neighbours;
mod signals;
