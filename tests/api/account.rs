//! The life of an account: the user as they see themselves, a new password, a new address, its end.
