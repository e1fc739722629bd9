//! Signing up where nobody may learn who has an account.
