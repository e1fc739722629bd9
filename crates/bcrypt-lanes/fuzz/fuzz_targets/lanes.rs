//! Hashes start, advance and are given up in any order, and each that ends gives what the `bcrypt` crate gives.

#![no_main]

use arbitrary::Arbitrary;
use bcrypt_lanes::{Lanes, MAX_LANES};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Start {
        dear: bool,
        salt: [u8; 16],
        password: Vec<u8>,
    },
    Advance(u8),
    GiveUp(u8),
}

fuzz_target!(|script: (u8, Vec<Step>)| {
    let (width, steps) = script;
    let mut lanes = Lanes::new(usize::from(width) % MAX_LANES + 1);
    for step in steps.iter().take(40) {
        match step {
            Step::Start {
                dear,
                salt,
                password,
            } if !lanes.is_full() => {
                let cost = 4 + u32::from(*dear);
                lanes
                    .start((cost, salt, password), cost, salt, password)
                    .unwrap();
            }
            Step::Start { .. } => {}
            Step::Advance(rounds) => check(lanes.advance(u32::from(*rounds))),
            Step::GiveUp(mask) => {
                let mut index = 0;
                lanes.retain(|_| {
                    index += 1;
                    mask >> (index % 8) & 1 == 0
                });
            }
        }
    }
    while !lanes.is_empty() {
        check(lanes.advance(u32::MAX));
    }
});

type Inputs<'a> = (u32, &'a [u8; 16], &'a Vec<u8>);

fn check(done: Vec<(Inputs, [u8; 24])>) {
    for ((cost, salt, password), output) in done {
        let terminated: Vec<u8> = password.iter().copied().chain([0]).take(72).collect();
        assert_eq!(output, bcrypt::bcrypt(cost, *salt, &terminated));
    }
}
