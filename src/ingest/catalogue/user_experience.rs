//! What users see: latency of pages and calls, Apdex, sessions, satisfaction.

use super::{Known, LATENCY_SECONDS, Pack, SESSION_SECONDS};
use crate::model::Category;

pub(super) const METRICS: &[Known] = &[
    Known::histogram("ux_page_load_seconds", LATENCY_SECONDS, &["app", "page"], "Time until a page is usable, as the user sees it.")
        .of(Category::Application, Pack::UserExperience),
    Known::histogram("ux_api_latency_seconds", LATENCY_SECONDS, &["app", "endpoint"], "Time until a call is answered, as the user sees it.")
        .of(Category::Application, Pack::UserExperience),
    Known::gauge("ux_apdex_ratio", "ratio", &["app"], "Apdex, 0 to 1.").of(Category::Application, Pack::UserExperience),
    Known::histogram("ux_session_duration_seconds", SESSION_SECONDS, &["app"], "How long a user stays.").of(Category::Application, Pack::UserExperience),
    Known::gauge("ux_satisfaction_ratio", "ratio", &["app"], "How satisfied users say they are, 0 to 1.").of(Category::Application, Pack::UserExperience),
];
