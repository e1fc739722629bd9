//! The audit trail and the ends of its chain.

use super::*;
use crate::store::audit_chain::{Ends, SignedEnds};
use crate::store::audit_events::{AuditEvent, Filter, Link, NewAuditEvent, Origin, Told};

fn event(kind: &str, user: Option<UserId>, at: Timestamp) -> NewAuditEvent {
    let mut nonce = vec![0; 16];
    crate::crypto::token::fill_random(&mut nonce).unwrap();
    NewAuditEvent {
        client_digest: nonce.repeat(2),
        mac: vec![7; 32],
        told: Told {
            at,
            kind: kind.to_owned(),
            outcome: "success".to_owned(),
            actor: Some("user".to_owned()),
            actor_id: user.map(|id| id.0),
            user_id: user,
            session_id: Some(SessionId(4)),
            api_key_id: Some(ApiKeyId(5)),
            details: r#"{"methods":["pwd"]}"#.to_owned(),
            repeats: 1,
            request_id: Some("request".to_owned()),
        },
        origin: Origin {
            ip_address: Some("192.0.2.1".to_owned()),
            user_agent: Some("curl".to_owned()),
            nonce: Some(nonce),
        },
    }
}

fn add(tx: &Transaction<'_>, kind: &str, user: Option<UserId>, at: Timestamp) -> i64 {
    audit_events::insert(tx, &event(kind, user, at)).unwrap();
    newest(tx)[0].id
}

fn newest(tx: &Transaction<'_>) -> Vec<AuditEvent> {
    audit_events::list(tx, &Filter::default(), i64::MAX, 100).unwrap()
}

fn seal(tx: &Transaction<'_>, id: i64, position: i64) -> bool {
    let link = Link {
        position,
        id,
        previous: Some(vec![1; 32]),
        hash: Some(vec![2; 32]),
    };
    audit_events::seal(tx, &link).unwrap()
}

fn all(tx: &Transaction<'_>) -> Vec<AuditEvent> {
    let rows = audit_events::list_all(tx, 0, 100).unwrap();
    rows.into_iter().map(|(_, row)| row.unwrap()).collect()
}

pub(super) fn an_audit_event_reads_back_as_it_was_added(tx: &Transaction<'_>) {
    let full = event("signed_in", Some(UserId(3)), NOW);
    let mut bare = event("throttled", None, NOW);
    bare.told = Told {
        actor: None,
        session_id: None,
        api_key_id: None,
        request_id: None,
        repeats: 9,
        ..bare.told
    };
    bare.origin = Origin::default();
    for new in [&full, &bare] {
        audit_events::insert(tx, new).unwrap();
    }
    let rows = all(tx);
    let events: Vec<&NewAuditEvent> = rows.iter().map(|row| &row.event).collect();
    assert_eq!(events, [&full, &bare]);
    for row in &rows {
        assert_eq!((row.position, &row.previous, &row.hash), (None, &None, &None));
    }
    assert_eq!(audit_events::list_all(tx, rows[0].id, 1).unwrap().len(), 1);
}

pub(super) fn audit_events_are_listed_by_user_kind_and_time(tx: &Transaction<'_>) {
    let (one, two) = (UserId(1), UserId(2));
    let ids = [
        add(tx, "signed_in", Some(one), NOW),
        add(tx, "throttled", None, NOW + HOUR),
        add(tx, "signed_in", Some(two), NOW + HOUR),
        add(tx, "session_ended", Some(one), NOW + 2 * HOUR),
    ];
    let listed = |filter: Filter, before, limit| -> Vec<i64> {
        let rows = audit_events::list(tx, &filter, before, limit).unwrap();
        rows.iter().map(|row| row.id).collect()
    };
    let any = Filter::default;
    let kind = Some("signed_in".to_owned());
    let (since, until) = (Some(NOW + HOUR), Some(NOW + 2 * HOUR));
    let user_id = Some(one);
    assert_eq!(listed(any(), i64::MAX, 2), [ids[3], ids[2]]);
    assert_eq!(listed(any(), ids[2], 9), [ids[1], ids[0]]);
    assert_eq!(listed(Filter { user_id, ..any() }, i64::MAX, 9), [ids[3], ids[0]]);
    assert_eq!(listed(Filter { user_id, ..any() }, ids[3], 9), [ids[0]]);
    assert_eq!(listed(Filter { since, until, ..any() }, i64::MAX, 9), [ids[2], ids[1]]);
    let of_kind = Filter { kind, ..any() };
    assert_eq!(listed(of_kind.clone(), i64::MAX, 9), [ids[2], ids[0]]);
    assert_eq!(listed(Filter { user_id, ..of_kind.clone() }, i64::MAX, 9), [ids[0]]);
    let later = Filter { user_id, since, ..of_kind };
    assert_eq!(listed(later, i64::MAX, 9), [0_i64; 0]);
}

pub(super) fn an_audit_event_is_sealed_once(tx: &Transaction<'_>) {
    let ids = [1, 2, 3].map(|_| add(tx, "signed_in", None, NOW));
    let unsealed = |after| -> Vec<i64> {
        let rows = audit_events::list_unsealed(tx, after, 9).unwrap();
        rows.iter().map(|(id, _)| *id).collect()
    };
    assert_eq!(unsealed(0), ids);
    assert_eq!(unsealed(ids[0]), ids[1..]);
    assert!(seal(tx, ids[2], 1) && seal(tx, ids[0], 2));
    assert!(!seal(tx, ids[0], 3), "it has a place");
    assert_eq!(unsealed(0), [ids[1]]);
    let links = audit_events::list_links(tx, 0, 9).unwrap();
    let places: Vec<_> = links.iter().map(|link| (link.position, link.id)).collect();
    assert_eq!(places, [(1, ids[2]), (2, ids[0])]);
    assert_eq!(links[0].previous, Some(vec![1; 32]));
    assert_eq!(links[0].hash, Some(vec![2; 32]));
    assert_eq!(audit_events::list_links(tx, 1, 9).unwrap(), links[1..]);
    let oldest = audit_events::list_oldest(tx, 1, 9).unwrap();
    assert_eq!(oldest, [(2, vec![2; 32], NOW)]);
}

pub(super) fn audit_events_are_deleted_from_the_start(tx: &Transaction<'_>) {
    let ids = [1, 2, 3, 4].map(|hour| add(tx, "signed_in", None, NOW + hour * HOUR));
    for (id, position) in [(ids[0], 1), (ids[1], 2), (ids[2], 3)] {
        assert!(seal(tx, id, position));
    }
    assert_eq!(audit_events::delete_until(tx, 2).unwrap(), 2);
    let left: Vec<i64> = all(tx).iter().map(|row| row.id).collect();
    assert_eq!(left, ids[2..]);
    let before = NOW + 4 * HOUR;
    assert_eq!(audit_events::delete_unsealed(tx, before - MOMENT, 9).unwrap(), 0);
    assert_eq!(audit_events::delete_unsealed(tx, before, 9).unwrap(), 1);
    assert_eq!(all(tx).len(), 1, "a sealed row stays");
}

pub(super) fn a_copy_of_an_audit_event_is_found(tx: &Transaction<'_>) {
    let new = event("signed_in", None, NOW);
    audit_events::insert(tx, &new).unwrap();
    add(tx, "signed_in", None, NOW);
    assert_eq!(audit_events::list_copies(tx).unwrap(), [0_i64; 0]);
    audit_events::insert(tx, &new).unwrap();
    let copy = newest(tx)[0].id;
    assert_eq!(audit_events::list_copies(tx).unwrap(), [copy]);
}

pub(super) fn clients_of_a_deleted_account_are_erased(tx: &Transaction<'_>) {
    let (one, two) = (UserId(1), UserId(2));
    let kept = add(tx, "signed_in", Some(two), NOW);
    for _ in 0..3 {
        add(tx, "signed_in", Some(one), NOW);
    }
    assert!(!audit_events::records_deletion(tx, one).unwrap());
    let deletion = add(tx, "account_deleted", Some(one), NOW);
    assert!(audit_events::records_deletion(tx, one).unwrap());
    assert!(!audit_events::records_deletion(tx, two).unwrap());
    let due = |at| audit_events::list_to_erase(tx, at, 9).unwrap();
    assert_eq!(due(NOW - MOMENT), []);
    assert_eq!(due(NOW), [(deletion, one)]);
    assert_eq!(audit_events::erase_origins(tx, one, deletion, 2).unwrap(), 2);
    assert_eq!(audit_events::erase_origins(tx, one, deletion, 2).unwrap(), 1);
    assert_eq!(audit_events::erase_origins(tx, one, deletion, 2).unwrap(), 0);
    assert_eq!(due(NOW), [(deletion, one)], "its own row is the last");
    assert!(audit_events::erase_origin(tx, deletion).unwrap());
    assert_eq!(due(NOW), []);
    for row in all(tx) {
        let is_erased = row.event.origin == Origin::default();
        assert_eq!(is_erased, row.id != kept, "{row:?}");
    }
}

pub(super) fn the_ends_of_the_chain_are_replaced_once(tx: &Transaction<'_>) {
    let ends = |position, mac: u8| SignedEnds {
        ends: Ends {
            start_position: position - 1,
            start_hash: vec![1; 32],
            position,
            hash: vec![2; 32],
        },
        key_base: "name".to_owned(),
        mac: vec![mac; 32],
    };
    let (first, second, third) = (ends(1, 1), ends(2, 2), ends(3, 3));
    assert_eq!(audit_chain::find(tx).unwrap(), None);
    assert!(audit_chain::insert(tx, &first).unwrap());
    assert!(!audit_chain::insert(tx, &second).unwrap());
    assert_eq!(audit_chain::find(tx).unwrap(), Some(first.clone()));
    assert!(audit_chain::replace(tx, &first, &second).unwrap());
    assert!(!audit_chain::replace(tx, &first, &third).unwrap());
    assert_eq!(audit_chain::find(tx).unwrap(), Some(second));
}
