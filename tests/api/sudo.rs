//! The password asked for again, and for how long the answer counts.
