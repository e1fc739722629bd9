//! The `bcrypt` crate says what every lane must give, for random inputs and every number of lanes.

use bcrypt_lanes::{Lanes, MAX_LANES, hash};
use proptest::collection::vec;
use proptest::prelude::*;

/// A salt and a password.
type Input = ([u8; 16], Vec<u8>);

fn input() -> impl Strategy<Value = Input> {
    // Most around the 72 bytes that count.
    let password = prop_oneof![
        vec(any::<u8>(), 0..12),
        vec(any::<u8>(), 68..76),
        vec(any::<u8>(), 0..300)
    ];
    (any::<[u8; 16]>(), password)
}

fn expected(cost: u32, (salt, password): &Input) -> [u8; 24] {
    let terminated: Vec<u8> = password.iter().copied().chain([0]).take(72).collect();
    bcrypt::bcrypt(cost, *salt, &terminated)
}

fn check<const N: usize>(cost: u32, inputs: &[Input]) {
    let inputs: &[Input; N] = inputs[..N].try_into().unwrap();
    let outputs = hash(
        cost,
        inputs
            .each_ref()
            .map(|(salt, password)| (salt, &password[..])),
    )
    .unwrap();
    assert_eq!(
        outputs,
        inputs.each_ref().map(|input| expected(cost, input)),
        "{N} lanes"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_lane_agrees_with_plain_bcrypt(cost in 4_u32..=6, inputs in vec(input(), MAX_LANES)) {
        check::<1>(cost, &inputs);
        check::<2>(cost, &inputs);
        check::<3>(cost, &inputs);
        check::<4>(cost, &inputs);
        check::<5>(cost, &inputs);
        check::<6>(cost, &inputs);
        check::<7>(cost, &inputs);
        check::<8>(cost, &inputs);
    }

    #[test]
    fn hashes_of_any_cost_may_join_and_leave_at_any_time(
        width in 1..=MAX_LANES,
        steps in vec((input(), 4_u32..=6, 1_u32..40, any::<bool>()), 1..20),
    ) {
        let mut lanes = Lanes::new(width);
        let (mut started, mut given_up, mut done) = (0, 0, 0);
        for (input, cost, rounds, gives_up) in &steps {
            if gives_up & !lanes.is_empty() {
                let mut first = true;
                lanes.retain(|_| !std::mem::take(&mut first));
                given_up += 1;
            }
            if !lanes.is_full() {
                lanes.start((input, *cost), *cost, &input.0, &input.1).unwrap();
                started += 1;
            }
            for ((input, cost), output) in lanes.advance(*rounds) {
                prop_assert_eq!(output, expected(cost, input));
                done += 1;
            }
        }
        while !lanes.is_empty() {
            for ((input, cost), output) in lanes.advance(7) {
                prop_assert_eq!(output, expected(cost, input));
                done += 1;
            }
        }
        prop_assert_eq!(done + given_up, started);
    }
}
