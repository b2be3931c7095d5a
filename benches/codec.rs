//! How fast columns and buckets are encoded and decoded, and samples appended to head chunks.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use latido::model::{Bucket, BucketColumns, Column, Sample, Timestamp};
use latido::store::chunk::HeadChunk;
use latido::store::codec::{decode_buckets, decode_floats, decode_frame, decode_times, encode_buckets, encode_floats, encode_frame, encode_times};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];

/// A scrape every 15 s, up to 4 ms late.
fn times(n: u32) -> Vec<i64> {
    (0..n).map(|i| 1_700_000_000_000 + i64::from(i) * 15_000 + i64::from(i * 7919 % 5)).collect()
}

fn shapes(n: u32) -> [(&'static str, Vec<f64>); 5] {
    [
        ("constant", vec![1.0; n as usize]),
        ("counter", (0..n).map(|i| f64::from(i * 731 + i * 7919 % 97)).collect()),
        ("steps", (0..n).map(|i| f64::from(i / 40 + i * 7919 % 97 / 90)).collect()),
        ("gauge", (0..n).map(|i| f64::from(i * 7919 % 1009) / 100.0).collect()),
        ("sine", (0..n).map(|i| (f64::from(i) / 100.0).sin()).collect()),
    ]
}

fn columns(c: &mut Criterion) {
    let mut group = c.benchmark_group("times");
    for n in SIZES {
        let column = times(n);
        let mut bytes = Vec::new();
        encode_times(&column, &mut bytes);
        group.throughput(Throughput::Elements(u64::from(n)));
        group.bench_function(BenchmarkId::new("encode", n), |b| {
            b.iter(|| {
                let mut out = Vec::new();
                encode_times(black_box(&column), &mut out);
                out
            });
        });
        group.bench_function(BenchmarkId::new("decode", n), |b| b.iter(|| decode_times(black_box(&bytes))));
    }
    group.finish();
}

fn values(c: &mut Criterion) {
    let mut group = c.benchmark_group("floats");
    for n in SIZES {
        group.throughput(Throughput::Elements(u64::from(n)));
        for (shape, column) in shapes(n) {
            let mut bytes = Vec::new();
            encode_floats(&column, &mut bytes);
            group.bench_function(BenchmarkId::new(format!("encode {shape}"), n), |b| {
                b.iter(|| {
                    let mut out = Vec::new();
                    encode_floats(black_box(&column), &mut out);
                    out
                });
            });
            group.bench_function(BenchmarkId::new(format!("decode {shape}"), n), |b| b.iter(|| decode_floats(black_box(&bytes))));
        }
    }
    group.finish();
}

/// Four samples a bucket, as a scrape every 15 s leaves in a minute.
fn rolled(column: &[f64]) -> BucketColumns {
    let bucket = |(chunk, minute): (&[f64], i64)| {
        let end = minute * 60_000;
        Bucket::of(Timestamp(end), chunk.iter().zip(0..).map(|(v, i)| Sample { t: Timestamp(end - 45_000 + i * 15_000), v: *v }))
    };
    column.chunks(4).zip(1..).filter_map(bucket).collect()
}

fn buckets(c: &mut Criterion) {
    let mut group = c.benchmark_group("buckets");
    let n = 1_440;
    group.throughput(Throughput::Elements(n));
    for (shape, column) in shapes(n as u32 * 4) {
        let columns = rolled(&column);
        let (mut frame, mut values) = (Vec::new(), Vec::new());
        encode_frame(&columns, Duration::from_secs(60), &mut frame);
        encode_buckets(&columns, &mut values);
        group.bench_function(format!("encode {shape}"), |b| {
            b.iter(|| {
                let mut out = Vec::new();
                encode_buckets(black_box(&columns), &mut out);
                out
            });
        });
        let frame = decode_frame(&frame).ok();
        group.bench_function(format!("decode {shape}"), |b| b.iter(|| decode_buckets(black_box(&values), frame.clone())));
    }
    group.finish();
}

fn filled(column: &[f64]) -> HeadChunk {
    let mut chunk = HeadChunk::new();
    for (v, t) in column.iter().zip(0_i64..) {
        chunk.push(1_700_000_000_000 + t * 15_000, *v);
    }
    chunk
}

fn head(c: &mut Criterion) {
    let mut group = c.benchmark_group("head");
    for n in SIZES {
        group.throughput(Throughput::Elements(u64::from(n)));
        for (shape, column) in shapes(n) {
            let chunk = filled(&column);
            group.bench_function(BenchmarkId::new(format!("push {shape}"), n), |b| b.iter(|| filled(black_box(&column))));
            group.bench_function(BenchmarkId::new(format!("decode {shape}"), n), |b| {
                b.iter(|| {
                    let mut out = Column::default();
                    chunk.decode_into(&mut out);
                    out
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, columns, values, buckets, head);
criterion_main!(benches);
