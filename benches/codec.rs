//! How fast columns are encoded and decoded, and samples appended to head chunks.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use latido::model::Column;
use latido::store::chunk::HeadChunk;
use latido::store::codec::{decode_floats, decode_times, encode_floats, encode_times};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];

/// A scrape every 15 s, up to 4 ms late.
fn times(n: u32) -> Vec<i64> {
    (0..n).map(|i| 1_700_000_000_000 + i64::from(i) * 15_000 + i64::from(i * 7919 % 5)).collect()
}

fn shapes(n: u32) -> [(&'static str, Vec<f64>); 4] {
    [
        ("constant", vec![1.0; n as usize]),
        ("counter", (0..n).map(|i| f64::from(i * 731 + i * 7919 % 97)).collect()),
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

criterion_group!(benches, columns, values, head);
criterion_main!(benches);
