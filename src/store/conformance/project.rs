//! Projects.

use super::*;

pub(super) fn a_project_exists_only_for_its_owner(tx: &Transaction<'_>) {
    let [owner, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let project = projects::insert(tx, owner, "First", None, 9, NOW);
    let project = project.unwrap().unwrap();
    let id = project.id;
    assert_eq!(projects::find(tx, owner, id).unwrap(), Some(project));
    assert_eq!(projects::find(tx, other, id).unwrap(), None);
    let update = |user| projects::update(tx, user, id, "Second", Some("text"), NOW + HOUR).unwrap();
    assert_eq!(update(other), None);
    let updated = update(owner).unwrap();
    assert_eq!(
        (updated.title.as_str(), updated.description.as_deref()),
        ("Second", Some("text"))
    );
    assert_eq!((updated.created_at, updated.updated_at), (NOW, NOW + HOUR));
    assert!(!projects::delete(tx, other, id).unwrap());
    assert!(projects::delete(tx, owner, id).unwrap());
    assert!(!projects::delete(tx, owner, id).unwrap());
    let next = projects::insert(tx, owner, "Next", None, 9, NOW).unwrap();
    assert!(next.unwrap().id.0 > id.0, "ids are not reused");
}

pub(super) fn projects_are_listed_newest_first(tx: &Transaction<'_>) {
    let [owner, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let add = |user| projects::insert(tx, user, "One", None, 9, NOW).unwrap().unwrap().id;
    let [first, second, _, third] = [owner, owner, other, owner].map(add);
    let list = |before, limit| {
        let page = projects::list(tx, owner, before, limit).unwrap();
        page.into_iter().map(|project| project.id).collect::<Vec<_>>()
    };
    assert_eq!(list(ProjectId(i64::MAX), 2), [third, second]);
    assert_eq!(list(second, 2), [first]);
    users::delete(tx, owner).unwrap();
    assert_eq!(list(ProjectId(i64::MAX), 2), []);
}

pub(super) fn projects_have_a_limit_per_user(tx: &Transaction<'_>) {
    let [owner, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let add = |user| projects::insert(tx, user, "One", None, 2, NOW).unwrap().is_some();
    assert_eq!([owner, owner, owner, other].map(add), [true, true, false, true]);
}
