//! Requests for a sign-in by mail.

use super::*;

fn add(tx: &Transaction<'_>, end: Duration) -> (i64, TokenDigest) {
    let new = NewMailCode {
        token: token(),
        browser: Some(token()),
        remembered: true,
        expires_at: NOW + end,
    };
    (mail_codes::insert(tx, &new).unwrap(), new.token)
}

pub(super) fn a_mail_code_reads_back_as_it_was_added(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    for browser in [None, Some(token())] {
        let new = NewMailCode {
            token: token(),
            browser,
            remembered: browser.is_some(),
            expires_at: NOW + HOUR,
        };
        let id = mail_codes::insert(tx, &new).unwrap();
        let mut expected = MailCodeRequest {
            token: new.token,
            browser,
            recipient: None,
            remembered: browser.is_some(),
            expires_at: NOW + HOUR,
        };
        let find = || mail_codes::find(tx, &new.token, 5, NOW).unwrap();
        assert_eq!(find(), Some(expected.clone()));
        let addressed = mail_codes::address_to(tx, id, (user, 7), 9, NOW).unwrap();
        assert_eq!(addressed, Some(new.token));
        expected.recipient = Some((user, 7));
        assert_eq!(find(), Some(expected));
    }
}

pub(super) fn a_mail_code_has_tries_and_an_end(tx: &Transaction<'_>) {
    let (_, token) = add(tx, HOUR);
    let find = |at| mail_codes::find(tx, &token, 2, at).unwrap().is_some();
    let try_at = |at| mail_codes::try_once(tx, &token, 2, at).unwrap().is_some();
    assert!(find(NOW) && !find(NOW + HOUR) && !try_at(NOW + HOUR));
    assert!(try_at(NOW + HOUR - MOMENT) && try_at(NOW));
    assert!(!find(NOW) && !try_at(NOW));
    assert!(mail_codes::take(tx, &token).unwrap());
    assert!(!mail_codes::take(tx, &token).unwrap());
}

pub(super) fn an_open_mail_code_is_not_given_up_for_a_new_one(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let codes: [_; 4] = std::array::from_fn(|_| add(tx, HOUR));
    let address = |at: usize, user, now| {
        let addressed = mail_codes::address_to(tx, codes[at].0, (user, 1), 2, now);
        addressed.unwrap().is_some()
    };
    assert!(address(0, user, NOW) && address(1, user, NOW));
    assert!(!address(2, user, NOW), "two are open");
    assert!(address(1, user, NOW), "the same again");
    assert!(!address(1, other, NOW), "it is another user's");
    assert!(address(2, other, NOW));
    assert!(!address(3, user, NOW + HOUR), "it has expired");
    let open = |user| {
        let found = mail_codes::list_for_user(tx, user, 5, NOW).unwrap();
        found.iter().map(|found| found.token).collect::<Vec<_>>()
    };
    assert_eq!(open(user), [codes[0].1, codes[1].1]);
    assert!(mail_codes::take(tx, &codes[0].1).unwrap() && address(3, user, NOW));
    assert_eq!(open(user), [codes[1].1, codes[3].1]);
    assert_eq!(mail_codes::delete_all_for_user(tx, user).unwrap(), 2);
    assert_eq!((open(user), open(other)), (vec![], vec![codes[2].1]));
    users::delete(tx, other).unwrap();
    assert!(mail_codes::find(tx, &codes[2].1, 5, NOW).unwrap().is_none());
}

pub(super) fn expired_mail_codes_are_swept(tx: &Transaction<'_>) {
    let codes = [HOUR, HOUR, 2 * HOUR].map(|end| add(tx, end).1);
    let delete = |limit| mail_codes::delete_expired(tx, NOW + HOUR, limit).unwrap();
    assert_eq!([delete(1), delete(5), delete(5)], [1, 1, 0]);
    let left = codes.map(|token| mail_codes::find(tx, &token, 5, NOW).unwrap().is_some());
    assert_eq!(left, [false, false, true]);
    add(tx, HOUR);
    let delete_some = || mail_codes::delete_some(tx, 1).unwrap();
    assert_eq!([delete_some(), delete_some(), delete_some()], [1, 1, 0]);
}
