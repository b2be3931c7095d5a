//! What a reload changes in the running rooms, and what is said of it.

use tokio::runtime::Handle;

use crate::collect::Collector;
use crate::config::{ConfigError, Live, Reloaded};
use crate::dashboard::Book;
use crate::net::Tls;
use crate::telemetry::OwnMetrics;

/// Hands every reload to the collector and the book of dashboards, and reads the certificate again.
/// Whatever is started by it runs on `runtime`, not on the thread that happened to ask for the reload.
pub(super) fn follow(live: &Live, collector: Collector, book: Book, tls: Option<Tls>, own: OwnMetrics, runtime: Handle) {
    live.listen(Box::new(move |result| {
        let _inside = runtime.enter();
        let certificate = tls.as_ref().map_or(Ok(()), Tls::reload);
        own.config_reload.set(f64::from(u8::from(result.is_ok() && certificate.is_ok())));
        if let Err(error) = certificate {
            tracing::error!(%error, "certificate not read again: the old one stays");
        }
        match result {
            Ok(reloaded) => {
                apply(&collector, reloaded);
                book.reload();
            }
            Err(error) => refuse(error),
        }
    }));
}

fn apply(collector: &Collector, reloaded: &Reloaded) {
    if !reloaded.changed.is_empty() {
        collector.reload(reloaded.config.collect.clone());
    }
    tracing::info!(changed = reloaded.changed.join(" "), "configuration reloaded");
    if !reloaded.waiting.is_empty() {
        tracing::warn!(settings = reloaded.waiting.join(" "), "changed settings wait for a restart");
    }
}

fn refuse(error: &ConfigError) {
    tracing::error!(%error, "configuration not reloaded: the old one stays");
}
