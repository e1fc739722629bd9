//! The crate from outside: published vectors, and the `bcrypt` crate as the oracle.

mod lanes;
mod oracle;
mod vectors;
