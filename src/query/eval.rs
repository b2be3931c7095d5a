//! Walks the tree. Each node is evaluated once, over all steps of its grid.

use std::sync::Arc;

use super::functions::{Args, Body};
use super::limits::Budget;
use super::native;
use super::notes::{Notes, Site};
use super::plan::Frame;
use super::selector::Yield;
use super::source::Source;
use super::tree::{Expr, Node, Span};
use super::value::{Evaluated, Grid, Row, drop_names, is_metadata};
use super::{Options, QueryError, aggregate, binary, explain, functions};
use crate::model::{Matcher, SeriesData};
use crate::store::{Coverage, Selection};
use crate::task::Deadline;

/// One evaluation in progress.
pub(super) struct Evaluator<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) options: &'a Options,
    pub(super) deadline: &'a Deadline,
    pub(super) coverage: Coverage,
    pub(super) frame: Frame,
    pub(super) notes: Notes,
    pub(super) budget: Budget,
    /// Matchers that stand more than once: what they read is kept.
    pub(super) repeated: Vec<Vec<Matcher>>,
    pub(super) cache: Vec<(Selection, Arc<Vec<SeriesData>>)>,
    /// The innermost expression that notes are about, where a function does not name another.
    pub(super) site: Site,
    /// Set for the call that is evaluated next: nobody looks at the names of its series.
    names_unseen: bool,
    pub(super) explained: Option<explain::Recorder>,
}

impl<'a> Evaluator<'a> {
    /// `text` is what `expr` was read from, for the places in notes.
    pub(super) fn new(source: &'a dyn Source, options: &'a Options, deadline: &'a Deadline, frame: Frame, text: &str, expr: Option<&Expr>) -> Self {
        let coverage = source.coverage();
        let repeated = expr.map_or_else(Vec::new, repeated);
        let site = Site::of(Span::NOWHERE);
        Self {
            source,
            options,
            deadline,
            coverage,
            frame,
            notes: Notes::of(text),
            budget: Budget::default(),
            repeated,
            cache: Vec::new(),
            site,
            names_unseen: false,
            explained: None,
        }
    }

    /// The value of a node at every step.
    pub(super) fn eval(&mut self, expr: &Expr, grid: &Grid) -> Result<Evaluated, QueryError> {
        self.deadline.check()?;
        if self.explained.is_none() {
            return self.eval_node(expr, grid);
        }
        let mark = explain::enter(self);
        let value = self.eval_node(expr, grid)?;
        explain::leave(self, mark, expr, grid, &value);
        Ok(value)
    }

    fn eval_node(&mut self, expr: &Expr, grid: &Grid) -> Result<Evaluated, QueryError> {
        match &expr.node {
            Node::Number(n, _) => Ok(Evaluated::Scalar(vec![*n; grid.count])),
            Node::Text(text) => Ok(Evaluated::Text(text.clone())),
            Node::Paren(inner) | Node::Plus(inner) => self.eval(inner, grid),
            Node::Instant(selector) => {
                self.site = Site::of(expr.span);
                Ok(Evaluated::Vector(self.instant(selector, grid, Yield::Value)?))
            }
            Node::Range { .. } | Node::Subquery { .. } => Err(QueryError::Bad("a range vector can only be given to a function".to_owned())),
            Node::Call { function, args } => {
                let names_unseen = std::mem::take(&mut self.names_unseen);
                self.call(function, args, names_unseen, grid)
            }
            Node::Aggregate { op, expr: inner, param, grouping } => {
                // A name that no group has need not be taken away first.
                self.names_unseen = !op.picks()
                    && !grouping.labels.iter().any(|label| is_metadata(label))
                    && matches!(&inner.bare().node, Node::Call { function, .. } if matches!(function.body, Body::Over(_)));
                let rows = self.vector(inner, grid)?;
                let number = param.as_ref().map(|p| self.eval(p, grid)).transpose()?;
                let sites = aggregate::Sites {
                    call: Site::of(expr.span),
                    expr: Site::of(inner.span),
                    param: Site::of(param.as_ref().map_or(Span::NOWHERE, |p| p.span)),
                };
                let rows = aggregate::aggregate(*op, rows, number, grouping, grid, &mut aggregate::Context { notes: &mut self.notes, sites })?;
                Ok(Evaluated::Vector(rows))
            }
            Node::Binary { op, lhs, rhs, matching } => {
                let left = self.eval(lhs, grid)?;
                let right = self.eval(rhs, grid)?;
                let mut context = binary::Context { notes: &mut self.notes, site: Site::of(expr.span), delayed: self.options.delayed_name_removal };
                binary::apply(*op, left, right, matching, grid, &mut context)
            }
            Node::Negate(inner) => match self.eval(inner, grid)? {
                Evaluated::Scalar(values) => Ok(Evaluated::Scalar(values.into_iter().map(|v| -v).collect())),
                Evaluated::Vector(mut rows) => {
                    for row in &mut rows {
                        row.map(|_, v| -v);
                        row.histograms.iter_mut().flatten().for_each(|h| *h = Arc::new(native::scaled(h, -1.0)));
                    }
                    Ok(Evaluated::Vector(self.nameless(rows)?))
                }
                Evaluated::Text(_) => Err(QueryError::Bad("a string has no sign".to_owned())),
            },
        }
    }

    fn call(&mut self, function: &'static functions::Function, args: &[Expr], names_unseen: bool, grid: &Grid) -> Result<Evaluated, QueryError> {
        let call = Args { function: function.name, args, names_unseen };
        match &function.body {
            Body::Map(f) => functions::map(self, *f, args, grid),
            Body::Over(over) => functions::over(self, call, over, grid),
            Body::Special(f) => f(self, call, grid),
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

    /// Takes the metric's name away, now or at the end of the query.
    pub(super) fn nameless(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        if !self.options.delayed_name_removal {
            return drop_names(rows);
        }
        rows.iter_mut().for_each(|row| row.drop_name = true);
        Ok(rows)
    }

    /// Takes the names away that are to go at the end.
    pub(super) fn finish(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        if !self.options.delayed_name_removal || rows.iter().all(|row| !row.drop_name) {
            return Ok(rows);
        }
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = super::value::nameless(&row.labels);
        }
        super::value::merge_equal(rows)
    }
}

/// The matchers of selectors that stand more than once.
fn repeated(expr: &Expr) -> Vec<Vec<Matcher>> {
    let mut all = Vec::new();
    collect(expr, &mut all);
    let mut out: Vec<Vec<Matcher>> = Vec::new();
    for (i, matchers) in all.iter().enumerate() {
        if all[..i].contains(matchers) && !out.contains(matchers) {
            out.push((*matchers).clone());
        }
    }
    out
}

fn collect<'a>(expr: &'a Expr, out: &mut Vec<&'a Vec<Matcher>>) {
    match &expr.node {
        Node::Instant(selector) | Node::Range { selector, .. } => out.push(&selector.matchers),
        _ => expr.children().into_iter().for_each(|child| collect(child, out)),
    }
}
