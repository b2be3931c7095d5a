//! What answers and requests look like, as schemas. Fields that are named are there (or marked optional);
//! an answer may have more. Knows no handler.

use std::borrow::Cow;

use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A name for each schema, so that annotations can say it.
macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)+) => {$(
        $(#[$doc])*
        pub(in crate::serve) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

fn typed(kind: Type) -> Schema {
    ObjectBuilder::new().schema_type(kind).into()
}

fn or_null(kind: Type) -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null])).into()
}

fn text() -> Schema {
    typed(Type::String)
}

fn number() -> Schema {
    typed(Type::Number)
}

fn integer() -> Schema {
    typed(Type::Integer)
}

fn yes_no() -> Schema {
    typed(Type::Boolean)
}

fn anything() -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

fn one_of(words: &[&str]) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).into()
}

fn list(of: Schema) -> Schema {
    ArrayBuilder::new().items(RefOr::T(of)).into()
}

/// Any keys, all of one shape.
fn map(of: Schema) -> Schema {
    ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(of)).into()
}

fn labels() -> Schema {
    map(text())
}

/// A number, or the words for what JSON has no number for.
fn value() -> Schema {
    AnyOfBuilder::new().item(number()).item(one_of(&["NaN", "+Inf", "-Inf"])).into()
}

/// Times with values.
fn points() -> Schema {
    list(list(value()))
}

/// An object with these fields. A name that ends with `?` may be absent.
fn object<const N: usize>(fields: [(&str, Schema); N]) -> Schema {
    let mut out = ObjectBuilder::new().schema_type(Type::Object);
    for (name, schema) in fields {
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        out = out.property(name, schema);
        if !optional {
            out = out.required(name);
        }
    }
    out.into()
}

/// As [`object`], and no other field.
fn closed<const N: usize>(fields: [(&str, Schema); N]) -> Schema {
    use utoipa::openapi::schema::AdditionalProperties;
    match object(fields) {
        Schema::Object(mut object) => {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            Schema::Object(object)
        }
        other => other,
    }
}

/// A schema with what could be sent.
fn example(schema: Schema, example: serde_json::Value) -> Schema {
    match schema {
        Schema::Object(mut object) => {
            object.examples = vec![example];
            Schema::Object(object)
        }
        other => other,
    }
}

/// Prometheus' success.
fn success(data: Schema) -> Schema {
    object([("status", one_of(&["success"])), ("data", data), ("warnings?", list(text())), ("infos?", list(text()))])
}

fn error_fields() -> Schema {
    object([("code", text()), ("message", text()), ("field?", text())])
}

fn metric_type() -> Schema {
    one_of(&["counter", "gauge", "histogram", "summary", "unknown"])
}

fn category() -> Schema {
    one_of(&["system", "application", "business", "rag", "custom"])
}

fn metric(series: &str) -> Schema {
    object([
        ("name", text()),
        ("type", metric_type()),
        ("unit", text()),
        ("help", text()),
        ("category", category()),
        ("labels", list(text())),
        ("buckets?", list(number())),
        (series, integer()),
    ])
}

/// One sample of a recording.
fn sample() -> Schema {
    let schema = object([("name", text()), ("value?", number()), ("increment?", number()), ("labels?", labels()), ("timestamp?", anything())]);
    example(schema, serde_json::json!({"name": "shop_orders_total", "increment": 1, "labels": {"shop": "north"}}))
}

fn tier() -> Schema {
    object([
        ("series", integer()),
        ("samples", integer()),
        ("bytes", integer()),
        ("partitions", integer()),
        ("bytes_per_sample", or_null(Type::Number)),
        ("oldest", or_null(Type::Integer)),
        ("newest", or_null(Type::Integer)),
    ])
}

fn source() -> Schema {
    object([
        ("runs", integer()),
        ("failures", integer()),
        ("success_rate", or_null(Type::Number)),
        ("last_error", or_null(Type::String)),
        ("last_success", or_null(Type::Integer)),
        ("last_duration_ms", or_null(Type::Number)),
    ])
}

fn trend() -> Schema {
    let interval = object([("level", integer()), ("points", points())]);
    let forecast = object([("points", points()), ("intervals", list(interval)), ("method", text()), ("backtest", anything())]);
    object([
        ("metric", labels()),
        ("points", integer()),
        ("direction", AnyOfBuilder::new().item(one_of(&["up", "down", "flat"])).item(typed(Type::Null)).into()),
        ("slope_per_second", AnyOfBuilder::new().item(value()).item(typed(Type::Null)).into()),
        ("slope_interval", AnyOfBuilder::new().item(list(value())).item(typed(Type::Null)).into()),
        ("seasonality", anything()),
        ("change_points", anything()),
        ("forecast", AnyOfBuilder::new().item(forecast).item(typed(Type::Null)).into()),
        ("reason?", text()),
    ])
}

fn finding() -> Schema {
    object([
        ("severity", one_of(&["info", "warning", "critical"])),
        ("title", text()),
        ("evidence", text()),
        ("recommendation", text()),
        ("query", text()),
        ("labels", labels()),
        ("value", number()),
    ])
}

fn rule() -> Schema {
    object([
        ("id", text()),
        ("name", text()),
        ("expr", text()),
        ("for", text()),
        ("severity", text()),
        ("labels", labels()),
        ("annotations", labels()),
        ("group", text()),
        ("interval", text()),
        ("interval_default", yes_no()),
        ("enabled", yes_no()),
        ("default", yes_no()),
        ("revision", integer()),
        ("state", one_of(&["inactive", "pending", "firing"])),
        ("health", text()),
        ("last_error", or_null(Type::String)),
        ("last_evaluation", or_null(Type::Integer)),
    ])
}

fn alert() -> Schema {
    object([
        ("name", text()),
        ("state", one_of(&["pending", "firing", "resolved"])),
        ("severity", text()),
        ("labels", labels()),
        ("annotations", labels()),
        ("active_at", integer()),
        ("resolved_at?", integer()),
        ("value", value()),
        ("fingerprint", text()),
    ])
}

fn access() -> Schema {
    one_of(&["public", "viewer", "editor", "admin"])
}

fn role() -> Schema {
    one_of(&["viewer", "editor", "admin"])
}

fn scope() -> Schema {
    one_of(&["read", "write"])
}

fn panel(id: &str) -> Schema {
    object([
        (id, text()),
        ("title", text()),
        ("type", one_of(&["line", "bar", "gauge", "pie", "table", "big_number", "status_grid", "heatmap"])),
        ("x", integer()),
        ("y", integer()),
        ("w", integer()),
        ("h", integer()),
        ("query?", text()),
        ("queries?", list(object([("query", text()), ("legend?", text())]))),
        ("unit?", or_null(Type::String)),
        ("options?", typed(Type::Object)),
    ])
}

fn user() -> Schema {
    object([("name", text()), ("role", role()), ("created_at", integer())])
}

fn key() -> Schema {
    object([
        ("id", text()),
        ("name", text()),
        ("role", role()),
        ("scope", scope()),
        ("created_at", integer()),
        ("expires_at", or_null(Type::Integer)),
        ("key?", text()),
    ])
}

shapes! {
    /// The error of the monitoring API.
    MonitoringError = object([("error", error_fields())]);
    /// The error of Prometheus' paths.
    PrometheusError = object([("status", one_of(&["error"])), ("errorType", text()), ("error", text())]);
    /// Bytes as they are.
    Bytes = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    /// Some object.
    AnyObject = typed(Type::Object);

    /// Prometheus' answer to a query.
    QueryAnswer = success(object([("resultType", one_of(&["matrix", "vector", "scalar", "string"])), ("result", list(anything()))]));
    /// Prometheus' list of words.
    Words = success(list(text()));
    /// Prometheus' list of label sets.
    LabelSets = success(list(labels()));
    /// Prometheus' metadata by metric.
    MetadataAnswer = success(map(list(object([("type", text()), ("help", text()), ("unit", text())]))));
    /// Prometheus' success with an object.
    SomeObject = success(typed(Type::Object));
    /// Prometheus' success with a text.
    SomeText = success(text());
    /// Prometheus' success with a list.
    SomeList = success(list(anything()));

    /// How the daemon is.
    Status = object([("status", health_word()), ("uptime_seconds", number()), ("environment", text()), ("version", text()), ("started_at", integer()), ("now", integer())]);
    /// Its name and version.
    Version = object([("name", text()), ("version", text())]);
    /// How each part is.
    HealthAnswer = object([("status", health_word()), ("components", map(object([("status", text()), ("message?", text())])))]);
    /// What is stored and collected.
    StatsAnswer = object([
        ("series", integer()),
        ("samples_total", integer()),
        ("collection", object([("runs", integer()), ("failures", integer()), ("last_duration_ms", or_null(Type::Number)), ("sources", map(source()))])),
        ("tiers", object([("raw", tier()), ("aggregated", tier()), ("summary", tier())])),
        ("storage", object([
            ("bytes", integer()), ("budget_bytes", or_null(Type::Integer)), ("bytes_per_sample", or_null(Type::Number)),
            ("forecast", object([("week_bytes", or_null(Type::Integer)), ("full_retention_bytes", or_null(Type::Integer))])),
        ])),
        ("journal", object([
            ("bytes", integer()), ("files", integer()), ("lag_seconds", or_null(Type::Number)), ("commits", integer()), ("commit_mean_ms", or_null(Type::Number)),
        ])),
        ("memory_bytes", integer()),
        ("written_bytes", integer()),
        ("compaction_lag_seconds", or_null(Type::Number)),
    ]);
    /// The newest values.
    LatestAnswer = object([("metrics", list(object([
        ("name", text()), ("labels", labels()), ("value", value()), ("timestamp", integer()), ("category", category()), ("type", metric_type()), ("unit", text()),
        ("histogram?", object([("count", value()), ("sum", value())])),
    ])))]);
    /// What is asked of the monitoring API's own query.
    MetricsQueryBody = example(closed([
        ("metrics?", list(text())), ("matchers?", labels()), ("category?", category()), ("start", anything()), ("end", anything()), ("step?", anything()),
        ("aggregation?", one_of(&["avg", "sum", "min", "max", "count", "last", "rate", "p50", "p90", "p95", "p99"])), ("group_by?", list(text())),
        ("tier?", one_of(&["raw", "aggregated", "summary"])), ("limit?", integer()),
    ]), serde_json::json!({"metrics": ["node_load1"], "start": "-1h", "end": "now", "step": "1m", "aggregation": "avg"}));
    /// Series over time.
    MetricsQueryAnswer = object([
        ("series", list(object([("metric", labels()), ("tier", one_of(&["raw", "aggregated", "summary", "mixed"])), ("points", points())]))),
        ("stats", object([("series", integer()), ("samples", integer()), ("took_ms", number()), ("truncated", yes_no())])),
        ("infos", list(text())),
    ]);
    /// A definition of a metric.
    MetricDefinition = example(closed([
        ("name", text()), ("type", metric_type()), ("unit?", text()), ("help?", text()), ("category?", category()), ("labels?", list(text())),
        ("buckets?", list(number())),
    ]), serde_json::json!({"name": "shop_orders_total", "type": "counter", "help": "Orders so far.", "labels": ["shop"]}));
    /// A registered metric.
    RegisteredMetric = metric("series?");
    /// One sample, or a list of them.
    RecordBody = AnyOfBuilder::new().item(sample()).item(object([("samples", list(sample()))]));
    /// What was taken of a recording.
    RecordAnswer = object([("accepted", integer()), ("rejected", list(object([("index", integer()), ("reason", text())])))]);
    /// Why nothing of a recording was taken.
    RecordError = object([("error", error_fields()), ("accepted?", integer()), ("rejected?", list(object([("index", integer()), ("reason", text())])))]);
    /// Every metric that can be recorded.
    MetricList = object([("metrics", list(metric("series")))]);
    /// What was done.
    SettleAnswer = object([("sealed", integer()), ("rolled", integer()), ("merged", integer()), ("dropped", integer()), ("took_ms", number())]);

    /// The trend of every series of a query.
    TrendsAnswer = object([
        ("series", list(trend())), ("truncated", yes_no()), ("reason?", text()), ("start", integer()), ("end", integer()), ("infos", list(text())),
    ]);
    /// What is slow, saturated or failing.
    PerformanceAnswer = object([
        ("score", or_null(Type::Integer)), ("reason?", text()), ("findings", list(finding())), ("start", integer()), ("end", integer()),
        ("rules", object([("checked", integer()), ("without_data", integer())])), ("infos", list(text())),
    ]);

    /// What is to be woken for.
    AlertRuleBody = example(object([
        ("name", text()), ("expr", text()), ("for?", text()), ("keep_firing_for?", text()), ("severity", one_of(&["info", "warning", "critical"])),
        ("labels?", labels()), ("annotations?", labels()), ("group?", text()), ("interval?", text()), ("enabled?", yes_no()), ("revision?", integer()),
    ]), serde_json::json!({"name": "HighLoad", "expr": "node_load5 > 4", "for": "5m", "severity": "warning"}));
    /// A rule that is only tried.
    AlertTrial = example(closed([
        ("expr", text()), ("name?", text()), ("for?", text()), ("severity?", text()), ("labels?", labels()), ("annotations?", labels()),
    ]), serde_json::json!({"expr": "up == 0"}));
    /// A rule with its state.
    AlertRule = rule();
    /// All rules.
    AlertRules = object([("rules", list(rule()))]);
    /// Alerts.
    AlertList = object([("alerts", list(alert()))]);

    /// Figures of dashboards.
    DashboardStats = object([
        ("dashboards", integer()), ("connections", integer()), ("max_connections", integer()), ("frames_sent", integer()), ("frames_skipped", integer()),
        ("cache", object([("hits", integer()), ("misses", integer())])),
    ]);
    /// Dashboards, briefly.
    DashboardList = object([("dashboards", list(object([("id", text()), ("title", text()), ("access", access()), ("predefined", yes_no())])))]);
    /// What is shown, as it is sent.
    DashboardBody = example(object([
        ("id?", text()), ("title", text()), ("subtitle?", text()), ("access?", access()), ("theme?", text()), ("refresh?", text()), ("range?", text()),
        ("revision?", integer()), ("panels", list(panel("id?"))),
    ]), serde_json::json!({"title": "Load", "panels": [{"title": "Load", "type": "line", "query": "node_load1", "x": 0, "y": 0, "w": 6, "h": 4}]}));
    /// What is shown, as it is stored.
    DashboardDocument = object([
        ("id", text()), ("title", text()), ("access", access()), ("theme", text()), ("predefined", yes_no()), ("revision", integer()), ("panels", list(panel("id"))),
    ]);
    /// What was deleted.
    DashboardDeleted = object([("id", text()), ("deleted", yes_no()), ("restored", yes_no())]);
    /// What panels show.
    DashboardData = object([("t", integer()), ("panels", map(object([
        ("state", one_of(&["ok", "empty", "error"])), ("message?", text()), ("unit?", text()), ("series", list(typed(Type::Object))),
    ])))]);
    /// A ticket to a socket.
    DashboardTicket = object([("connection_id", text()), ("url", text()), ("expires_at", integer())]);
    /// What was closed.
    DashboardClosed = object([("connection_id", text()), ("closed", yes_no())]);

    /// Who asks.
    CallerAnswer = object([("name", or_null(Type::String)), ("role", or_null(Type::String)), ("scope", scope()), ("accounts", yes_no())]);
    /// A name and a password.
    SignInBody = closed([("name", text()), ("password", text())]);
    /// Accounts.
    UserList = object([("users", list(user()))]);
    /// An account.
    UserAnswer = user();
    /// An account to be made.
    NewUserBody = example(closed([("name", text()), ("role", role()), ("password", text())]), serde_json::json!({"name": "anna", "role": "viewer", "password": "correct horse battery staple"}));
    /// What changes of an account.
    UserChangeBody = example(closed([("role?", role()), ("password?", text())]), serde_json::json!({"role": "editor"}));
    /// Keys.
    KeyList = object([("keys", list(key()))]);
    /// A key.
    KeyAnswer = key();
    /// A key to be made.
    NewKeyBody = example(closed([("name?", text()), ("role", role()), ("scope?", scope()), ("expires?", text())]), serde_json::json!({"name": "prometheus", "role": "editor", "scope": "write", "expires": "90d"}));

    /// What was read of the store.
    VerifyAnswer = object([("files", integer()), ("bytes", integer()), ("rows", integer()), ("problems", list(anything())), ("notes", list(anything()))]);
}

fn health_word() -> Schema {
    one_of(&["healthy", "degraded", "unhealthy", "disabled"])
}
