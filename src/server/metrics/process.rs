//! Figures of the process, under the names that all clients of Prometheus use. Linux alone has them in `/proc`.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::declared::{CPU, MAX_FILES, OPEN_FILES, RESIDENT_MEMORY, STARTED, VIRTUAL_MEMORY};
use super::text::Figures;

/// The fields of `/proc/self/stat` behind the name of the program, which may contain blanks: the first is the third.
const FIRST_FIELD: usize = 3;
const USER_TIME: usize = 14;
const SYSTEM_TIME: usize = 15;
const START_TIME: usize = 22;
const VIRTUAL_SIZE: usize = 23;
const RESIDENT_PAGES: usize = 24;

pub(super) fn add(figures: &mut Figures) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, fields)| fields)
        .split_whitespace()
        .collect();
    let field = |number: usize| fields.get(number - FIRST_FIELD)?.parse::<f64>().ok();
    let seconds = |ticks: f64| ticks / clock_ticks_per_second() as f64;
    if let (Some(user), Some(system)) = (field(USER_TIME), field(SYSTEM_TIME)) {
        figures.number(CPU, seconds(user + system));
    }
    if let Some(pages) = field(RESIDENT_PAGES) {
        figures.number(RESIDENT_MEMORY, pages * page_size() as f64);
    }
    if let Some(bytes) = field(VIRTUAL_SIZE) {
        figures.number(VIRTUAL_MEMORY, bytes);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        figures.number(OPEN_FILES, files.count() as f64);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        figures.number(MAX_FILES, most as f64);
    }
    if let (Some(ticks), Some(boot)) = (field(START_TIME), boot_time()) {
        figures.number(STARTED, boot + seconds(ticks));
    }
}

/// In seconds since 1970.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}
