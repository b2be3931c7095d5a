//! A sealed file that is open for one reader: labels, values and pairs by number. Keeps the blocks
//! that it read last.

use std::ops::Range;
use std::sync::Arc;

use super::directory::Directory;
use super::names::{NamesBlock, SERIES_IN_BLOCK};
use super::open::OpenFile;
use super::pairs::PairsBlock;
use super::places::{At, Place, PlacesBlock};
use super::stream::Stream;
use super::times::{self, Stored};
use super::{Partition, Values, values_of};
use crate::model::{BucketColumns, Labels};
use crate::store::StoreError;
use crate::store::codec;
use crate::store::layout::ColumnKind;

/// Blocks of pairs that one reader keeps: some 4 MiB.
const PAIR_BLOCKS: usize = 256;
/// Time columns that one reader keeps: targets come by turns.
const TIME_COLUMNS: usize = 16;

/// One reader's view.
pub(super) struct StreamView<'a> {
    partition: &'a Partition,
    _file: Arc<OpenFile>,
    pub(super) directory: Arc<Directory>,
    stream: Stream<'a>,
    /// By block; at most [`PAIR_BLOCKS`] are there.
    pairs: Vec<Option<PairsBlock>>,
    kept: usize,
    /// The block of the pair that stood last at a place among the labels: neighbours are alike.
    near: Vec<usize>,
    names: Option<(usize, NamesBlock)>,
    places: Option<(usize, PlacesBlock)>,
    times: Vec<(At, Vec<i64>)>,
    frame: Option<(At, BucketColumns)>,
}

impl<'a> StreamView<'a> {
    pub(super) fn new(partition: &'a Partition, file: Arc<OpenFile>, directory: Arc<Directory>, stream: Stream<'a>) -> Self {
        Self {
            partition,
            _file: file,
            directory,
            stream,
            pairs: Vec::new(),
            kept: 0,
            near: Vec::new(),
            names: None,
            places: None,
            times: Vec::new(),
            frame: None,
        }
    }

    /// The labels of a series.
    pub(super) fn labels(&mut self, number: u32) -> Result<Labels, StoreError> {
        let (block, at) = (number as usize / SERIES_IN_BLOCK, number as usize % SERIES_IN_BLOCK);
        let pairs = self.names(block)?.get(at).map(<[u32]>::to_vec).ok_or_else(|| self.missing(number))?;
        let mut canonical = Vec::new();
        for (place, pair) in pairs.into_iter().enumerate() {
            let block = self.block_of(place, pair);
            let first = self.directory.pairs.get(block).map_or(0, |b| b.number);
            match self.pairs(block)?.canonical((pair - first) as usize) {
                Some(bytes) => canonical.extend_from_slice(bytes),
                None => return Err(self.partition.damaged(format!("pair {pair} of series {number} is missing"))),
            }
        }
        Labels::from_canonical(&canonical).map_err(|e| self.partition.damaged(format!("series {number}: {e}")))
    }

    /// The block that holds a pair which stands at a place among the labels.
    fn block_of(&mut self, place: usize, pair: u32) -> usize {
        let holds = |block: &usize| self.directory.pairs.get(*block).is_some_and(|b| b.holds(pair));
        if let Some(block) = self.near.get(place).copied().filter(holds) {
            return block;
        }
        let block = self.directory.pairs_of(pair);
        if self.near.len() <= place {
            self.near.resize(place + 1, 0);
        }
        if let Some(near) = self.near.get_mut(place) {
            *near = block;
        }
        block
    }

    /// The values of a series.
    pub(super) fn values(&mut self, number: u32) -> Result<Values, StoreError> {
        let (block, at) = (number as usize / SERIES_IN_BLOCK, number as usize % SERIES_IN_BLOCK);
        let Some(entry) = self.places(block)?.get(at) else { return Err(self.missing(number)) };
        let (kind, times) = (entry.kind, entry.times);
        let column = match entry.place {
            Place::Here(bytes) => bytes.to_vec(),
            Place::Stream(at) => self.stream.get(at)?,
        };
        let (times, frame) = match (kind, times) {
            (ColumnKind::FloatBuckets, Some(at)) => (None, Some(self.frame(at)?)),
            (_, at) => (at.map(|at| self.times(at)).transpose()?, None),
        };
        values_of(kind, times, frame, &column).map_err(|reason| self.partition.damaged(format!("the column of series {number}: {reason}")))
    }

    /// Calls `each` for every label name and value.
    pub(super) fn each_pair(&mut self, mut each: impl FnMut(&str, &str)) -> Result<(), StoreError> {
        for block in 0..self.directory.pairs.len() {
            self.pairs(block)?.iter().for_each(|(name, value, _)| each(name, value));
        }
        Ok(())
    }

    /// Calls `each` with the number of a pair and its blocks of series, where the file has it.
    pub(super) fn pair(&mut self, name: &str, value: &str, each: impl FnOnce(u32, &[Range<u32>])) -> Result<(), StoreError> {
        let block = self.directory.pairs_at(name, value);
        let Some(first) = self.directory.pairs.get(block).map(|b| b.number) else { return Ok(()) };
        if let Some((at, runs)) = self.located(block)?.find(name, value) {
            each(first + at as u32, runs);
        }
        Ok(())
    }

    /// Calls `each` for every value of a label, with the pair's number and blocks of series.
    pub(super) fn each_value(&mut self, name: &str, mut each: impl FnMut(&str, u32, &[Range<u32>])) -> Result<(), StoreError> {
        for block in self.directory.pairs_at(name, "")..self.directory.pairs.len() {
            let Some(first) = self.directory.pairs.get(block).filter(|b| b.name.as_str() <= name).map(|b| b.number) else { break };
            for (i, (found, value, runs)) in self.located(block)?.iter().enumerate() {
                if found == name {
                    each(value, first + i as u32, runs);
                }
            }
        }
        Ok(())
    }

    /// A block of series as numbers of pairs.
    pub(super) fn names(&mut self, block: usize) -> Result<&NamesBlock, StoreError> {
        if self.names.as_ref().is_none_or(|(b, _)| *b != block) {
            let at = self.directory.blocks.get(block).map(|b| b.names).ok_or_else(|| self.missing_block(block))?;
            let bytes = self.stream.block(at)?;
            let read = NamesBlock::decode(&bytes, self.directory.count_in(block)).ok_or_else(|| self.missing_block(block))?;
            self.names = Some((block, read));
        }
        self.names.as_ref().map(|(_, names)| names).ok_or_else(|| self.missing_block(block))
    }

    fn places(&mut self, block: usize) -> Result<&PlacesBlock, StoreError> {
        if self.places.as_ref().is_none_or(|(b, _)| *b != block) {
            let (base, at) = self.directory.blocks.get(block).map(|b| (b.base, b.places)).ok_or_else(|| self.missing_block(block))?;
            let bytes = self.stream.block(at)?;
            let read = PlacesBlock::decode(bytes, self.directory.count_in(block), base).ok_or_else(|| self.missing_block(block))?;
            self.places = Some((block, read));
        }
        self.places.as_ref().map(|(_, places)| places).ok_or_else(|| self.missing_block(block))
    }

    /// A block of pairs, of which it need not be known where they occur.
    fn pairs(&mut self, block: usize) -> Result<&mut PairsBlock, StoreError> {
        if self.pairs.get(block).is_none_or(Option::is_none) {
            let (at, count) = self.directory.pairs.get(block).map(|b| (b.at, b.count)).ok_or_else(|| self.missing_pairs(block))?;
            let bytes = self.stream.block(at)?;
            let read = PairsBlock::decode(&bytes, count).ok_or_else(|| self.missing_pairs(block))?;
            if self.kept >= PAIR_BLOCKS {
                self.pairs.fill_with(|| None);
                self.kept = 0;
            }
            self.pairs.resize_with(self.directory.pairs.len(), || None);
            if let Some(place) = self.pairs.get_mut(block) {
                *place = Some(read);
                self.kept += 1;
            }
        }
        let partition = self.partition;
        self.pairs.get_mut(block).and_then(Option::as_mut).ok_or_else(|| partition.damaged("a block of pairs is missing"))
    }

    /// A block of pairs with where they occur. Where postings are damaged all blocks are forgotten.
    fn located(&mut self, block: usize) -> Result<&PairsBlock, StoreError> {
        let blocks = self.directory.blocks.len() as u32;
        if self.pairs(block)?.locate(blocks).is_none() {
            self.pairs.clear();
            self.kept = 0;
            return Err(self.missing_pairs(block));
        }
        self.pairs(block).map(|pairs| &*pairs)
    }

    /// A time column; all series of one round share one, so it is decoded once for them.
    fn times(&mut self, at: At) -> Result<Vec<i64>, StoreError> {
        if let Some((_, t)) = self.times.iter().find(|(known, _)| *known == at) {
            return Ok(t.clone());
        }
        let damaged = |reason: &dyn std::fmt::Display| self.partition.damaged(format!("the time column at {}: {reason}", at.from));
        let bytes = self.stream.get(at)?;
        let t = match times::read(&bytes).map_err(|e| damaged(&e))? {
            Stored::Whole(t) => t,
            Stored::Part(part) => {
                let whole = match times::read(&self.stream.get(part.of)?).map_err(|e| damaged(&e))? {
                    Stored::Whole(whole) => whole,
                    Stored::Part(_) => return Err(damaged(&"it is a part of a part")),
                };
                part.of(&whole).map_err(|e| damaged(&e))?
            }
        };
        if self.times.len() >= TIME_COLUMNS {
            self.times.remove(0);
        }
        self.times.push((at, t.clone()));
        Ok(t)
    }

    /// The frame of buckets; all series of one round share one, so it is decoded once for them.
    fn frame(&mut self, at: At) -> Result<BucketColumns, StoreError> {
        if let Some((_, frame)) = self.frame.as_ref().filter(|(known, _)| *known == at) {
            return Ok(frame.clone());
        }
        let bytes = self.stream.get(at)?;
        let frame = codec::decode_frame(&bytes).map_err(|e| self.partition.damaged(format!("the frame at {}: {e}", at.from)))?;
        self.frame = Some((at, frame.clone()));
        Ok(frame)
    }

    fn missing(&self, number: u32) -> StoreError {
        self.partition.damaged(format!("series {number} is missing"))
    }

    fn missing_pairs(&self, block: usize) -> StoreError {
        self.partition.damaged(format!("the block of pairs {block} does not decode"))
    }

    fn missing_block(&self, block: usize) -> StoreError {
        self.partition.damaged(format!("series block {block} does not decode"))
    }
}
