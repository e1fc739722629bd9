//! How it starts and stops.

use crate::support::process::House;

#[test]
fn it_says_where_it_listens_answers_there_and_ends_well_on_sigterm() {
    let house = House::new();
    let mut server = house.serve();
    let (status, _) = server.request("GET", "/up", None, None);
    assert_eq!(status, 200);
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}
