//! Which series of a sealed file a set of matchers accepts.
//!
//! A matcher becomes the numbers of the pairs that it is about. Their blocks of series, intersected,
//! are the only ones that can hold a match; each series of those is then tested by its own pairs. So
//! a file needs no lists of series, and what is read follows what is found.

use std::ops::Range;

use super::view::StreamView;
use crate::model::Matcher;
use crate::store::StoreError;
use crate::store::index::literals;

/// A matcher, of one file.
struct Wanted {
    /// Ascending numbers of pairs.
    pairs: Vec<u32>,
    /// Whether a series with one of them is refused, or one without.
    refused: bool,
}

impl Wanted {
    fn accepts(&self, series: &[u32]) -> bool {
        let has = match self.pairs.as_slice() {
            [] => false,
            [one] => series.contains(one),
            many => series.iter().any(|number| many.binary_search(number).is_ok()),
        };
        has != self.refused
    }
}

/// A set of blocks.
struct Blocks(Vec<bool>);

impl Blocks {
    fn add(&mut self, runs: &[Range<u32>]) {
        for run in runs {
            if let Some(blocks) = self.0.get_mut(run.start as usize..run.end as usize) {
                blocks.fill(true);
            }
        }
    }
}

/// Ascending numbers of the series that all matchers accept.
pub(super) fn matching(view: &mut StreamView<'_>, matchers: &[Matcher]) -> Result<Vec<u32>, StoreError> {
    if matchers.is_empty() {
        return Ok((0..view.directory.series).collect());
    }
    let mut candidates = Blocks(vec![true; view.directory.blocks.len()]);
    let mut wanted = Vec::with_capacity(matchers.len());
    for matcher in matchers {
        let refused = matcher.accepts_absent();
        let (pairs, blocks) = pairs_of(view, matcher, refused)?;
        if !refused {
            candidates.0.iter_mut().zip(blocks.0).for_each(|(candidate, has)| *candidate &= has);
        }
        wanted.push(Wanted { pairs, refused });
    }
    let mut out = Vec::new();
    for block in (0..candidates.0.len()).filter(|block| candidates.0.get(*block) == Some(&true)) {
        let first = block * super::names::SERIES_IN_BLOCK;
        let accepted = |series: &[u32]| wanted.iter().all(|w| w.accepts(series));
        let names = view.names(block)?;
        out.extend(names.iter().enumerate().filter(|(_, series)| accepted(series)).map(|(i, _)| (first + i) as u32));
    }
    Ok(out)
}

/// The pairs of a matcher's label with an accepted (or, `refused`, with a refused) value, and where
/// they occur.
fn pairs_of(view: &mut StreamView<'_>, matcher: &Matcher, refused: bool) -> Result<(Vec<u32>, Blocks), StoreError> {
    let mut pairs = Vec::new();
    let mut blocks = Blocks(vec![false; view.directory.blocks.len()]);
    if let Some(literals) = literals(matcher, refused) {
        for value in literals.iter().filter(|value| !value.is_empty()) {
            view.pair(&matcher.name, value, |number, runs| {
                pairs.push(number);
                blocks.add(runs);
            })?;
        }
        pairs.sort_unstable();
        pairs.dedup();
    } else {
        view.each_value(&matcher.name, |value, number, runs| {
            if matcher.accepts(value) != refused {
                pairs.push(number);
                blocks.add(runs);
            }
        })?;
    }
    Ok((pairs, blocks))
}
