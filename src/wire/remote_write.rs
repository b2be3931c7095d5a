//! Remote write v1: a `prometheus.WriteRequest` becomes a `Batch`.
//!
//! The bytes are walked once with prost's primitives. Labels stay borrowed slices of the body until
//! the batch copies them into its arena, so a request allocates per batch and not per label. Knows
//! neither limits nor which times are wanted: that is `ingest`'s.

use prost::encoding::{WireType, decode_key, decode_varint};
use prost::{DecodeError, Message as _};

use super::WireError;
use super::protobuf::{self, MetricMetadata};
use crate::model::{Batch, BatchError, Category, MetricMeta, MetricType, Origin, Sample, Timestamp};

const MESSAGE: &str = "prometheus.WriteRequest";

/// What a request holds.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The good series, and metadata.
    pub batch: Batch,
    /// Series that could not be taken, in order of arrival.
    pub rejected: Vec<RejectedSeries>,
    /// Native histograms, which are not stored.
    pub histograms: usize,
    /// Exemplars, which are not stored.
    pub exemplars: usize,
}

/// A series whose labels are malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedSeries {
    /// Its position in the request.
    pub series: usize,
    /// How many samples it has.
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

/// Writes an uncompressed request, in the batch's order.
#[must_use]
pub fn encode(batch: &Batch) -> Vec<u8> {
    let label = |(name, value): (&str, &str)| protobuf::Label { name: name.to_owned(), value: value.to_owned() };
    let timeseries = batch
        .series()
        .map(|row| protobuf::TimeSeries {
            // A batch holds canonical bytes only, so this default is never taken.
            labels: crate::model::Labels::from_canonical(row.labels).unwrap_or_default().iter().map(label).collect(),
            samples: row.samples.iter().map(|s| protobuf::Sample { value: s.v, timestamp: s.t.millis() }).collect(),
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
struct Series<'a> {
    labels: Vec<(&'a [u8], &'a [u8])>,
    samples: Vec<Sample>,
    histograms: usize,
    exemplars: usize,
}

impl<'a> Series<'a> {
    fn read(&mut self, mut rest: &'a [u8]) -> Result<(), WireError> {
        self.labels.clear();
        self.samples.clear();
        self.histograms = 0;
        self.exemplars = 0;
        while !rest.is_empty() {
            match next(&mut rest)? {
                (1, Field::Bytes(bytes)) => self.labels.push(read_label(bytes)?),
                (2, Field::Bytes(bytes)) => self.samples.push(read_sample(bytes)?),
                (3, Field::Bytes(_)) => self.exemplars += 1,
                (4, Field::Bytes(_)) => self.histograms += 1,
                (1..=4, _) => return Err(malformed("a field of a series is not a message")),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_to(&mut self, out: &mut Decoded, position: usize) -> Result<(), WireError> {
        out.histograms += self.histograms;
        out.exemplars += self.exemplars;
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

fn read_sample(mut rest: &[u8]) -> Result<Sample, WireError> {
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
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The next field. One of bytes with a low number and fewer than 128 of them is nearly all there is.
#[inline]
fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Field<'a>), WireError> {
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
    let kind = match m.kind {
        1 => MetricType::Counter,
        2 | 6 | 7 => MetricType::Gauge,
        3 | 4 => MetricType::Histogram,
        5 => MetricType::Summary,
        _ => MetricType::Unknown,
    };
    (m.family, MetricMeta { kind, unit: m.unit, help: m.help, category: Category::Custom })
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
    fn unknown_fields_are_skipped_and_histograms_counted() {
        let mut inner = series(&[("__name__", "a")], 1).encode_to_vec();
        inner.extend([0x22, 0x01, 0x08, 0x1a, 0x00, 0x98, 0x06, 0x07]);
        let mut body = vec![0x0a, u8::try_from(inner.len()).unwrap()];
        body.extend(inner);
        body.extend([0x3a, 0x02, 1, 2, 0x45, 0, 0, 0, 0]);
        let decoded = decode(&body).unwrap();
        assert_eq!((decoded.histograms, decoded.exemplars, decoded.batch.sample_count()), (1, 1, 1));
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
