//! Remote write 1.0 by hand: the protobuf message `WriteRequest` with one field after the other,
//! then snappy's block format.

/// One series with its samples as `(milliseconds, value)`.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    labels: Vec<(String, String)>,
    pub(crate) samples: Vec<(i64, f64)>,
}

impl Pushed {
    /// A series of this name; labels may come in any order.
    pub(crate) fn new(name: &str, labels: &[(&str, &str)], samples: Vec<(i64, f64)>) -> Self {
        let mut all = vec![("__name__".to_owned(), name.to_owned())];
        all.extend(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        all.sort();
        Self { labels: all, samples }
    }

    fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.labels {
            let mut label = Vec::new();
            bytes_field(&mut label, 1, name.as_bytes());
            bytes_field(&mut label, 2, value.as_bytes());
            bytes_field(&mut out, 1, &label);
        }
        for (time, value) in &self.samples {
            // Field 1 is a double (wire type 1), field 2 an int64 (wire type 0).
            let mut sample = vec![1 << 3 | 1];
            sample.extend(value.to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, u64::from_ne_bytes(time.to_ne_bytes()));
            bytes_field(&mut out, 2, &sample);
        }
        out
    }
}

/// The body of one request.
pub(crate) fn remote_write_body(series: &[Pushed]) -> Vec<u8> {
    let mut message = Vec::new();
    for one in series {
        bytes_field(&mut message, 1, &one.message());
    }
    snap::raw::Encoder::new().compress_vec(&message).expect("a small body compresses")
}

fn bytes_field(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
