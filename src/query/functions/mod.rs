//! Functions, a family a file, and the one list of them.
//!
//! `math` and `date` work value by value, `rate`, `over_time` and `trend` on windows that `window`
//! lays over series, `labels` and `shape` on whole vectors. A new function is a line in `FUNCTIONS`.

mod date;
mod labels;
mod math;
mod over_time;
mod rate;
mod shape;
mod trend;
mod window;

use super::QueryError;
use super::eval::Evaluator;
use super::histogram;
use super::tree::Expr;
use super::value::{Evaluated, Grid, drop_names};

pub(super) use window::{Over, over};

/// The arguments of a call, not yet evaluated.
#[derive(Clone, Copy)]
pub(super) struct Args<'a> {
    pub(super) function: &'static str,
    pub(super) args: &'a [Expr],
    /// `line:column` of each.
    pub(super) places: &'a [String],
}

impl<'a> Args<'a> {
    pub(super) fn get(&self, i: usize) -> Result<&'a Expr, QueryError> {
        self.args.get(i).ok_or_else(|| QueryError::Bad(format!("{}() needs more arguments", self.function)))
    }

    pub(super) fn place(&self, i: usize) -> &'a str {
        self.places.get(i).map_or("", String::as_str)
    }

    pub(super) fn text(&self, i: usize) -> Result<&'a str, QueryError> {
        match self.get(i)? {
            Expr::Text(text) => Ok(text),
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
    pub(super) body: Body,
}

const fn map_fn(name: &'static str, f: MapFn) -> Function {
    Function { name, body: Body::Map(f) }
}

const fn special(name: &'static str, f: SpecialFn) -> Function {
    Function { name, body: Body::Special(f) }
}

const fn over_fn(name: &'static str, over: Over) -> Function {
    Function { name, body: Body::Over(over) }
}

static FUNCTIONS: &[Function] = &[
    map_fn("abs", |v, _| v.abs()),
    special("absent", shape::absent),
    special("absent_over_time", shape::absent_over_time),
    map_fn("acos", |v, _| v.acos()),
    map_fn("acosh", |v, _| v.acosh()),
    map_fn("asin", |v, _| v.asin()),
    map_fn("asinh", |v, _| v.asinh()),
    map_fn("atan", |v, _| v.atan()),
    map_fn("atanh", |v, _| v.atanh()),
    over_fn("avg_over_time", over_time::AVG),
    map_fn("ceil", |v, _| v.ceil()),
    over_fn("changes", over_time::CHANGES),
    special("clamp", math::clamp),
    map_fn("clamp_max", math::clamp_max),
    map_fn("clamp_min", math::clamp_min),
    map_fn("cos", |v, _| v.cos()),
    map_fn("cosh", |v, _| v.cosh()),
    over_fn("count_over_time", over_time::COUNT),
    special("day_of_month", date::day_of_month),
    special("day_of_week", date::day_of_week),
    special("day_of_year", date::day_of_year),
    special("days_in_month", date::days_in_month),
    map_fn("deg", |v, _| v * 180.0 / std::f64::consts::PI),
    over_fn("delta", rate::DELTA),
    over_fn("deriv", trend::DERIV),
    map_fn("exp", |v, _| v.exp()),
    over_fn("first_over_time", over_time::FIRST),
    map_fn("floor", |v, _| v.floor()),
    special("histogram_fraction", histogram::fraction),
    special("histogram_quantile", histogram::quantile),
    special("hour", date::hour),
    over_fn("idelta", rate::IDELTA),
    over_fn("increase", rate::INCREASE),
    over_fn("irate", rate::IRATE),
    special("label_join", labels::join),
    special("label_replace", labels::replace),
    over_fn("last_over_time", over_time::LAST),
    map_fn("ln", |v, _| v.ln()),
    map_fn("log10", |v, _| v.log10()),
    map_fn("log2", |v, _| v.log2()),
    over_fn("max_over_time", over_time::MAX),
    over_fn("min_over_time", over_time::MIN),
    special("minute", date::minute),
    special("month", date::month),
    special("pi", shape::pi),
    over_fn("predict_linear", trend::PREDICT_LINEAR),
    over_fn("present_over_time", over_time::PRESENT),
    over_fn("quantile_over_time", over_time::QUANTILE),
    map_fn("rad", |v, _| v * std::f64::consts::PI / 180.0),
    over_fn("rate", rate::RATE),
    over_fn("resets", rate::RESETS),
    map_fn("round", math::round),
    special("scalar", shape::scalar),
    map_fn("sgn", math::sgn),
    map_fn("sin", |v, _| v.sin()),
    map_fn("sinh", |v, _| v.sinh()),
    special("sort", shape::sort),
    special("sort_desc", shape::sort_desc),
    map_fn("sqrt", |v, _| v.sqrt()),
    over_fn("stddev_over_time", over_time::STDDEV),
    over_fn("stdvar_over_time", over_time::STDVAR),
    over_fn("sum_over_time", over_time::SUM),
    map_fn("tan", |v, _| v.tan()),
    map_fn("tanh", |v, _| v.tanh()),
    special("time", shape::time),
    special("timestamp", shape::timestamp),
    special("vector", shape::vector),
    special("year", date::year),
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

/// Applies a function value by value to the first argument.
pub(super) fn map(evaluator: &mut Evaluator<'_>, f: MapFn, args: &[Expr], grid: &Grid) -> Result<Evaluated, QueryError> {
    let Some(first) = args.first() else {
        return Err(QueryError::Bad("the function needs a vector".to_owned()));
    };
    let mut rows = evaluator.vector(first, grid)?;
    let params = parameters(evaluator, args, 0, grid)?;
    for row in &mut rows {
        row.map(|i, v| f(v, params.get(i).map_or(&[], Vec::as_slice)));
    }
    Ok(Evaluated::Vector(drop_names(rows)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_has_no_name_twice() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("rate").is_some() && find("info").is_none());
    }
}
