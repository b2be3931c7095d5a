//! PromQL over HTTP: `query` and `query_range`, by GET and by form. Knows no PromQL.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::get_or_form;
use crate::model::{ErrorKind, Timestamp};
use crate::query::{Answer, Engine, QueryError, Value};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get_or_form("/api/v1/query", query)).service(get_or_form("/api/v1/query_range", query_range));
}

async fn query(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let expr = params.required("query")?.to_owned();
    let at = params.time("time")?.unwrap_or_else(|| asking.now());
    let shown = Shown::read(&params)?;
    let text =
        asking.ask("instant", params.duration("timeout")?, move |deadline| Ok::<_, QueryError>(shown.write(engine.instant(&expr, at, deadline)?))).await?;
    Ok(asking.answer(text))
}

async fn query_range(params: Params, asking: Data<Asking>, engine: Data<Engine>) -> Result<HttpResponse, Fault> {
    let expr = params.required("query")?.to_owned();
    let (start, end, step) = range(&params)?;
    let shown = Shown::read(&params)?;
    let text = asking
        .ask("range", params.duration("timeout")?, move |deadline| Ok::<_, QueryError>(shown.write(engine.range(&expr, start, end, step, deadline)?)))
        .await?;
    Ok(asking.answer(text))
}

fn range(params: &Params) -> Result<(Timestamp, Timestamp, Duration), Fault> {
    let (start, end) = (params.required_time("start")?, params.required_time("end")?);
    if end < start {
        return Err(Fault::parameter("end", "end timestamp must not be before start time"));
    }
    params.required("step")?;
    let step = params.duration("step")?.filter(|step| *step >= Duration::from_millis(1));
    let step = step.ok_or_else(|| Fault::parameter("step", "zero or negative query resolution step widths are not accepted. Try a positive integer"))?;
    Ok((start, end, step))
}

/// How much of an answer is shown.
struct Shown {
    limit: Option<usize>,
    stats: bool,
}

impl Shown {
    fn read(params: &Params) -> Result<Self, Fault> {
        if params.get("lookback_delta").is_some() {
            return Err(Fault::new(ErrorKind::Unsupported, "the parameter lookback_delta is not supported yet"));
        }
        Ok(Self { limit: params.limit()?, stats: params.get("stats").is_some() })
    }

    /// Cuts the answer and writes it. Yields the text and how many samples were read for it.
    fn write(&self, mut answer: Answer) -> (Vec<u8>, usize) {
        if let (Some(limit), Value::Vector(series) | Value::Matrix(series)) = (self.limit, &mut answer.value)
            && series.len() > limit
        {
            series.truncate(limit);
            answer.warnings.push(answer::TRUNCATED.to_owned());
        }
        (answer::query(&answer, self.stats), answer.stats.samples)
    }
}
