//! How hashes share a thread.

use bcrypt_lanes::{CostError, Lanes, MAX_LANES, hash};

#[test]
fn one_password_under_several_salts_and_several_under_one_salt_keep_apart() {
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
fn a_cost_that_bcrypt_lacks_is_refused_and_takes_no_lane() {
    for cost in [0, 3, 32, u32::MAX] {
        let mut lanes = Lanes::new(1);
        assert_eq!(lanes.start((), cost, &[0; 16], b""), Err(CostError(cost)));
        assert!(lanes.is_empty());
        assert_eq!(hash(cost, [(&[0; 16], b"")]), Err(CostError(cost)));
    }
    assert_eq!(CostError(3).to_string(), "bcrypt's cost is 4 to 31, not 3");
}

#[test]
fn the_highest_cost_can_be_started_and_given_up() {
    let mut lanes = Lanes::new(2);
    lanes.start("endless", 31, &[0; 16], b"").unwrap();
    assert!(lanes.advance(1).is_empty());
    lanes.retain(|_| false);
    assert!(lanes.is_empty());
}

#[test]
fn a_short_hash_is_done_before_a_long_one_that_started_first() {
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
fn nothing_under_way_gives_nothing() {
    assert!(Lanes::<()>::new(MAX_LANES).advance(1).is_empty());
}

#[test]
#[should_panic(expected = "every lane is taken")]
fn one_more_than_there_are_lanes_is_a_mistake() {
    let mut lanes = Lanes::new(1);
    lanes.start((), 4, &[0; 16], b"").unwrap();
    let _ = lanes.start((), 4, &[0; 16], b"");
}

#[test]
#[should_panic(expected = "1 to 8 lanes, not 9")]
fn more_lanes_than_there_is_code_for_are_a_mistake() {
    Lanes::<()>::new(MAX_LANES + 1);
}

#[test]
fn debug_shows_no_secret() {
    let mut lanes = Lanes::new(2);
    lanes.start("name", 4, &[0x41; 16], b"password").unwrap();
    assert_eq!(format!("{lanes:?}"), "Lanes { width: 2, len: 1 }");
}
