//! Walks the tree. Each node is evaluated once, over all steps of its grid.

use super::functions::{Args, Body};
use super::limits::Budget;
use super::plan::Frame;
use super::source::Source;
use super::tree::Expr;
use super::value::{Evaluated, Grid, Row, drop_names};
use super::{Options, QueryError, aggregate, binary, functions};
use crate::store::Coverage;
use crate::task::Deadline;

/// What is said besides the value, each once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
}

impl Notes {
    pub(super) fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    pub(super) fn info(&mut self, text: String) {
        if !self.infos.contains(&text) {
            self.infos.push(text);
        }
    }
}

/// One evaluation in progress.
pub(super) struct Evaluator<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) options: &'a Options,
    pub(super) deadline: &'a Deadline,
    pub(super) coverage: Coverage,
    pub(super) frame: Frame,
    pub(super) notes: Notes,
    pub(super) budget: Budget,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(source: &'a dyn Source, options: &'a Options, deadline: &'a Deadline, frame: Frame) -> Self {
        let coverage = source.coverage();
        Self { source, options, deadline, coverage, frame, notes: Notes::default(), budget: Budget::default() }
    }

    /// The value of a node at every step.
    pub(super) fn eval(&mut self, expr: &Expr, grid: &Grid) -> Result<Evaluated, QueryError> {
        self.deadline.check()?;
        match expr {
            Expr::Number(n) => Ok(Evaluated::Scalar(vec![*n; grid.count])),
            Expr::Text(text) => Ok(Evaluated::Text(text.clone())),
            Expr::Instant(selector) => Ok(Evaluated::Vector(self.instant(selector, grid, false)?)),
            Expr::Range { .. } | Expr::Subquery { .. } => Err(QueryError::Bad("a range vector can only be given to a function".to_owned())),
            Expr::Call { function, args, places } => self.call(function, args, places, grid),
            Expr::Aggregate { op, expr, param, grouping, place } => {
                let rows = self.vector(expr, grid)?;
                let param = param.as_ref().map(|p| self.eval(p, grid)).transpose()?;
                Ok(Evaluated::Vector(aggregate::aggregate(*op, rows, param, grouping, grid, (&mut self.notes, place))?))
            }
            Expr::Binary { op, lhs, rhs, matching } => {
                let left = self.eval(lhs, grid)?;
                let right = self.eval(rhs, grid)?;
                binary::apply(*op, left, right, matching, grid)
            }
            Expr::Negate(inner) => match self.eval(inner, grid)? {
                Evaluated::Scalar(values) => Ok(Evaluated::Scalar(values.into_iter().map(|v| -v).collect())),
                Evaluated::Vector(mut rows) => {
                    rows.iter_mut().for_each(|row| row.map(|_, v| -v));
                    Ok(Evaluated::Vector(drop_names(rows)?))
                }
                Evaluated::Text(_) => Err(QueryError::Bad("a string has no sign".to_owned())),
            },
        }
    }

    fn call(&mut self, function: &'static functions::Function, args: &[Expr], places: &[String], grid: &Grid) -> Result<Evaluated, QueryError> {
        match &function.body {
            Body::Map(f) => functions::map(self, *f, args, grid),
            Body::Over(over) => functions::over(self, Args { function: function.name, args, places }, over, grid),
            Body::Special(f) => f(self, Args { function: function.name, args, places }, grid),
        }
    }

    pub(super) fn vector(&mut self, expr: &Expr, grid: &Grid) -> Result<Vec<Row>, QueryError> {
        match self.eval(expr, grid)? {
            Evaluated::Vector(rows) => Ok(rows),
            _ => Err(QueryError::Bad("expected an instant vector".to_owned())),
        }
    }

    pub(super) fn scalar(&mut self, expr: &Expr, grid: &Grid) -> Result<Vec<f64>, QueryError> {
        match self.eval(expr, grid)? {
            Evaluated::Scalar(values) => Ok(values),
            _ => Err(QueryError::Bad("expected a scalar".to_owned())),
        }
    }
}
