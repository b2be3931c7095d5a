//! Compensated sums and means, as Prometheus adds up.

/// A sum that keeps what each addition loses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, v: f64) {
        let t = self.sum + v;
        if t.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= v.abs() {
            self.lost += (self.sum - t) + v;
        } else {
            self.lost += (v - t) + self.sum;
        }
        self.sum = t;
    }

    pub(super) fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// A mean that turns to incremental calculation where the sum would overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    acc: Sum,
    count: f64,
    incremental: bool,
}

impl Mean {
    pub(super) fn add(&mut self, v: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut next = self.acc;
            next.add(v);
            if self.count == 1.0 || !next.sum.is_infinite() {
                self.acc = next;
                return;
            }
            self.incremental = true;
            self.acc.sum /= self.count - 1.0;
            self.acc.lost /= self.count - 1.0;
        }
        let q = (self.count - 1.0) / self.count;
        self.acc.sum *= q;
        self.acc.lost *= q;
        self.acc.add(v / self.count);
    }

    pub(super) fn value(self) -> f64 {
        if self.incremental { self.acc.value() } else { self.acc.sum / self.count + self.acc.lost / self.count }
    }
}

/// Variance in one pass (Welford), compensated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variance {
    count: f64,
    mean: Sum,
    aux: Sum,
}

impl Variance {
    pub(super) fn add(&mut self, v: f64) {
        self.count += 1.0;
        let delta = v - self.mean.value();
        self.mean.add(delta / self.count);
        self.aux.add(delta * (v - self.mean.value()));
    }

    pub(super) fn value(self) -> f64 {
        self.aux.value() / self.count
    }
}

/// The φ-quantile of unsorted values by linear interpolation; NaN of none.
pub(super) fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    // NaN sorts before everything.
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
    });
    let last = values.len() - 1;
    let rank = phi * last as f64;
    let lower = (rank.floor() as usize).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}
