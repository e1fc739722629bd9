//! Finishing what was begun, whether or not the client waits for it.

use std::future::Future;

use crate::domain::error::{Error, Result};

/// Runs a change to its end on a task of its own: actix drops a handler when its client hangs up, and a change that is
/// committed must still be logged and its mail sent.
///
/// # Errors
/// Those of the change; [`Error::Internal`] when it panics.
pub async fn run_detached<T: 'static>(
    change: impl Future<Output = Result<T>> + 'static,
) -> Result<T> {
    actix_web::rt::spawn(change)
        .await
        .map_err(Error::internal)?
}
