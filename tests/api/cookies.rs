//! The token in a cookie, and what a browser of somebody else's site may not do with it.
