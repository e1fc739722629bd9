//! The real binary as a process: signals, kills, files, curl.

mod signals;
