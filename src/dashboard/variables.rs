//! What queries of panels may say besides PromQL: `$__interval` the step, `$__rate_interval` a
//! window that is never too short for a rate, `$__range` the whole range. Knows no panel.

use std::time::Duration;

use crate::clock::format_duration;

/// A rate needs a few collections in its window.
const COLLECTIONS_IN_RATE: u32 = 4;
const LEAST_RATE: Duration = Duration::from_secs(15);

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variables {
    pub(super) interval: Duration,
    /// From collection to collection.
    pub(super) collection: Duration,
    pub(super) range: Duration,
}

impl Variables {
    /// The query with its variables filled in.
    pub(super) fn fill(&self, query: &str) -> String {
        if !query.contains("$__") {
            return query.to_owned();
        }
        let rate = (self.collection * COLLECTIONS_IN_RATE).max(self.interval).max(LEAST_RATE);
        query
            .replace("$__rate_interval", &format_duration(rate))
            .replace("$__interval", &format_duration(self.interval))
            .replace("$__range", &format_duration(self.range))
    }

    /// The query with durations of the same length in place of its variables, so that whatever is
    /// wrong with it is wrong at the same character.
    pub(super) fn placeholders(query: &str) -> String {
        query.replace("$__rate_interval", "000000000000001m").replace("$__interval", "0000000001m").replace("$__range", "0000001m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_a_rate_is_never_too_short() {
        let second = Duration::from_secs(1);
        let fill = |interval: u64, collection: u64| {
            Variables { interval: second * interval as u32, collection: second * collection as u32, range: second * 3600 }
                .fill("rate(x[$__rate_interval]) + increase(y[$__interval]) + increase(z[$__range])")
        };
        assert_eq!(fill(10, 5), "rate(x[20s]) + increase(y[10s]) + increase(z[1h])");
        assert_eq!(fill(60, 5), "rate(x[1m]) + increase(y[1m]) + increase(z[1h])");
        assert!(fill(1, 1).starts_with("rate(x[15s])"));
    }

    #[test]
    fn placeholders_keep_every_character_in_its_place() {
        let query = "rate(x[$__rate_interval]) + increase(y[$__interval:$__range]) ) ";
        assert_eq!(Variables::placeholders(query).len(), query.len());
        assert!(crate::query::outline(&Variables::placeholders("rate(x[$__rate_interval]) + increase(z[$__range])")).is_ok());
    }
}
