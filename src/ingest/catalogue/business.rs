//! Sales, revenue, satisfaction, use of features.

use super::{Known, Pack, SESSION_SECONDS};
use crate::model::Category;

pub(super) const METRICS: &[Known] = &[
    Known::gauge("sales_conversion_ratio", "ratio", &["channel"], "Share of visits that end in a sale, 0 to 1.").of(Category::Business, Pack::Business),
    Known::counter("revenue_total", &["channel", "currency", "product"], "Revenue so far, in units of the currency.").of(Category::Business, Pack::Business),
    Known::gauge("revenue_per_user", "", &["channel", "currency"], "Revenue per active user, in units of the currency.").of(Category::Business, Pack::Business),
    Known::gauge("user_satisfaction_ratio", "ratio", &["channel"], "How satisfied users are, 0 to 1.").of(Category::Business, Pack::Business),
    Known::gauge("cart_abandonment_ratio", "ratio", &["channel"], "Share of carts that are left behind, 0 to 1.").of(Category::Business, Pack::Business),
    Known::counter("feature_usage_total", &["feature"], "Times that a feature was used.").of(Category::Business, Pack::Business),
    Known::histogram("session_duration_seconds", SESSION_SECONDS, &["channel"], "How long sessions last.").of(Category::Business, Pack::Business),
];
