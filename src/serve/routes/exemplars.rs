//! `query_exemplars`: the exemplars of the series that an expression selects, by GET and by form.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::get_or_form;
use crate::model::{ErrorKind, Exemplar, Labels};
use crate::query::outline;
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;
use crate::store::Reader;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(exemplars))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get_or_form("/api/v1/query_exemplars", exemplars));
}

/// Exemplars of the series that an expression selects.
#[utoipa::path(
    method(get, post), path = "/api/v1/query_exemplars",
    params(
        ("query" = String, Query, description = "PromQL: its selectors count.", example = json!("node_load1")),
        ("start" = Option<String>, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = Option<String>, Query, description = "Until when: Unix seconds or RFC 3339.", example = json!("2026-11-25T10:00:00Z"))
    ),
    responses((status = 200, description = "As Prometheus answers.", body = shapes::SomeList))
)]
async fn exemplars(params: Params, asking: Data<Asking>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let (query, range) = (params.required("query")?, params.range()?);
    let selectors = outline(query).map_err(|flaw| Fault::new(ErrorKind::Invalid, flaw.to_string()))?.selectors;
    let found = asking.ask("query_exemplars", None, move |deadline| reader.exemplars(&selectors, range, deadline)).await?;
    Ok(answer::json_text(written(&found)))
}

fn written(found: &[(Labels, Vec<Exemplar>)]) -> Vec<u8> {
    let mut out = br#"{"status":"success","data":"#.to_vec();
    answer::list(&mut out, found, |out, (series, exemplars)| {
        out.extend_from_slice(br#"{"seriesLabels":"#);
        answer::labels(out, series);
        out.extend_from_slice(br#","exemplars":"#);
        answer::list(out, exemplars, |out, exemplar| {
            out.extend_from_slice(br#"{"labels":"#);
            answer::labels(out, &exemplar.labels);
            out.extend_from_slice(br#","value":"#);
            answer::json(out, &crate::wire::format_value(exemplar.value));
            out.extend_from_slice(br#","timestamp":"#);
            answer::seconds(out, exemplar.t);
            out.push(b'}');
        });
        out.push(b'}');
    });
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn exemplars_are_written_as_prometheus_does() {
        let series = Labels::from_pairs([("__name__", "took_bucket"), ("le", "1")]).unwrap();
        let exemplar = Exemplar { labels: Labels::from_pairs([("trace_id", "abc")]).unwrap(), value: 6.0, t: Timestamp(1_600_096_945_479) };
        assert_eq!(
            String::from_utf8(written(&[(series, vec![exemplar])])).unwrap(),
            r#"{"status":"success","data":[{"seriesLabels":{"__name__":"took_bucket","le":"1"},"exemplars":[{"labels":{"trace_id":"abc"},"value":"6","timestamp":1600096945.479}]}]}"#
        );
        assert_eq!(written(&[]), br#"{"status":"success","data":[]}"#);
    }
}
