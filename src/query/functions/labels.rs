//! Functions that change labels.

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::value::{Evaluated, Grid, merge_equal};
use super::Args;
use crate::model::{METRIC_NAME, Pattern};

pub(super) fn replace(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let (to, replacement, from, pattern) = (args.text(1)?, args.text(2)?, args.text(3)?, args.text(4)?);
    let pattern = Pattern::new(pattern).map_err(|_| QueryError::Execution(format!("invalid regular expression in label_replace(): {pattern}")))?;
    check_name(args.function, to)?;
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    for row in &mut rows {
        if let Some(value) = pattern.expand(row.labels.get(from).unwrap_or(""), replacement) {
            row.labels = row.labels.to_builder().set(to, &value).build();
            row.drop_name &= to != METRIC_NAME;
        }
    }
    Ok(Evaluated::Vector(merge_equal(rows)?))
}

pub(super) fn join(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let (to, separator) = (args.text(1)?, args.text(2)?);
    let sources = (3..args.args.len()).map(|i| args.text(i)).collect::<Result<Vec<_>, _>>()?;
    check_name(args.function, to)?;
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    for row in &mut rows {
        let values: Vec<&str> = sources.iter().map(|name| row.labels.get(name).unwrap_or("")).collect();
        let joined = values.join(separator);
        row.labels = row.labels.to_builder().set(to, &joined).build();
        row.drop_name &= to != METRIC_NAME;
    }
    Ok(Evaluated::Vector(merge_equal(rows)?))
}

/// Any UTF-8 but the empty text may name a label.
fn check_name(function: &str, name: &str) -> Result<(), QueryError> {
    if name.is_empty() {
        return Err(QueryError::Execution(format!("invalid destination label name in {function}(): {name}")));
    }
    Ok(())
}
