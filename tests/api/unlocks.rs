//! Sign-in that is closed after too many failures, and the ways to open it.
