//! Remote write: a `prometheus.WriteRequest` becomes a `Batch`, and one of version 2 (`remote_write_2`).
//!
//! The bytes are walked once with prost's primitives. Labels stay borrowed slices of the body until
//! the batch copies them into its arena, so a request allocates per batch and not per label. Knows
//! neither limits nor which times are wanted: that is `ingest`'s.

use std::sync::Arc;

use prost::encoding::{WireType, decode_key, decode_varint};
use prost::{DecodeError, Message as _};

use super::protobuf::{self, MetricMetadata};
use super::{WireError, native};
use crate::model::{
    Batch, BatchError, Category, Exemplar, ExemplarRow, Histogram, HistogramRow, Labels, MetricMeta, MetricType, Origin, Sample, Timestamp, encode_canonical,
    stale_marker,
};

pub use super::remote_write_2::decode as decode_2;

const MESSAGE: &str = "prometheus.WriteRequest";

/// What a request holds.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The good series, and metadata.
    pub batch: Batch,
    /// Series that could not be taken, in order of arrival.
    pub rejected: Vec<RejectedSeries>,
    /// Native histograms that end their series: they are among the samples, as stale markers.
    pub ends: usize,
    /// Exemplars that are malformed: they are left out and refuse nothing else.
    pub bad_exemplars: usize,
}

/// A series, or a histogram of one, that is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedSeries {
    /// Its position in the request.
    pub series: usize,
    /// How many samples and histograms that refuses.
    pub samples: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Decoded {
    /// Samples of the series that could not be taken.
    #[must_use]
    pub fn rejected_samples(&self) -> usize {
        self.rejected.iter().map(|r| r.samples).sum()
    }
}

/// Reads an uncompressed request. Unknown fields are skipped.
///
/// # Errors
/// The bytes are not a write request, or more than 4 GiB of labels.
pub fn decode(body: &[u8]) -> Result<Decoded, WireError> {
    let mut out = Decoded { batch: Batch::new(Origin::Pushed), ..Decoded::default() };
    let mut series = Series::default();
    let mut position = 0;
    let mut rest = body;
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Field::Bytes(bytes)) => {
                series.read(bytes)?;
                series.add_to(&mut out, position)?;
                position += 1;
            }
            (3, Field::Bytes(bytes)) => {
                let metadata = MetricMetadata::decode(bytes).map_err(|source| WireError::Protobuf { message: MESSAGE, source })?;
                if !metadata.family.is_empty() {
                    out.batch.metadata.push(meta_of(metadata));
                }
            }
            (1 | 3, _) => return Err(malformed("a series or a metadata entry is not a message")),
            _ => {}
        }
    }
    Ok(out)
}

/// Writes an uncompressed request, in the batch's order: its samples and metadata.
#[must_use]
pub fn encode(batch: &Batch) -> Vec<u8> {
    let label = |(name, value): (&str, &str)| protobuf::Label { name: name.to_owned(), value: value.to_owned() };
    let timeseries = batch
        .series()
        .map(|row| protobuf::TimeSeries {
            // A batch holds canonical bytes only, so this default is never taken.
            labels: crate::model::Labels::from_canonical(row.labels).unwrap_or_default().iter().map(label).collect(),
            samples: row.samples.iter().map(|s| protobuf::Sample { value: s.v, timestamp: s.t.millis() }).collect(),
            ..protobuf::TimeSeries::default()
        })
        .collect();
    let metadata = batch
        .metadata
        .iter()
        .map(|(family, meta)| MetricMetadata { kind: code_of(meta.kind), family: family.clone(), help: meta.help.clone(), unit: meta.unit.clone() })
        .collect();
    protobuf::WriteRequest { timeseries, metadata }.encode_to_vec()
}

/// One series while it is read; its vectors are used again for the next.
#[derive(Default)]
pub(super) struct Series<'a> {
    pub(super) labels: Vec<Pair<'a>>,
    pub(super) samples: Vec<Sample>,
    pub(super) native: Native<'a>,
}

/// A label's name and value, as they lie in the body.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// What few series have: native histograms and exemplars.
#[derive(Default)]
pub(super) struct Native<'a> {
    histograms: Vec<(Timestamp, Histogram)>,
    /// What is wrong with histograms that are not among them.
    faults: Vec<String>,
    ends: usize,
    pub(super) exemplars: Vec<RawExemplar<'a>>,
}

/// An exemplar whose labels are not looked at yet.
#[derive(Default)]
pub(super) struct RawExemplar<'a> {
    pub(super) labels: Vec<Pair<'a>>,
    pub(super) value: f64,
    pub(super) t: Timestamp,
}

impl<'a> Series<'a> {
    fn read(&mut self, mut rest: &'a [u8]) -> Result<(), WireError> {
        self.clear();
        while !rest.is_empty() {
            match next(&mut rest)? {
                (1, Field::Bytes(bytes)) => self.labels.push(read_label(bytes)?),
                (2, Field::Bytes(bytes)) => self.samples.push(read_sample(bytes)?),
                (3, Field::Bytes(bytes)) => self.native.exemplars.push(read_exemplar(bytes)?),
                (4, Field::Bytes(bytes)) => self.take_histogram(bytes, MESSAGE)?,
                (1..=4, _) => return Err(malformed("a field of a series is not a message")),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.labels.clear();
        self.samples.clear();
        self.native = Native::default();
    }

    /// Reads a histogram; the end of a series is a sample.
    pub(super) fn take_histogram(&mut self, bytes: &[u8], message: &'static str) -> Result<(), WireError> {
        match native::histogram(bytes, message)? {
            Ok((t, histogram)) if histogram.is_stale() => {
                self.native.ends += 1;
                self.samples.push(Sample { t, v: stale_marker() });
            }
            Ok(read) => self.native.histograms.push(read),
            Err(reason) => self.native.faults.push(reason),
        }
        Ok(())
    }

    pub(super) fn add_to(&mut self, out: &mut Decoded, position: usize) -> Result<(), WireError> {
        if !self.native.is_empty() && !self.add_native(out, position) {
            return Ok(());
        }
        if self.samples.is_empty() {
            return Ok(());
        }
        match out.batch.push_pairs(&mut self.labels, self.samples.iter().copied()) {
            Ok(()) => Ok(()),
            Err(BatchError::TooLarge) => Err(malformed("more than 4 GiB of labels or samples")),
            Err(BatchError::Labels(reason)) => {
                out.rejected.push(RejectedSeries { series: position, samples: self.samples.len(), reason: reason.to_string() });
                Ok(())
            }
        }
    }
}

impl Series<'_> {
    /// Adds histograms and exemplars; false where the series' labels are malformed and all is refused.
    #[cold]
    fn add_native(&mut self, out: &mut Decoded, position: usize) -> bool {
        let refused = |samples, reason| RejectedSeries { series: position, samples, reason };
        let Native { histograms, faults, ends, exemplars } = std::mem::take(&mut self.native);
        let labels = match labels_of(&mut self.labels) {
            Ok(labels) => labels,
            Err(reason) => {
                out.rejected.push(refused(self.samples.len() + histograms.len() + faults.len(), reason));
                return false;
            }
        };
        out.ends += ends;
        out.rejected.extend(faults.into_iter().map(|reason| refused(1, reason)));
        out.batch.histograms.extend(histograms.into_iter().map(|(t, h)| HistogramRow { labels: labels.clone(), t, histogram: Arc::new(h) }));
        for mut raw in exemplars {
            match labels_of(&mut raw.labels) {
                Ok(own) => {
                    let exemplar = Exemplar { labels: own, value: raw.value, t: raw.t };
                    out.batch.exemplars.push(ExemplarRow { labels: labels.clone(), exemplar });
                }
                Err(_) => out.bad_exemplars += 1,
            }
        }
        true
    }
}

impl Native<'_> {
    const fn is_empty(&self) -> bool {
        self.histograms.is_empty() && self.faults.is_empty() && self.ends == 0 && self.exemplars.is_empty()
    }
}

/// Labels of pairs in any order.
fn labels_of(pairs: &mut [(&[u8], &[u8])]) -> Result<Labels, String> {
    let mut canonical = Vec::new();
    encode_canonical(pairs, &mut canonical).and_then(|()| Labels::from_canonical(&canonical)).map_err(|e| e.to_string())
}

fn read_exemplar(mut rest: &[u8]) -> Result<RawExemplar<'_>, WireError> {
    let mut out = RawExemplar::default();
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Field::Bytes(bytes)) => out.labels.push(read_label(bytes)?),
            (2, Field::Fixed64(bits)) => out.value = f64::from_bits(bits),
            (3, Field::Varint(t)) => out.t = Timestamp(t.cast_signed()),
            (1..=3, _) => return Err(malformed("an exemplar has a field of another type")),
            _ => {}
        }
    }
    Ok(out)
}

/// Name, then value, both shorter than 128 bytes: what every sender writes.
#[inline]
fn usual_label(label: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, name_len @ ..=0x7f, rest @ ..] = label else { return None };
    let (name, rest) = rest.split_at_checked(usize::from(*name_len))?;
    let [0x12, value_len @ ..=0x7f, value @ ..] = rest else { return None };
    (value.len() == usize::from(*value_len)).then_some((name, value))
}

#[inline]
fn read_label(mut rest: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    if let Some(label) = usual_label(rest) {
        return Ok(label);
    }
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Field::Bytes(bytes)) => name = bytes,
            (2, Field::Bytes(bytes)) => value = bytes,
            (1 | 2, _) => return Err(malformed("a label is not text")),
            _ => {}
        }
    }
    Ok((name, value))
}

pub(super) fn read_sample(mut rest: &[u8]) -> Result<Sample, WireError> {
    let mut sample = Sample { t: Timestamp(0), v: 0.0 };
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Field::Fixed64(bits)) => sample.v = f64::from_bits(bits),
            (2, Field::Varint(t)) => sample.t = Timestamp(t.cast_signed()),
            (1 | 2, _) => return Err(malformed("a sample has a field of another type")),
            _ => {}
        }
    }
    Ok(sample)
}

/// A field's content. What no message here uses is skipped over and has no content.
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The next field. One of bytes with a low number and fewer than 128 of them is nearly all there is.
#[inline]
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Field<'a>), WireError> {
    if let [key @ ..=0x7f, len @ ..=0x7f, tail @ ..] = *rest
        && key & 7 == WireType::LengthDelimited as u8
        && *key >= 8
        && let Some((bytes, tail)) = tail.split_at_checked(usize::from(*len))
    {
        *rest = tail;
        return Ok((u32::from(key >> 3), Field::Bytes(bytes)));
    }
    any_field(rest)
}

fn any_field<'a>(rest: &mut &'a [u8]) -> Result<(u32, Field<'a>), WireError> {
    let broken = |source: DecodeError| WireError::Protobuf { message: MESSAGE, source };
    let (tag, wire_type) = decode_key(rest).map_err(broken)?;
    let field = match wire_type {
        WireType::Varint => Field::Varint(decode_varint(rest).map_err(broken)?),
        WireType::LengthDelimited => {
            let len = decode_varint(rest).map_err(broken)?;
            Field::Bytes(take(rest, usize::try_from(len).unwrap_or(usize::MAX))?)
        }
        WireType::SixtyFourBit => {
            let (bytes, tail) = rest.split_first_chunk::<8>().ok_or_else(|| malformed("it is cut short"))?;
            *rest = tail;
            Field::Fixed64(u64::from_le_bytes(*bytes))
        }
        WireType::ThirtyTwoBit => {
            take(rest, 4)?;
            Field::Other
        }
        WireType::StartGroup | WireType::EndGroup => return Err(malformed("it has groups")),
    };
    Ok((tag, field))
}

#[inline]
fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], WireError> {
    let (head, tail) = rest.split_at_checked(len).ok_or_else(|| malformed("it is cut short"))?;
    *rest = tail;
    Ok(head)
}

const fn malformed(reason: &'static str) -> WireError {
    WireError::Malformed { message: MESSAGE, reason }
}

fn meta_of(m: MetricMetadata) -> (String, MetricMeta) {
    (m.family, MetricMeta { kind: kind_of(m.kind), unit: m.unit, help: m.help, category: Category::Custom })
}

/// The type that a number stands for, in both versions.
pub(super) const fn kind_of(code: i32) -> MetricType {
    match code {
        1 => MetricType::Counter,
        2 | 6 | 7 => MetricType::Gauge,
        3 | 4 => MetricType::Histogram,
        5 => MetricType::Summary,
        _ => MetricType::Unknown,
    }
}

const fn code_of(kind: MetricType) -> i32 {
    match kind {
        MetricType::Unknown => 0,
        MetricType::Counter => 1,
        MetricType::Gauge => 2,
        MetricType::Histogram => 3,
        MetricType::Summary => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use proptest::prelude::*;

    fn rows(batch: &Batch) -> Vec<(Labels, Vec<(i64, u64)>)> {
        batch.series().map(|r| (Labels::from_canonical(r.labels).unwrap(), r.samples.iter().map(|s| (s.t.0, s.v.to_bits())).collect())).collect()
    }

    fn request(timeseries: Vec<protobuf::TimeSeries>) -> Vec<u8> {
        protobuf::WriteRequest { timeseries, metadata: Vec::new() }.encode_to_vec()
    }

    fn series(pairs: &[(&str, &str)], t: i64) -> protobuf::TimeSeries {
        protobuf::TimeSeries {
            labels: pairs.iter().map(|(n, v)| protobuf::Label { name: (*n).to_owned(), value: (*v).to_owned() }).collect(),
            samples: vec![protobuf::Sample { value: 1.0, timestamp: t }],
            ..protobuf::TimeSeries::default()
        }
    }

    #[test]
    fn a_series_with_bad_labels_is_listed_and_the_good_ones_are_kept() {
        let body = request(vec![
            series(&[("__name__", "good")], 1),
            series(&[("__name__", "bad"), ("x", "1"), ("x", "2")], 2),
            series(&[("", "bad")], 3),
            series(&[("z", "1"), ("__name__", "good too"), ("empty", "")], 4),
        ]);
        let decoded = decode(&body).unwrap();
        assert_eq!(decoded.rejected.iter().map(|r| r.series).collect::<Vec<_>>(), [1, 2]);
        assert!(decoded.rejected[0].reason.contains("\"x\""));
        let names: Vec<String> = rows(&decoded.batch).iter().map(|(l, _)| l.to_string()).collect();
        assert_eq!(names, ["good{}", "good too{z=\"1\"}"]);
    }

    #[test]
    fn unknown_fields_are_skipped() {
        let mut inner = series(&[("__name__", "a")], 1).encode_to_vec();
        inner.extend([0x98, 0x06, 0x07]);
        let mut body = vec![0x0a, u8::try_from(inner.len()).unwrap()];
        body.extend(inner);
        body.extend([0x3a, 0x02, 1, 2, 0x45, 0, 0, 0, 0]);
        let decoded = decode(&body).unwrap();
        assert_eq!((decoded.batch.sample_count(), decoded.batch.histograms.len()), (1, 0));
    }

    fn latency(t: i64) -> protobuf::Histogram {
        protobuf::Histogram {
            count: Some(protobuf::HistogramCount::CountInt(9)),
            sum: 18.4,
            schema: 1,
            zero_threshold: 0.001,
            zero_count: Some(protobuf::ZeroCount::ZeroCountInt(2)),
            positive_spans: vec![protobuf::BucketSpan { offset: 0, length: 2 }, protobuf::BucketSpan { offset: 1, length: 1 }],
            positive_deltas: vec![1, 1, -1],
            negative_spans: vec![protobuf::BucketSpan { offset: 0, length: 1 }],
            negative_deltas: vec![3],
            reset_hint: 2,
            timestamp: t,
            ..protobuf::Histogram::default()
        }
    }

    #[test]
    fn histograms_of_whole_numbers_and_of_floats_are_read_and_a_stale_one_ends_the_series() {
        let floats = protobuf::Histogram {
            count: Some(protobuf::HistogramCount::CountFloat(1.5)),
            schema: -53,
            custom_values: vec![0.5, 1.0],
            positive_spans: vec![protobuf::BucketSpan { offset: 0, length: 1 }],
            positive_counts: vec![1.5],
            timestamp: 2,
            ..protobuf::Histogram::default()
        };
        let stale = protobuf::Histogram { sum: stale_marker(), timestamp: 3, ..protobuf::Histogram::default() };
        let series = protobuf::TimeSeries { samples: Vec::new(), histograms: vec![latency(1), floats, stale], ..series(&[("__name__", "took")], 0) };
        let decoded = decode(&request(vec![series])).unwrap();
        let [whole, custom] = decoded.batch.histograms.as_slice() else { panic!("{decoded:?}") };
        assert_eq!((whole.labels.metric_name(), whole.t, custom.t), ("took", Timestamp(1), Timestamp(2)));
        assert_eq!((&whole.histogram.positive.counts[..], &whole.histogram.negative.counts[..]), (&[1.0, 2.0, 1.0][..], &[3.0][..]));
        assert_eq!((whole.histogram.count, whole.histogram.zero_count, whole.histogram.reset_hint), (9.0, 2.0, crate::model::ResetHint::NotReset));
        assert_eq!((custom.histogram.count, &custom.histogram.custom_values[..]), (1.5, &[0.5, 1.0][..]));
        assert_eq!((decoded.ends, rows(&decoded.batch)[0].1.as_slice()), (1, &[(3, crate::model::STALE_BITS)][..]));
    }

    #[test]
    fn a_malformed_histogram_is_refused_and_the_rest_is_kept() {
        let bad = [
            protobuf::Histogram { schema: 99, ..latency(1) },
            protobuf::Histogram { count: Some(protobuf::HistogramCount::CountInt(8)), ..latency(1) },
            protobuf::Histogram { positive_deltas: vec![1, -2, 1], ..latency(1) },
            protobuf::Histogram { positive_deltas: vec![1], ..latency(1) },
        ];
        let histograms = bad.into_iter().chain([latency(5)]).collect();
        let decoded = decode(&request(vec![protobuf::TimeSeries { histograms, ..series(&[("__name__", "took")], 7) }])).unwrap();
        assert_eq!((decoded.batch.histograms.len(), decoded.batch.sample_count(), decoded.rejected_samples()), (1, 1, 4));
        let said: Vec<&str> = decoded.rejected.iter().map(|r| r.reason.as_str()).collect();
        assert!(said[0].contains("schema") && said[1].contains("counts 8") && said[2].contains("negative") && said[3].contains("spans"), "{said:?}");
    }

    #[test]
    fn exemplars_come_along_and_a_malformed_one_refuses_nothing() {
        let label = |name: &str| protobuf::Label { name: name.into(), value: "abc".into() };
        let exemplars = vec![
            protobuf::Exemplar { labels: vec![label("trace_id")], value: 0.5, timestamp: 4 },
            protobuf::Exemplar { labels: vec![label("x"), label("x")], value: 0.5, timestamp: 4 },
        ];
        let decoded = decode(&request(vec![protobuf::TimeSeries { exemplars, ..series(&[("__name__", "took")], 7) }])).unwrap();
        assert_eq!((decoded.batch.exemplars.len(), decoded.bad_exemplars, decoded.rejected_samples()), (1, 1, 0));
        let ExemplarRow { labels, exemplar } = &decoded.batch.exemplars[0];
        assert_eq!((labels.metric_name(), exemplar.labels.get("trace_id"), exemplar.value, exemplar.t), ("took", Some("abc"), 0.5, Timestamp(4)));
    }

    #[test]
    fn metadata_comes_along() {
        let mut batch = Batch::new(Origin::Pushed);
        let meta = MetricMeta { kind: MetricType::Summary, unit: "seconds".into(), help: "How long.".into(), category: Category::Custom };
        batch.metadata.push(("took".into(), meta));
        assert_eq!(decode(&encode(&batch)).unwrap().batch.metadata, batch.metadata);
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back(all in proptest::collection::vec(("[a-z]{1,8}", "\\PC{0,8}", proptest::collection::vec((any::<i64>(), any::<u64>()), 1..4)), 0..8)) {
            let mut batch = Batch::new(Origin::Pushed);
            for (name, value, samples) in &all {
                let labels = Labels::from_pairs([("__name__", name.as_str()), ("x", value.as_str())]).unwrap();
                batch.push_series(&labels, samples.iter().map(|&(t, bits)| Sample { t: Timestamp(t), v: f64::from_bits(bits) }));
            }
            let decoded = decode(&encode(&batch)).unwrap();
            prop_assert_eq!(rows(&decoded.batch), rows(&batch));
        }

        #[test]
        fn garbage_never_panics(body: Vec<u8>) {
            let _ = decode(&body);
        }

        #[test]
        fn a_request_cut_anywhere_never_panics(cut in 0usize..60) {
            let body = request(vec![series(&[("__name__", "good"), ("a", "b")], 1), series(&[("__name__", "c")], 2)]);
            let _ = decode(body.get(..cut).unwrap_or(&body));
        }
    }
}
