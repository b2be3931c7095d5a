//! Functions, a family a file, and the one list of them.
//!
//! `math` and `date` work value by value; `window` lays windows over series, `rate`, `extended` (rates of anchored and
//! smoothed windows), `over_time`, `trend` and `instants` work on them, `histograms` holds what differs where native histograms
//! lie in a window; `labels`, `shape`, `order` and `info` work on whole vectors. A new function is a line in `FUNCTIONS`.

mod date;
mod extended;
mod histograms;
mod info;
mod instants;
mod labels;
mod math;
mod order;
mod over_time;
mod rate;
mod shape;
mod trend;
mod window;

use super::QueryError;
use super::eval::Evaluator;
use super::histogram;
use super::notes::Site;
use super::tree::{Expr, Node, Span, Type};
use super::value::{Evaluated, Grid};

pub(super) use histograms::native_mean::Mean as HistogramMean;
pub(super) use window::{Over, over};

/// The arguments of a call, not yet evaluated.
#[derive(Clone, Copy)]
pub(super) struct Args<'a> {
    pub(super) function: &'static str,
    pub(super) args: &'a [Expr],
    /// Nobody looks at the names of the series that it yields.
    pub(super) names_unseen: bool,
}

impl<'a> Args<'a> {
    pub(super) fn get(&self, i: usize) -> Result<&'a Expr, QueryError> {
        self.args.get(i).ok_or_else(|| QueryError::Bad(format!("{}() needs more arguments", self.function)))
    }

    /// What notes about an argument are about.
    pub(super) fn site(&self, i: usize) -> Site {
        Site::of(self.args.get(i).map_or(Span::NOWHERE, |arg| arg.span))
    }

    pub(super) fn text(&self, i: usize) -> Result<&'a str, QueryError> {
        match &self.get(i)?.bare().node {
            Node::Text(text) => Ok(text),
            _ => Err(QueryError::Bad(format!("argument {} of {}() must be a string", i + 1, self.function))),
        }
    }
}

/// A function of a value and of scalar parameters.
pub(super) type MapFn = fn(f64, &[f64]) -> f64;
/// A function that evaluates its arguments itself.
pub(super) type SpecialFn = fn(&mut Evaluator<'_>, Args<'_>, &Grid) -> Result<Evaluated, QueryError>;

/// How a function is computed.
#[derive(Debug)]
pub(super) enum Body {
    /// Value by value of the one vector among the arguments.
    Map(MapFn),
    /// Over the windows of the one range vector among the arguments.
    Over(Over),
    /// Its own way.
    Special(SpecialFn),
}

/// A function of PromQL.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// What its arguments must be.
    pub(super) args: &'static [Type],
    /// How many of the last argument there may be instead of one: that many less one more, or any number where it
    /// is negative. Where it is not 0 the last may be left out.
    pub(super) variadic: i8,
    pub(super) returns: Type,
    pub(super) experimental: bool,
    pub(super) body: Body,
}

const S: Type = Type::Scalar;
const T: Type = Type::Text;
const V: Type = Type::Vector;
const M: Type = Type::Matrix;

const fn function(name: &'static str, args: &'static [Type], body: Body) -> Function {
    Function { name, args, variadic: 0, returns: V, experimental: false, body }
}

const fn map_fn(name: &'static str, f: MapFn) -> Function {
    function(name, &[V], Body::Map(f))
}

const fn special(name: &'static str, args: &'static [Type], f: SpecialFn) -> Function {
    function(name, args, Body::Special(f))
}

const fn over_fn(name: &'static str, over: Over) -> Function {
    function(name, &[M], Body::Over(over))
}

/// One that is behind a setting.
const fn experimental(name: &'static str, args: &'static [Type], variadic: i8, body: Body) -> Function {
    Function { name, args, variadic, returns: V, experimental: true, body }
}

const fn variadic(name: &'static str, args: &'static [Type], variadic: i8, body: Body) -> Function {
    Function { name, args, variadic, returns: V, experimental: false, body }
}

const fn scalar(name: &'static str, args: &'static [Type], f: SpecialFn) -> Function {
    Function { name, args, variadic: 0, returns: S, experimental: false, body: Body::Special(f) }
}

static FUNCTIONS: &[Function] = &[
    map_fn("abs", |v, _| v.abs()),
    special("absent", &[V], shape::absent),
    special("absent_over_time", &[M], shape::absent_over_time),
    map_fn("acos", |v, _| v.acos()),
    map_fn("acosh", |v, _| v.acosh()),
    map_fn("asin", |v, _| v.asin()),
    map_fn("asinh", |v, _| v.asinh()),
    map_fn("atan", |v, _| v.atan()),
    map_fn("atanh", |v, _| v.atanh()),
    over_fn("avg_over_time", over_time::AVG),
    map_fn("ceil", |v, _| v.ceil()),
    over_fn("changes", instants::CHANGES),
    special("clamp", &[V, S, S], math::clamp),
    function("clamp_max", &[V, S], Body::Map(math::clamp_max)),
    function("clamp_min", &[V, S], Body::Map(math::clamp_min)),
    map_fn("cos", |v, _| v.cos()),
    map_fn("cosh", |v, _| v.cosh()),
    over_fn("count_over_time", over_time::COUNT),
    variadic("day_of_month", &[V], 1, Body::Special(date::day_of_month)),
    variadic("day_of_week", &[V], 1, Body::Special(date::day_of_week)),
    variadic("day_of_year", &[V], 1, Body::Special(date::day_of_year)),
    variadic("days_in_month", &[V], 1, Body::Special(date::days_in_month)),
    map_fn("deg", |v, _| v * 180.0 / std::f64::consts::PI),
    over_fn("delta", rate::DELTA),
    over_fn("deriv", trend::DERIV),
    experimental("double_exponential_smoothing", &[M, S, S], 0, Body::Over(trend::DOUBLE_EXPONENTIAL)),
    Function { experimental: true, ..scalar("end", &[], shape::end) },
    map_fn("exp", |v, _| v.exp()),
    over_fn("first_over_time", over_time::FIRST),
    map_fn("floor", |v, _| v.floor()),
    special("histogram_avg", &[V], histogram::avg),
    special("histogram_count", &[V], histogram::count),
    special("histogram_fraction", &[S, S, V], histogram::fraction),
    special("histogram_quantile", &[S, V], histogram::quantile),
    experimental("histogram_quantiles", &[V, T, S, S], 9, Body::Special(histogram::quantiles)),
    special("histogram_stddev", &[V], histogram::stddev),
    special("histogram_stdvar", &[V], histogram::stdvar),
    special("histogram_sum", &[V], histogram::sum),
    variadic("hour", &[V], 1, Body::Special(date::hour)),
    over_fn("idelta", instants::IDELTA),
    over_fn("increase", rate::INCREASE),
    experimental("info", &[V, V], 1, Body::Special(info::info)),
    over_fn("irate", instants::IRATE),
    variadic("label_join", &[V, T, T, T], -1, Body::Special(labels::join)),
    special("label_replace", &[V, T, T, T, T], labels::replace),
    over_fn("last_over_time", over_time::LAST),
    map_fn("ln", |v, _| v.ln()),
    map_fn("log10", |v, _| v.log10()),
    map_fn("log2", |v, _| v.log2()),
    experimental("mad_over_time", &[M], 0, Body::Over(over_time::MAD)),
    Function { experimental: true, ..scalar("max_of", &[S, S], shape::max_of) },
    over_fn("max_over_time", over_time::MAX),
    Function { experimental: true, ..scalar("min_of", &[S, S], shape::min_of) },
    over_fn("min_over_time", over_time::MIN),
    variadic("minute", &[V], 1, Body::Special(date::minute)),
    variadic("month", &[V], 1, Body::Special(date::month)),
    scalar("pi", &[], shape::pi),
    function("predict_linear", &[M, S], Body::Over(trend::PREDICT_LINEAR)),
    over_fn("present_over_time", over_time::PRESENT),
    function("quantile_over_time", &[S, M], Body::Over(over_time::QUANTILE)),
    map_fn("rad", |v, _| v * std::f64::consts::PI / 180.0),
    Function { experimental: true, ..scalar("range", &[], shape::range) },
    over_fn("rate", rate::RATE),
    over_fn("resets", instants::RESETS),
    variadic("round", &[V, S], 1, Body::Map(math::round)),
    scalar("scalar", &[V], shape::scalar),
    map_fn("sgn", math::sgn),
    map_fn("sin", |v, _| v.sin()),
    map_fn("sinh", |v, _| v.sinh()),
    special("sort", &[V], order::sort),
    experimental("sort_by_label", &[V, T], -1, Body::Special(order::sort_by_label)),
    experimental("sort_by_label_desc", &[V, T], -1, Body::Special(order::sort_by_label_desc)),
    special("sort_desc", &[V], order::sort_desc),
    map_fn("sqrt", |v, _| v.sqrt()),
    Function { experimental: true, ..scalar("start", &[], shape::start) },
    experimental("start_timestamp", &[V], 0, Body::Special(shape::start_timestamp)),
    over_fn("stddev_over_time", over_time::STDDEV),
    over_fn("stdvar_over_time", over_time::STDVAR),
    Function { experimental: true, ..scalar("step", &[], shape::step) },
    over_fn("sum_over_time", over_time::SUM),
    map_fn("tan", |v, _| v.tan()),
    map_fn("tanh", |v, _| v.tanh()),
    scalar("time", &[], shape::time),
    special("timestamp", &[V], shape::timestamp),
    experimental("ts_of_first_over_time", &[M], 0, Body::Over(over_time::TS_OF_FIRST)),
    experimental("ts_of_last_over_time", &[M], 0, Body::Over(over_time::TS_OF_LAST)),
    experimental("ts_of_max_over_time", &[M], 0, Body::Over(over_time::TS_OF_MAX)),
    experimental("ts_of_min_over_time", &[M], 0, Body::Over(over_time::TS_OF_MIN)),
    special("vector", &[S], shape::vector),
    variadic("year", &[V], 1, Body::Special(date::year)),
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// Evaluates the scalar parameters, all arguments but the one at `skip`, into one list per step.
fn parameters(evaluator: &mut Evaluator<'_>, args: &[Expr], skip: usize, grid: &Grid) -> Result<Vec<Vec<f64>>, QueryError> {
    let mut columns = Vec::new();
    for (_, arg) in args.iter().enumerate().filter(|(i, _)| *i != skip) {
        columns.push(evaluator.scalar(arg, grid)?);
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    Ok((0..grid.count).map(|i| columns.iter().map(|c| c[i]).collect()).collect())
}

/// Applies a function number by number to the first argument; histograms are left out.
pub(super) fn map(evaluator: &mut Evaluator<'_>, f: MapFn, args: &[Expr], grid: &Grid) -> Result<Evaluated, QueryError> {
    let Some(first) = args.first() else {
        return Err(QueryError::Bad("the function needs a vector".to_owned()));
    };
    let mut rows = evaluator.vector(first, grid)?;
    let params = parameters(evaluator, args, 0, grid)?;
    for row in &mut rows {
        row.histograms.clear();
        row.map(|i, v| f(v, params.get(i).map_or(&[], Vec::as_slice)));
    }
    rows.retain(|row| !row.is_empty());
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_has_no_name_twice() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("rate").is_some() && find("nosuch").is_none());
    }
}
