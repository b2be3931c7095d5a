//! Remote write 2.0: an `io.prometheus.write.v2.Request` becomes a `Batch`. Labels, help and units are
//! numbers of a table of symbols; histograms are as in version 1.

use std::collections::HashSet;

use prost::encoding::decode_varint;

use super::WireError;
use super::remote_write::{Decoded, Field, Pair, RawExemplar, Series, kind_of, next, read_sample};
use crate::model::{Batch, Category, METRIC_NAME, MetricMeta, MetricType, Origin, Timestamp};

const MESSAGE: &str = "io.prometheus.write.v2.Request";

/// Reads an uncompressed request. Unknown fields are skipped.
///
/// # Errors
/// The bytes are not such a request, a number is not in the table of symbols, or more than 4 GiB of labels.
pub fn decode(body: &[u8]) -> Result<Decoded, WireError> {
    read(body).map_err(|error| match error {
        WireError::Protobuf { source, .. } => WireError::Protobuf { message: MESSAGE, source },
        WireError::Malformed { reason, .. } => malformed(reason),
        other => other,
    })
}

const fn malformed(reason: &'static str) -> WireError {
    WireError::Malformed { message: MESSAGE, reason }
}

fn read(body: &[u8]) -> Result<Decoded, WireError> {
    let mut symbols = Vec::new();
    let mut all = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        match next(&mut rest)? {
            (4, Field::Bytes(bytes)) => symbols.push(bytes),
            (5, Field::Bytes(bytes)) => all.push(bytes),
            (4 | 5, _) => return Err(malformed("a symbol or a series is of another type")),
            _ => {}
        }
    }
    let mut out = Decoded { batch: Batch::new(Origin::Pushed), ..Decoded::default() };
    let mut reader = Reader { symbols, described: HashSet::new(), series: Series::default() };
    for (position, bytes) in all.into_iter().enumerate() {
        reader.series(bytes, &mut out)?;
        reader.series.add_to(&mut out, position)?;
    }
    Ok(out)
}

struct Reader<'a> {
    symbols: Vec<&'a [u8]>,
    /// Metrics whose metadata was taken.
    described: HashSet<String>,
    series: Series<'a>,
}

impl<'a> Reader<'a> {
    fn series(&mut self, mut rest: &'a [u8], out: &mut Decoded) -> Result<(), WireError> {
        self.series.clear();
        let mut refs = Vec::new();
        let mut metadata = None;
        while !rest.is_empty() {
            match next(&mut rest)? {
                (1, field) => take_refs(field, &mut refs)?,
                (2, Field::Bytes(bytes)) => self.series.samples.push(read_sample(bytes)?),
                (3, Field::Bytes(bytes)) => self.series.take_histogram(bytes, MESSAGE)?,
                (4, Field::Bytes(bytes)) => {
                    let exemplar = self.exemplar(bytes)?;
                    self.series.native.exemplars.push(exemplar);
                }
                (5, Field::Bytes(bytes)) => metadata = Some(bytes),
                (2..=5, _) => return Err(malformed("a field of a series is not a message")),
                _ => {}
            }
        }
        self.series.labels = self.pairs(&refs)?;
        metadata.map_or(Ok(()), |bytes| self.metadata(bytes, out))
    }

    /// Names and values stand in turn.
    fn pairs(&self, refs: &[u64]) -> Result<Vec<Pair<'a>>, WireError> {
        let pairs = refs.chunks(2).map(|pair| match pair {
            [name, value] => Ok((self.symbol(*name)?, self.symbol(*value)?)),
            _ => Err(malformed("a label has a name and no value")),
        });
        pairs.collect()
    }

    fn symbol(&self, number: u64) -> Result<&'a [u8], WireError> {
        let found = usize::try_from(number).ok().and_then(|n| self.symbols.get(n));
        found.copied().ok_or_else(|| malformed("a number is not in the table of symbols"))
    }

    fn text(&self, number: u64) -> Result<String, WireError> {
        Ok(String::from_utf8_lossy(self.symbol(number)?).into_owned())
    }

    fn exemplar(&self, mut rest: &'a [u8]) -> Result<RawExemplar<'a>, WireError> {
        let mut out = RawExemplar::default();
        let mut refs = Vec::new();
        while !rest.is_empty() {
            match next(&mut rest)? {
                (1, field) => take_refs(field, &mut refs)?,
                (2, Field::Fixed64(bits)) => out.value = f64::from_bits(bits),
                (3, Field::Varint(t)) => out.t = Timestamp(t.cast_signed()),
                (2 | 3, _) => return Err(malformed("an exemplar has a field of another type")),
                _ => {}
            }
        }
        out.labels = self.pairs(&refs)?;
        Ok(out)
    }

    /// Takes type, help and unit once for each metric.
    fn metadata(&mut self, mut rest: &[u8], out: &mut Decoded) -> Result<(), WireError> {
        let (mut kind, mut help, mut unit) = (0, 0, 0);
        while !rest.is_empty() {
            match next(&mut rest)? {
                (1, Field::Varint(code)) => kind = i32::try_from(code).unwrap_or(0),
                (3, Field::Varint(number)) => help = number,
                (4, Field::Varint(number)) => unit = number,
                (1 | 3 | 4, _) => return Err(malformed("metadata have a field of another type")),
                _ => {}
            }
        }
        let kind = kind_of(kind);
        let name = self.series.labels.iter().find(|(name, _)| *name == METRIC_NAME.as_bytes()).map_or(&b""[..], |(_, value)| value);
        let family = family(&String::from_utf8_lossy(name), kind).to_owned();
        let says_something = kind != MetricType::Unknown || help != 0 || unit != 0;
        if says_something && !family.is_empty() && self.described.insert(family.clone()) {
            let meta = MetricMeta { kind, unit: self.text(unit)?, help: self.text(help)?, category: Category::Custom };
            out.batch.metadata.push((family, meta));
        }
        Ok(())
    }
}

/// Numbers of symbols, packed or one by one.
fn take_refs(field: Field<'_>, refs: &mut Vec<u64>) -> Result<(), WireError> {
    match field {
        Field::Varint(number) => refs.push(number),
        Field::Bytes(mut packed) => {
            while !packed.is_empty() {
                refs.push(decode_varint(&mut packed).map_err(|source| WireError::Protobuf { message: MESSAGE, source })?);
            }
        }
        _ => return Err(malformed("labels are not numbers of symbols")),
    }
    Ok(())
}

/// The metric that a series of a classic histogram or summary belongs to.
fn family(name: &str, kind: MetricType) -> &str {
    if !matches!(kind, MetricType::Histogram | MetricType::Summary) {
        return name;
    }
    ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::model::Labels;
    use crate::wire::protobuf::{Histogram, HistogramCount, Sample};

    #[derive(Clone, PartialEq, prost::Message)]
    struct Request {
        #[prost(string, repeated, tag = "4")]
        symbols: Vec<String>,
        #[prost(message, repeated, tag = "5")]
        timeseries: Vec<TimeSeries>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct TimeSeries {
        #[prost(uint32, repeated, tag = "1")]
        labels: Vec<u32>,
        #[prost(message, repeated, tag = "2")]
        samples: Vec<Sample>,
        #[prost(message, repeated, tag = "3")]
        histograms: Vec<Histogram>,
        #[prost(message, repeated, tag = "4")]
        exemplars: Vec<Exemplar>,
        #[prost(message, optional, tag = "5")]
        metadata: Option<Metadata>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Exemplar {
        #[prost(uint32, repeated, tag = "1")]
        labels: Vec<u32>,
        #[prost(double, tag = "2")]
        value: f64,
        #[prost(int64, tag = "3")]
        timestamp: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Metadata {
        #[prost(int32, tag = "1")]
        kind: i32,
        #[prost(uint32, tag = "3")]
        help: u32,
        #[prost(uint32, tag = "4")]
        unit: u32,
    }

    fn request() -> Request {
        let symbols = ["", "__name__", "took_bucket", "job", "api", "How long.", "seconds", "trace_id", "abc"];
        let series = TimeSeries {
            labels: vec![3, 4, 1, 2],
            samples: vec![Sample { value: 7.0, timestamp: 5 }],
            histograms: vec![Histogram { count: Some(HistogramCount::CountInt(0)), timestamp: 6, ..Histogram::default() }],
            exemplars: vec![Exemplar { labels: vec![7, 8], value: 0.5, timestamp: 4 }],
            metadata: Some(Metadata { kind: 3, help: 5, unit: 6 }),
        };
        Request { symbols: symbols.map(str::to_owned).to_vec(), timeseries: vec![series] }
    }

    #[test]
    fn symbols_become_labels_metadata_and_exemplars() {
        let decoded = decode(&request().encode_to_vec()).unwrap();
        let want = Labels::from_pairs([("__name__", "took_bucket"), ("job", "api")]).unwrap();
        let row = decoded.batch.series().next().unwrap();
        assert_eq!((Labels::from_canonical(row.labels).unwrap(), row.samples[0].v), (want.clone(), 7.0));
        assert_eq!((&decoded.batch.histograms[0].labels, decoded.batch.histograms[0].t), (&want, Timestamp(6)));
        assert_eq!(decoded.batch.exemplars[0].exemplar.labels.get("trace_id"), Some("abc"));
        let (family, meta) = &decoded.batch.metadata[0];
        assert_eq!((family.as_str(), meta.kind, meta.help.as_str(), meta.unit.as_str()), ("took", MetricType::Histogram, "How long.", "seconds"));
    }

    #[test]
    fn a_number_beyond_the_symbols_is_refused() {
        let mut bad = request();
        bad.timeseries[0].labels = vec![1, 99];
        assert!(decode(&bad.encode_to_vec()).unwrap_err().to_string().contains("table of symbols"));
        bad.timeseries[0].labels = vec![1];
        assert!(decode(&bad.encode_to_vec()).is_err());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body: Vec<u8>) {
            let _ = decode(&body);
        }

        #[test]
        fn a_request_cut_or_changed_anywhere_never_panics(at: prop::sample::Index, byte: u8) {
            let mut body = request().encode_to_vec();
            let at = at.index(body.len());
            let _ = decode(&body[..at]);
            body[at] = byte;
            let _ = decode(&body);
        }
    }
}
