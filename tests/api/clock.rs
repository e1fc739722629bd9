//! A clock that is set back revives nothing.
