//! Second factors.

/// A kind of second factor that a user can enrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// Time-based one-time passwords (RFC 6238).
    Totp,
}
