//! Mails in the outbox.

use super::*;

fn add(tx: &Transaction<'_>, kind: &str, class: Class, to: &str, user: Option<UserId>) -> i64 {
    let new = NewOutboxEntry {
        kind,
        class,
        priority: Priority::High,
        email_address: &address(to),
        expires_at: NOW + HOUR,
        user_id: user,
        ip_address: None,
        user_agent: None,
        subject_id: None,
        locale: None,
    };
    outbox::insert(tx, &new, NOW).unwrap();
    outbox::list(tx, 1).unwrap()[0].id
}

fn add_reset(tx: &Transaction<'_>) -> i64 {
    add(tx, "password_reset", Class::Link, "one@example.com", None)
}

fn lease(tx: &Transaction<'_>, limit: u32, now: Timestamp) -> Vec<i64> {
    let leased = outbox::lease(tx, HOUR, limit, &BusyDomains::default(), now).unwrap();
    leased.into_iter().map(|entry| entry.id).collect()
}

fn next_due(tx: &Transaction<'_>) -> Option<Timestamp> {
    outbox::next_due(tx, &BusyDomains::default()).unwrap()
}

pub(super) fn mails_of_high_priority_are_leased_first(tx: &Transaction<'_>) {
    let add = |priority, at| {
        let new = NewOutboxEntry {
            kind: "confirmation",
            class: Class::Link,
            priority,
            email_address: &address("one@example.com"),
            expires_at: NOW + HOUR,
            user_id: None,
            ip_address: None,
            user_agent: None,
            subject_id: None,
        locale: None,
        };
        outbox::insert(tx, &new, at).unwrap();
        outbox::list(tx, 1).unwrap()[0].id
    };
    let low = [0, 1].map(|step| add(Priority::Low, NOW + step * MOMENT));
    assert_eq!(next_due(tx), Some(NOW));
    let high = [2, 3].map(|step| add(Priority::High, NOW + step * MOMENT));
    assert_eq!(next_due(tx), Some(NOW));
    let now = NOW + 4 * MOMENT;
    assert_eq!(lease(tx, 1, now), [high[0]]);
    assert_eq!(lease(tx, 2, now), [high[1], low[0]]);
    assert_eq!(lease(tx, 9, now), [low[1]]);
}

pub(super) fn mails_to_busy_domains_are_not_leased(tx: &Transaction<'_>) {
    let new = |to| add(tx, "password_reset", Class::Link, to, None);
    let [one, sub, other] = ["a@one.example", "a@sub.one.example", "a@two.example"].map(new);
    let lease = |busy: &BusyDomains| {
        let leased = outbox::lease(tx, HOUR, 9, busy, NOW).unwrap();
        leased.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    let all = BusyDomains::new(["x.example", "one.example", "two.example", "sub.one.example"]);
    assert_eq!(outbox::next_due(tx, &all).unwrap(), None);
    assert_eq!(lease(&all), [0; 0]);
    let busy = BusyDomains::new(["one.example", "two.example"]);
    assert_eq!(outbox::next_due(tx, &busy).unwrap(), Some(NOW));
    assert_eq!(lease(&busy), [sub]);
    assert_eq!(lease(&BusyDomains::default()), [one, other]);
}

pub(super) fn a_postponed_mail_has_no_attempt(tx: &Transaction<'_>) {
    let id = add_reset(tx);
    lease(tx, 1, NOW);
    outbox::postpone(tx, id, NOW + 2 * HOUR).unwrap();
    let entry = outbox::find(tx, id).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.next_attempt_at), (0, NOW + 2 * HOUR));
    assert_eq!(lease(tx, 1, NOW + HOUR), [0; 0]);
    assert_eq!(lease(tx, 1, NOW + 2 * HOUR), [id]);
}

pub(super) fn a_mail_reads_back_as_it_was_added(tx: &Transaction<'_>) {
    let before = tx.mails_enqueued();
    let new = NewOutboxEntry {
        kind: "api_key_created",
        class: Class::Notice,
        priority: Priority::Low,
        email_address: &address("one@example.com"),
        expires_at: NOW + HOUR,
        user_id: Some(UserId(7)),
        ip_address: Some("192.0.2.1"),
        user_agent: Some("curl"),
        subject_id: Some(8),
        locale: Some(&Locale::parse("de-AT").unwrap()),
    };
    outbox::insert(tx, &new, NOW).unwrap();
    assert_eq!(tx.mails_enqueued(), before + 1);
    let [entry] = &outbox::list(tx, 9).unwrap()[..] else {
        panic!("one mail");
    };
    let found = outbox::find(tx, entry.id).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{entry:?}"));
    assert_eq!(found.kind, "api_key_created");
    assert_eq!(found.email_address, address("one@example.com"));
    assert_eq!((found.created_at, found.expires_at), (NOW, NOW + HOUR));
    assert_eq!((found.attempts, found.next_attempt_at), (0, NOW));
    assert_eq!((found.user_id, found.subject_id), (new.user_id, new.subject_id));
    assert_eq!(found.locale.as_ref(), new.locale);
    assert_eq!((found.ip_address.as_deref(), found.user_agent.as_deref()), (new.ip_address, new.user_agent));
    assert_eq!((found.sent_at, found.dead_at, found.last_error), (None, None, None));
    assert!(outbox::find(tx, entry.id + 1).unwrap().is_none());
    outbox::delete(tx, entry.id).unwrap();
    assert!(outbox::find(tx, entry.id).unwrap().is_none());
}

pub(super) fn a_leased_mail_is_not_leased_again_before_its_end(tx: &Transaction<'_>) {
    assert_eq!(next_due(tx), None);
    let [first, second] = [(); 2].map(|()| add_reset(tx));
    assert_eq!(next_due(tx), Some(NOW));
    assert_eq!(lease(tx, 9, NOW - MOMENT), Vec::<i64>::new());
    let one = lease(tx, 1, NOW);
    assert_eq!(one.len(), 1);
    let other = lease(tx, 9, NOW);
    assert_eq!(other.len(), 1);
    assert_ne!(one, other);
    assert_eq!(next_due(tx), Some(NOW + HOUR));
    outbox::mark_sent(tx, first, NOW).unwrap();
    assert_eq!(lease(tx, 9, NOW + HOUR), [second]);
    let entry = outbox::find(tx, second).unwrap().unwrap();
    assert_eq!(entry.attempts, 2);
}

pub(super) fn only_an_untried_mail_is_renewed(tx: &Transaction<'_>) {
    let id = add_reset(tx);
    let renew = |kind, to| {
        outbox::renew(tx, kind, &address(to), NOW + 2 * HOUR).unwrap()
    };
    let enqueued = tx.mails_enqueued();
    assert!(!renew("confirmation", "one@example.com"));
    assert!(!renew("password_reset", "two@example.com"));
    assert_eq!(tx.mails_enqueued(), enqueued);
    assert!(renew("password_reset", "one@example.com"));
    assert_eq!(tx.mails_enqueued(), enqueued + 1);
    let entry = outbox::find(tx, id).unwrap().unwrap();
    assert_eq!(entry.expires_at, NOW + 2 * HOUR);
    lease(tx, 1, NOW);
    assert!(!renew("password_reset", "one@example.com"));
}

pub(super) fn failed_mails_are_retried_from_the_start(tx: &Transaction<'_>) {
    let id = add_reset(tx);
    let find = || outbox::find(tx, id).unwrap().unwrap();
    lease(tx, 1, NOW);
    outbox::mark_failed(tx, id, "smtp_refused", NOW + 2 * HOUR).unwrap();
    assert_eq!(find().last_error.as_deref(), Some("smtp_refused"));
    assert_eq!(lease(tx, 1, NOW + 2 * HOUR - MOMENT), Vec::<i64>::new());
    outbox::mark_dead(tx, id, "smtp_unknown", NOW).unwrap();
    assert_eq!((find().dead_at, find().last_error.as_deref()), (Some(NOW), Some("smtp_unknown")));
    assert_eq!(lease(tx, 1, NOW + 9 * HOUR), Vec::<i64>::new());

    assert!(outbox::retry(tx, id, NOW + 3 * HOUR, NOW + HOUR).unwrap());
    let entry = find();
    assert_eq!((entry.attempts, entry.dead_at, entry.last_error), (0, None, None));
    assert_eq!((entry.expires_at, entry.next_attempt_at), (NOW + 3 * HOUR, NOW + HOUR));
    assert_eq!(lease(tx, 1, NOW + HOUR), [id]);
    outbox::mark_sent(tx, id, NOW + HOUR).unwrap();
    assert!(!outbox::retry(tx, id, NOW + 3 * HOUR, NOW + HOUR).unwrap(), "it was sent");
    assert!(!outbox::retry(tx, id + 1, NOW + 3 * HOUR, NOW + HOUR).unwrap());
}

pub(super) fn an_account_takes_its_mails_but_not_waiting_notices(tx: &Transaction<'_>) {
    let one = "one@example.com";
    let user = Some(UserId(7));
    let sent = add(tx, "new_device", Class::Notice, one, user);
    outbox::mark_sent(tx, sent, NOW).unwrap();
    let dead = add(tx, "new_device", Class::Notice, one, user);
    outbox::mark_dead(tx, dead, "smtp_refused", NOW).unwrap();
    let waiting = add(tx, "account_deleted", Class::Notice, one, user);
    add(tx, "password_reset", Class::Link, one, None);
    add(tx, "address_change", Class::Link, "next@example.com", user);
    let others = add(tx, "password_reset", Class::Link, "two@example.com", Some(UserId(8)));
    assert_eq!(outbox::delete_all_for(tx, UserId(7), &address(one)).unwrap(), 4);
    let left: Vec<i64> = outbox::list(tx, 9).unwrap().into_iter().map(|entry| entry.id).collect();
    assert_eq!(left, [others, waiting]);
}

pub(super) fn finished_mails_are_swept(tx: &Transaction<'_>) {
    let [sent, dead, late, waiting] = [(); 4].map(|()| add_reset(tx));
    outbox::mark_sent(tx, sent, NOW).unwrap();
    outbox::mark_dead(tx, dead, "smtp_refused", NOW).unwrap();
    outbox::mark_sent(tx, late, NOW + MOMENT).unwrap();
    assert_eq!(outbox::delete_finished(tx, NOW, 1).unwrap(), 1);
    assert_eq!(outbox::delete_finished(tx, NOW, 9).unwrap(), 1);
    assert_eq!(outbox::delete_finished(tx, NOW, 9).unwrap(), 0);
    let left: Vec<i64> = outbox::list(tx, 9).unwrap().into_iter().map(|entry| entry.id).collect();
    assert_eq!(left, [waiting, late]);
}

pub(super) fn waiting_mails_with_links_end_in_batches(tx: &Transaction<'_>) {
    let [sent, dead, ..] = [(); 4].map(|()| add_reset(tx));
    outbox::mark_sent(tx, sent, NOW).unwrap();
    outbox::mark_dead(tx, dead, "smtp_refused", NOW).unwrap();
    let notice = add(tx, "new_device", Class::Notice, "one@example.com", None);
    let deleted = [(); 3].map(|()| outbox::delete_some_waiting_links(tx, 1).unwrap());
    assert_eq!(deleted, [1, 1, 0]);
    let left: Vec<i64> = outbox::list(tx, 9).unwrap().into_iter().map(|entry| entry.id).collect();
    assert_eq!(left, [notice, dead, sent]);
}

pub(super) fn waiting_and_given_up_mails_are_counted(tx: &Transaction<'_>) {
    assert_eq!(outbox::waiting(tx).unwrap(), (0, None));
    assert_eq!(outbox::count_dead(tx).unwrap(), 0);
    let [sent, dead, _] = [(); 3].map(|()| add_reset(tx));
    assert_eq!(outbox::waiting(tx).unwrap(), (3, Some(NOW)));
    outbox::mark_sent(tx, sent, NOW).unwrap();
    outbox::mark_dead(tx, dead, "refused", NOW).unwrap();
    assert_eq!(outbox::waiting(tx).unwrap(), (1, Some(NOW)));
    assert_eq!(outbox::count_dead(tx).unwrap(), 1);
}
