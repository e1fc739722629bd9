//! `[samples]`: resources that stand for those of an application.

use super::declare::section;

section! {
    /// Example resources, to try the server with and to copy for your own.
    Samples {
        /// Whether the server has the routes of the sample, `/v1/projects`. Off in production, and for embedders who want
        /// the paths for themselves: without it these paths are 404, and in no list of routes.
        enabled: bool = true,
    }
}
