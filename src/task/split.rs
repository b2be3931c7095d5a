//! Work on many items on several processors at once, within one call: threads that end before it returns.

use std::num::NonZeroUsize;

/// Threads that one call may take beside its own: more queries than one run at a time.
const MAX_PARTS: usize = 4;

/// Applies `f` to contiguous parts of `items`, in order; to all of them at once where there are fewer than `least` per part.
pub fn in_parts<T: Send, R: Send>(items: Vec<T>, least: usize, f: impl Fn(Vec<T>) -> R + Sync) -> Vec<R> {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_PARTS);
    let parts = (items.len() / least.max(1)).clamp(1, processors);
    if parts == 1 {
        return vec![f(items)];
    }
    let size = items.len().div_ceil(parts);
    let mut rest = items;
    let mut split = Vec::with_capacity(parts);
    while rest.len() > size {
        let tail = rest.split_off(size);
        split.push(std::mem::replace(&mut rest, tail));
    }
    let f = &f;
    std::thread::scope(|scope| {
        let threads: Vec<_> = split.into_iter().map(|part| scope.spawn(move || f(part))).collect();
        let last = f(rest);
        let mut out = Vec::with_capacity(parts);
        for thread in threads {
            match thread.join() {
                Ok(result) => out.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        out.push(last);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_order_and_none_is_lost() {
        for length in [0, 1, 7, 1000] {
            let items: Vec<usize> = (0..length).collect();
            let parts = in_parts(items.clone(), 10, |part| part);
            assert_eq!(parts.concat(), items);
        }
    }
}
