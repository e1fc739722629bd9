//! `cargo bench -p bcrypt-lanes`: what a hash costs at every number of lanes, against the `bcrypt` crate on the same core
//! in the same run. All of them take turns, so that a core that slows down slows them alike.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]

use std::hint::black_box;
use std::time::Instant;

use bcrypt_lanes::{MAX_LANES, hash};

const COST: u32 = 8;
const ROUNDS: usize = 60;

/// A name, how many hashes one run is, and the run.
type Subject = (String, usize, Box<dyn FnMut()>);

fn main() {
    let mut subjects: Vec<Subject> = vec![(
        "bcrypt crate".to_owned(),
        1,
        Box::new(|| {
            black_box(bcrypt::bcrypt(COST, black_box([7; 16]), b"correct horse\0"));
        }),
    )];
    subjects.extend([lanes::<1>(), lanes::<2>(), lanes::<3>(), lanes::<4>()]);
    subjects.extend([
        lanes::<5>(),
        lanes::<6>(),
        lanes::<7>(),
        lanes::<MAX_LANES>(),
    ]);

    let mut times = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for ((_, count, run), times) in subjects.iter_mut().zip(&mut times) {
            run();
            let started = Instant::now();
            run();
            times.push(started.elapsed().as_secs_f64() * 1e3 / *count as f64);
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    println!("cost {COST}       ms a hash  hashes a second  latency, of the crate's");
    for ((name, count, _), median) in subjects.iter().zip(&medians) {
        let (gain, latency) = (medians[0] / median, median * *count as f64 / medians[0]);
        println!("{name:<12} {median:>9.2} {gain:>16.2} {latency:>23.2}");
    }
}

fn lanes<const N: usize>() -> Subject {
    let run = || {
        let inputs: [(&[u8; 16], &[u8]); N] = [(&[7; 16], b"correct horse"); N];
        black_box(hash(COST, black_box(inputs)).expect("a cost that bcrypt has"));
    };
    (
        format!("{N} lane{}", if N == 1 { "" } else { "s" }),
        N,
        Box::new(run),
    )
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
