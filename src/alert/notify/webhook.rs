//! What a webhook gets: the alerts that fired or that are over, as JSON. Field by field also what
//! receivers of Alertmanager's webhooks look for.

use serde::Serialize;

use crate::alert::history::{Change, Event};
use crate::clock::format_rfc3339;
use crate::model::Labels;
use crate::wire::JsonFloat;

/// Alerts in one request at most, so that a storm makes several of a size that receivers take.
pub(in crate::alert) const MAX_ALERTS_EACH: usize = 100;

/// What Alertmanager says of an alert that is not over.
const NO_END: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
struct Payload<'a> {
    version: &'static str,
    receiver: &'static str,
    status: &'static str,
    alerts: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    /// For receivers that know Alertmanager: the same as `state`.
    status: &'static str,
    state: &'static str,
    severity: &'static str,
    group: &'a str,
    labels: &'a Labels,
    annotations: std::collections::BTreeMap<&'a str, &'a str>,
    active_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<i64>,
    value: JsonFloat,
    fingerprint: String,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
}

/// The body of one request; the events are of one kind.
pub(in crate::alert) fn payload(events: &[Event]) -> String {
    let status = match events.first().map(|event| event.change) {
        Some(Change::Resolved) => "resolved",
        Some(Change::Fired) | None => "firing",
    };
    let payload = Payload { version: "4", receiver: "webhook", status, alerts: events.iter().map(|event| told(event, status)).collect() };
    // Every key is a text, so this cannot fail; an empty body would still say that something happened.
    serde_json::to_string(&payload).unwrap_or_default()
}

fn told<'a>(event: &'a Event, state: &'static str) -> Told<'a> {
    let alert = &event.alert;
    let resolved_at = (event.change == Change::Resolved).then_some(event.at);
    Told {
        name: &event.name,
        status: state,
        state,
        severity: event.severity.as_str(),
        group: &event.group,
        labels: &alert.labels,
        annotations: alert.annotations.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
        active_at: alert.active_at.0,
        resolved_at: resolved_at.map(|t| t.0),
        value: JsonFloat(alert.value),
        fingerprint: alert.fingerprint(),
        starts_at: format_rfc3339(alert.active_at),
        ends_at: resolved_at.map_or_else(|| NO_END.to_owned(), format_rfc3339),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::state::{Alert, Phase};
    use crate::model::Severity;
    use crate::model::Timestamp;

    #[test]
    fn the_payload_is_the_contract_and_what_alertmanager_sends() {
        let alert = Alert {
            labels: Labels::from_pairs([("alertname", "Disk"), ("device", "sda")]).unwrap(),
            annotations: vec![("summary".into(), "full".into())],
            phase: Phase::Firing,
            active_at: Timestamp(1000),
            fired_at: Some(Timestamp(2000)),
            lost_at: None,
            value: f64::INFINITY,
        };
        let event = |change| Event {
            at: Timestamp(3000),
            change,
            rule: "disk".into(),
            name: "Disk".into(),
            group: "host".into(),
            severity: Severity::Critical,
            alert: alert.clone(),
        };
        let read = |change| serde_json::from_str::<serde_json::Value>(&payload(&[event(change)])).unwrap();
        let firing = read(Change::Fired);
        assert_eq!((&firing["status"], &firing["alerts"][0]["state"]), (&"firing".into(), &"firing".into()));
        assert_eq!(firing["alerts"][0]["value"], "+Inf");
        assert!(firing["alerts"][0].get("resolved_at").is_none());
        assert_eq!(firing["alerts"][0]["endsAt"], NO_END);
        let resolved = read(Change::Resolved);
        let told = &resolved["alerts"][0];
        assert_eq!((&resolved["status"], &told["resolved_at"], &told["active_at"]), (&"resolved".into(), &3000.into(), &1000.into()));
        assert_eq!((&told["labels"]["device"], &told["annotations"]["summary"], &told["severity"]), (&"sda".into(), &"full".into(), &"critical".into()));
        assert_eq!(told["startsAt"], "1970-01-01T00:00:01.000Z");
        assert_eq!(told["fingerprint"], firing["alerts"][0]["fingerprint"]);
    }
}
