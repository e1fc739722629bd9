//! The app in process, through actix's test utilities: a file a feature, names are sentences.

mod sessions;
