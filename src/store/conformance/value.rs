//! Values: what is written reads back as the same type and value.

use super::*;

pub(super) fn values_read_back_as_they_were_written(tx: &Transaction<'_>) {
    let owner = add_user(tx, "one@example.com");
    let text = "tab\t, quote ', ü, 😀, newline\n";
    for text in ["", text, &"x".repeat(100_000)] {
        let project = projects::insert(tx, owner, text, Some(text), 99, NOW);
        let project = project.unwrap().unwrap();
        let found = projects::find(tx, owner, project.id).unwrap().unwrap();
        assert_eq!((found.title.as_str(), found.description.as_deref()), (text, Some(text)));
    }
    for at in [i64::MIN, -1, 0, i64::MAX].map(Timestamp::from_millis) {
        assert!(users::set_disabled(tx, owner, Some(at), at).unwrap());
        let user = account(tx, owner).user;
        assert_eq!((user.disabled_at, user.updated_at), (Some(at), at));
    }
    let (id, digest) = add_session(tx, owner);
    let read = tx.one(
        "SELECT token_digest, user_agent FROM sessions WHERE id = $1",
        &[id.into()],
        |row| Ok((row.get::<TokenDigest>(0)?, row.get::<Option<String>>(1)?)),
    );
    assert_eq!(read.unwrap(), Some((digest, None)));
}

pub(super) fn values_of_another_type_are_errors(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let sql = "SELECT email_address, created_at, disabled_at FROM users WHERE id = $1";
    let read = |read: fn(&Row<'_>) -> Result<()>| tx.one(sql, &[id.into()], read);
    assert!(read(|row| row.get::<i64>(0).map(drop)).is_err());
    assert!(read(|row| row.get::<TokenDigest>(0).map(drop)).is_err());
    assert!(read(|row| row.get::<String>(1).map(drop)).is_err());
    assert!(read(|row| row.get::<Timestamp>(2).map(drop)).is_err(), "NULL is no time");
    assert!(read(|row| row.get::<i64>(3).map(drop)).is_err(), "there is no such column");
    assert!(read(|row| row.get::<Option<Timestamp>>(2).map(drop)).is_ok());
}
