//! How hashes share a thread.

use bcrypt_lanes::{CostError, Lanes, MAX_LANES, hash};

#[test]
fn passwords_and_salts_do_not_mix_between_lanes() {
    let alone = |salt: &[u8; 16], password: &[u8]| hash(4, [(salt, password)]).unwrap()[0];
    let salts = hash(
        4,
        [1, 2, 3, 4]
            .map(|byte| [byte; 16])
            .each_ref()
            .map(|salt| (salt, &b"password"[..])),
    );
    assert_eq!(
        salts.unwrap(),
        [1, 2, 3, 4].map(|byte| alone(&[byte; 16], b"password"))
    );
    let passwords: [&[u8]; 3] = [b"a", b"b", b""];
    let hashed = hash(4, passwords.map(|password| (&[9; 16], password))).unwrap();
    assert_eq!(hashed, passwords.map(|password| alone(&[9; 16], password)));
}

#[test]
fn invalid_costs_are_rejected_without_taking_a_lane() {
    for cost in [0, 3, 32, u32::MAX] {
        let mut lanes = Lanes::new(1);
        assert_eq!(lanes.start((), cost, &[0; 16], b""), Err(CostError(cost)));
        assert!(lanes.is_empty());
        assert_eq!(hash(cost, [(&[0; 16], b"")]), Err(CostError(cost)));
    }
    assert_eq!(CostError(3).to_string(), "bcrypt's cost is 4 to 31, not 3");
}

#[test]
fn a_hash_of_the_highest_cost_can_be_cancelled() {
    let mut lanes = Lanes::new(2);
    lanes.start("endless", 31, &[0; 16], b"").unwrap();
    assert!(lanes.advance(1).is_empty());
    lanes.retain(|_| false);
    assert!(lanes.is_empty());
}

#[test]
fn a_short_hash_finishes_before_an_earlier_long_one() {
    let mut lanes = Lanes::new(2);
    lanes.start("long", 8, &[0; 16], b"").unwrap();
    assert!(lanes.advance(8).is_empty());
    lanes.start("short", 4, &[0; 16], b"").unwrap();
    assert!(lanes.is_full());
    assert!(lanes.advance(15).is_empty());
    let done: Vec<_> = lanes
        .advance(15)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!((done, lanes.len()), (vec!["short"], 1));
}

#[test]
fn an_idle_pool_of_lanes_returns_nothing() {
    assert!(Lanes::<()>::new(MAX_LANES).advance(1).is_empty());
}

#[test]
#[should_panic(expected = "every lane is taken")]
fn more_hashes_than_lanes_panic() {
    let mut lanes = Lanes::new(1);
    lanes.start((), 4, &[0; 16], b"").unwrap();
    let _ = lanes.start((), 4, &[0; 16], b"");
}

#[test]
#[should_panic(expected = "1 to 8 lanes, not 9")]
fn more_lanes_than_supported_panic() {
    Lanes::<()>::new(MAX_LANES + 1);
}

#[test]
fn debug_shows_no_secret() {
    let mut lanes = Lanes::new(2);
    lanes.start("name", 4, &[0x41; 16], b"password").unwrap();
    assert_eq!(format!("{lanes:?}"), "Lanes { width: 2, len: 1 }");
}
