//! How many bcrypt hashes a core computes in parallel, from the size of its first-level data cache.

use std::fs;
use std::path::Path;

use bcrypt_lanes::{LANE_BYTES, MAX_LANES};

use crate::config;

// The settings know no hashing library, so they state the limit themselves.
const _: () = assert!(config::Password::MAX_LANES == MAX_LANES);

/// Lanes where the size of the cache cannot be read.
const FALLBACK: usize = 4;
/// A core gains next to nothing from more, while every hash takes longer.
const MOST: usize = 5;

/// The lanes of each hashing thread: as configured, or as many as fit into the core's first-level cache.
pub(super) fn per_thread(configured: usize) -> usize {
    match configured {
        0 => first_level_cache(Path::new("/sys/devices/system/cpu/cpu0/cache"))
            .map_or(FALLBACK, fitting),
        configured => configured,
    }
}

/// As many lanes as have their tables in five eighths of the cache; the rest is for everything else.
fn fitting(cache_bytes: usize) -> usize {
    (cache_bytes * 5 / 8 / LANE_BYTES).clamp(1, MOST)
}

/// A hardware thread's share of its core's first-level data cache in bytes, from Linux' description of a CPU's caches
/// in `folder`.
fn first_level_cache(folder: &Path) -> Option<usize> {
    let caches = fs::read_dir(folder).ok()?;
    caches.flatten().find_map(|cache| {
        let read = |name: &str| {
            let text = fs::read_to_string(cache.path().join(name)).ok()?;
            Some(text.trim().to_owned())
        };
        let is_first_level = read("level")? == "1" && matches!(&*read("type")?, "Data" | "Unified");
        let kilobytes = read("size")?.strip_suffix('K')?.parse::<usize>().ok()?;
        is_first_level.then_some(kilobytes * 1024 / sharers(&read("shared_cpu_list")?))
    })
}

/// The number of CPUs in a list such as `0-1,4`; at least one.
fn sharers(list: &str) -> usize {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some(last.checked_sub(first)? + 1)
    };
    list.split(',').filter_map(count).sum::<usize>().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_fit_the_cache() {
        let kilobytes = [4, 8, 16, 24, 32, 48, 128];
        assert_eq!(
            kilobytes.map(|size| fitting(size * 1024)),
            [1, 1, 2, 3, 5, 5, 5]
        );
    }

    #[test]
    fn l1_data_cache_is_divided_among_its_threads() {
        let folder = tempfile::tempdir().unwrap();
        let size = |caches: &[[&str; 4]]| {
            for (number, values) in caches.iter().enumerate() {
                let cache = folder.path().join(format!("index{number}"));
                fs::create_dir_all(&cache).unwrap();
                for (name, value) in ["level", "type", "size", "shared_cpu_list"]
                    .iter()
                    .zip(values)
                {
                    fs::write(cache.join(name), format!("{value}\n")).unwrap();
                }
            }
            first_level_cache(folder.path())
        };
        assert_eq!(size(&[]), None);
        assert_eq!(
            size(&[
                ["1", "Instruction", "64K", "0"],
                ["2", "Unified", "1024K", "0"]
            ]),
            None
        );
        let (code, second) = (
            ["1", "Instruction", "64K", "0"],
            ["2", "Unified", "1024K", "0-1"],
        );
        assert_eq!(
            size(&[code, second, ["1", "Data", "32K", "0"]]),
            Some(32 * 1024)
        );
        for sharing in ["0-1", "0,8"] {
            assert_eq!(
                size(&[code, second, ["1", "Data", "48K", sharing]]),
                Some(24 * 1024)
            );
        }
        assert_eq!(size(&[code, second, ["1", "Data", "a lot", "0"]]), None);
        assert_eq!(first_level_cache(&folder.path().join("missing")), None);
    }

    #[test]
    fn a_configured_number_of_lanes_is_used() {
        assert!((1..=MOST).contains(&per_thread(0)));
        assert_eq!(per_thread(7), 7);
    }
}
