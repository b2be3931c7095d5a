//! What comes beside plain samples, native histograms and exemplars, on its way into the store: decided
//! on, written to the journal, put into the head. Knows no file.
//!
//! ```text
//! row  := 16 + tier · count of new series · (length · canonical labels)* · count · item*
//! item := number (signed difference from the last) · time (signed difference from the last) · kind · bytes
//! kind := 0 a histogram by itself | 1 an exemplar: value (8 bytes) · length · canonical labels
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codec::{Cursor, put_histogram, put_varint, take_histogram, zigzag};
use super::door::Appended;
use super::exemplars::WindowExemplars;
use super::head::Head;
use super::histograms::HistogramChunk;
use super::row::RowState;
use super::windows::Windows;
use crate::model::{Batch, Exemplar, Histogram, Labels, Sample, Tier, Timestamp};

/// Added to the tier in the first byte of a row.
pub(super) const ROW_KIND: u8 = 16;
const HISTOGRAM: u8 = 0;
const EXEMPLAR: u8 = 1;
/// A histogram counts as one sample more for so many buckets, where samples are counted to keep replay short.
const BUCKETS_A_SAMPLE: usize = 16;

/// What a journal row holds of a series.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Sample(Sample),
    Histogram(Timestamp, Arc<Histogram>),
    Exemplar(Exemplar),
}

impl Item {
    pub(super) const fn t(&self) -> Timestamp {
        match self {
            Self::Sample(sample) => sample.t,
            Self::Histogram(t, _) => *t,
            Self::Exemplar(exemplar) => exemplar.t,
        }
    }
}

/// One histogram or exemplar on its way into the journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra<'a> {
    pub(super) tier: Tier,
    /// The series' number in the head.
    pub(super) series: u32,
    pub(super) labels: &'a [u8],
    pub(super) what: What<'a>,
    /// Which batch of the group it came with.
    batch: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    Histogram(Timestamp, &'a Arc<Histogram>),
    Exemplar(&'a Exemplar),
}

impl Extra<'_> {
    pub(super) const fn t(&self) -> Timestamp {
        match self.what {
            What::Histogram(t, _) => t,
            What::Exemplar(exemplar) => exemplar.t,
        }
    }

    pub(super) const fn is_histogram(&self) -> bool {
        matches!(self.what, What::Histogram(..))
    }

    /// About the bytes it takes in a row.
    pub(super) fn weight(&self) -> usize {
        match self.what {
            // Most counts are small whole numbers.
            What::Histogram(_, h) => h.weight() / 3,
            What::Exemplar(exemplar) => 16 + exemplar.labels.canonical().len(),
        }
    }
}

/// Decides on all histograms and exemplars of a group: which tier takes them, or why none does.
/// `edges` says where the tiers begin for a series with something of a time.
pub(super) fn decide<'a>(
    group: &'a [Batch],
    edges: impl Fn(Timestamp, &[u8]) -> [Timestamp; 3],
    head: &mut Head,
    most: usize,
    appended: &mut [Appended],
) -> Vec<Extra<'a>> {
    let mut out = Vec::new();
    let tier_of = |t: Timestamp, labels: &Labels| {
        let edges = edges(t, labels.canonical());
        Tier::ALL.into_iter().find(|tier| t > edges[tier.index()])
    };
    let mut number = |labels: &Labels| head.find_or_add_below(most, labels.canonical());
    for (batch, (rows, result)) in group.iter().zip(appended.iter_mut()).enumerate() {
        for (i, row) in rows.histograms.iter().enumerate() {
            let position = rows.sample_count() + i;
            let Some(tier) = tier_of(row.t, &row.labels) else {
                result.too_old.push(position);
                continue;
            };
            let Some(series) = number(&row.labels) else {
                result.no_room.push(position);
                continue;
            };
            result.accepted += 1;
            result.histograms += 1;
            out.push(Extra { tier, series, labels: row.labels.canonical(), what: What::Histogram(row.t, &row.histogram), batch });
        }
        for row in rows.exemplars.iter().filter(|row| tier_of(row.exemplar.t, &row.labels) == Some(Tier::Raw)) {
            if let Some(series) = number(&row.labels) {
                result.exemplars += 1;
                out.push(Extra { tier: Tier::Raw, series, labels: row.labels.canonical(), what: What::Exemplar(&row.exemplar), batch });
            }
        }
    }
    out
}

/// Puts all that is durable into the head; adds the number of histograms that replaced one.
pub(super) fn apply(extras: &[Extra<'_>], head: &mut Head, windows: Windows, appended: &mut [Appended]) -> u64 {
    let mut duplicates = 0;
    for extra in extras {
        let item = match extra.what {
            What::Histogram(t, h) => Item::Histogram(t, h.clone()),
            What::Exemplar(exemplar) => Item::Exemplar(exemplar.clone()),
        };
        if push(head, windows, extra.tier, extra.series, item) {
            duplicates += 1;
            if let Some(result) = appended.get_mut(extra.batch) {
                result.duplicates += 1;
            }
        }
    }
    duplicates
}

/// Puts one into its window of the head; true where it replaced one of the same time.
pub(super) fn push(head: &mut Head, windows: Windows, tier: Tier, series: u32, item: Item) -> bool {
    let range = windows.range(tier, item.t());
    let key = (tier, range.start);
    match item {
        Item::Sample(sample) => head.open(key, range).push(series, sample),
        Item::Histogram(t, h) => {
            head.newest = Some(head.newest.map_or(t.0, |newest| newest.max(t.0)));
            let window = head.window(key, range);
            window.samples += 1 + ((h.positive.counts.len() + h.negative.counts.len()) / BUCKETS_A_SAMPLE) as u64;
            window.extras.histograms.entry(series).or_default().push(t.0, &h)
        }
        Item::Exemplar(exemplar) => {
            let window = head.window(key, range);
            // Those that the window has no room for lie in the journal all the same.
            window.samples += 1;
            window.extras.exemplars.push(series, &exemplar);
            false
        }
    }
}

/// What one window of the head has beside samples, by number of the series.
#[derive(Debug, Default)]
pub(super) struct WindowExtras {
    pub(super) histograms: BTreeMap<u32, HistogramChunk>,
    pub(super) exemplars: WindowExemplars,
}

impl WindowExtras {
    /// Numbers of the series that have any, some twice.
    pub(super) fn series(&self) -> impl Iterator<Item = u32> + '_ {
        self.histograms.keys().copied().chain(self.exemplars.series())
    }

    /// Gives every series its new number.
    pub(super) fn renumber(&mut self, numbers: &[Option<u32>]) {
        let old = std::mem::take(&mut self.histograms);
        self.histograms = old.into_iter().filter_map(|(number, chunk)| Some((numbers.get(number as usize).copied().flatten()?, chunk))).collect();
        self.exemplars.renumber(numbers);
    }

    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.histograms.values().map(HistogramChunk::bytes).sum::<usize>() + self.exemplars.bytes()
    }

    /// Histograms, those included that replace others.
    pub(super) fn rows(&self) -> u64 {
        self.histograms.values().map(|chunk| chunk.len() as u64).sum()
    }

    /// Time of the first histogram, about.
    pub(super) fn first_t(&self) -> Option<i64> {
        self.histograms.values().map(HistogramChunk::first_t).min()
    }
}

/// Encodes a row. `new` are the labels of the numbers that follow the known ones; `numbers` are those
/// of `extras` in the file, all of one tier.
pub(super) fn encode_row(state: &mut RowState, tier: Tier, new: &[&[u8]], extras: &[Extra<'_>], numbers: &[u32], out: &mut Vec<u8>) {
    out.push(ROW_KIND + tier.index() as u8);
    put_varint(new.len() as u64, out);
    for labels in new {
        put_varint(labels.len() as u64, out);
        out.extend_from_slice(labels);
        state.introduce();
    }
    put_varint(extras.len() as u64, out);
    let (mut before, mut t_before) = (0_i64, 0_i64);
    for (extra, number) in extras.iter().zip(numbers) {
        put_varint(zigzag(i64::from(*number) - before), out);
        put_varint(zigzag(extra.t().0.wrapping_sub(t_before)), out);
        (before, t_before) = (i64::from(*number), extra.t().0);
        match extra.what {
            What::Histogram(_, h) => {
                out.push(HISTOGRAM);
                put_histogram(None, h, out);
            }
            What::Exemplar(exemplar) => {
                out.push(EXEMPLAR);
                out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
                put_varint(exemplar.labels.canonical().len() as u64, out);
                out.extend_from_slice(exemplar.labels.canonical());
            }
        }
    }
}

/// Decodes a row whose first byte says that it is one of these: calls `labels` for each new number in
/// turn, then `item`. `None` where the bytes are no such row.
pub(super) fn decode_row(state: &mut RowState, bytes: &[u8], mut labels: impl FnMut(&[u8]) -> Option<()>, mut item: impl FnMut(Tier, u32, Item)) -> Option<()> {
    let mut cursor = Cursor::new(bytes);
    let tier = *Tier::ALL.get(usize::from(cursor.byte().ok()?.checked_sub(ROW_KIND)?))?;
    for _ in 0..cursor.count_of(1).ok()? {
        labels(cursor.block().ok()?)?;
        state.introduce();
    }
    let (mut number, mut t) = (0_i64, 0_i64);
    for _ in 0..cursor.count_of(3).ok()? {
        number = number.checked_add(cursor.signed().ok()?)?;
        t = t.wrapping_add(cursor.signed().ok()?);
        let series = u32::try_from(number).ok().filter(|series| *series < state.known())?;
        let t = Timestamp(t);
        match cursor.byte().ok()? {
            HISTOGRAM => item(tier, series, Item::Histogram(t, Arc::new(take_histogram(None, &mut cursor).ok()?))),
            EXEMPLAR => {
                let value = f64::from_bits(cursor.little_endian(8).ok()?);
                let labels = Labels::from_canonical(cursor.block().ok()?).ok()?;
                item(tier, series, Item::Exemplar(Exemplar { labels, value, t }));
            }
            _ => return None,
        }
    }
    cursor.finish().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Buckets, Span};

    proptest! {
        #[test]
        fn rows_read_back(items in prop::collection::vec((0_u32..3, -1_i64 << 45..1_i64 << 45, any::<bool>(), any::<u64>()), 1..10)) {
            let positive = Buckets { spans: vec![Span { offset: 1, length: 2 }], counts: vec![1.0, 0.5] };
            let item = |t: i64, is_histogram: bool, bits: u64| {
                let t = Timestamp(t);
                if is_histogram {
                    Item::Histogram(t, Arc::new(Histogram { schema: 3, count: bits as f64, positive: positive.clone(), ..Histogram::default() }))
                } else {
                    Item::Exemplar(Exemplar { labels: Labels::from_pairs([("id", "x")]).unwrap(), value: bits as f64, t })
                }
            };
            let held: Vec<(u32, Item)> = items.iter().map(|(number, t, is_histogram, bits)| (*number, item(*t, *is_histogram, *bits))).collect();
            let extra = |number: u32, what| Extra { tier: Tier::Aggregated, series: number, labels: b"l", what, batch: 0 };
            let extras: Vec<Extra<'_>> = held
                .iter()
                .filter_map(|(number, item)| match item {
                    Item::Histogram(t, h) => Some(extra(*number, What::Histogram(*t, h))),
                    Item::Exemplar(e) => Some(extra(*number, What::Exemplar(e))),
                    Item::Sample(_) => None,
                })
                .collect();
            let numbers: Vec<u32> = extras.iter().map(|e| e.series).collect();
            let (mut writing, mut reading) = (RowState::default(), RowState::default());
            let mut bytes = Vec::new();
            encode_row(&mut writing, Tier::Aggregated, &[b"a", b"b", b"c"], &extras, &numbers, &mut bytes);
            let mut got = Vec::new();
            let read = decode_row(&mut reading, &bytes, |_| Some(()), |tier, n, item| got.push((tier, n, format!("{item:?}"))));
            prop_assert!(read.is_some());
            let want: Vec<_> = held.iter().map(|(number, item)| (Tier::Aggregated, *number, format!("{item:?}"))).collect();
            prop_assert_eq!(got, want);
        }

        #[test]
        fn damaged_rows_do_not_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = ROW_KIND;
            let _ = decode_row(&mut RowState::default(), &bytes, |_| Some(()), |_, _, _| {});
        }
    }
}
