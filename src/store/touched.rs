//! Which times were written to of late, so that whoever keeps an answer can tell whether newer data
//! would change it. Knows no series: one old sample counts for all of them.
//!
//! Writes are numbered. Kept is, for each number, the oldest time of it and of all later ones; what
//! a later write undercuts is dropped, so times rise with the numbers and a question is one search.

use std::collections::VecDeque;

use crate::model::Timestamp;

/// Writes that are remembered: an hour of them at one a second.
const REMEMBERED: usize = 4096;

/// The oldest times of the newest writes.
#[derive(Debug, Default)]
pub(super) struct Touched {
    newest: u64,
    /// Write and oldest time of it and all later ones; both rise.
    writes: VecDeque<(u64, Timestamp)>,
    /// Of writes up to this one nothing is known any more.
    forgotten: u64,
}

impl Touched {
    /// Notes a write whose oldest sample is at `oldest`; without samples nothing is noted.
    pub(super) fn note(&mut self, oldest: Option<Timestamp>) {
        let Some(oldest) = oldest else { return };
        self.newest += 1;
        while self.writes.back().is_some_and(|(_, t)| *t >= oldest) {
            self.writes.pop_back();
        }
        self.writes.push_back((self.newest, oldest));
        if self.writes.len() > REMEMBERED
            && let Some((write, _)) = self.writes.pop_front()
        {
            self.forgotten = write;
        }
    }

    /// The number of the newest write.
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// The oldest time that was written to after `write`.
    pub(super) fn since(&self, write: u64) -> Option<Timestamp> {
        if write >= self.newest {
            return None;
        }
        if write < self.forgotten {
            return Some(Timestamp::MIN);
        }
        let at = self.writes.partition_point(|(number, _)| *number <= write);
        self.writes.get(at).map(|(_, t)| *t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(times: &[i64]) -> Touched {
        let mut touched = Touched::default();
        times.iter().for_each(|t| touched.note(Some(Timestamp(*t))));
        touched
    }

    #[test]
    fn the_oldest_time_since_a_write_is_told() {
        let touched = noted(&[10, 20, 15, 30]);
        let answers: Vec<Option<i64>> = (0..5).map(|write| touched.since(write).map(|t| t.0)).collect();
        assert_eq!(answers, [Some(10), Some(15), Some(15), Some(30), None]);
    }

    #[test]
    fn a_write_without_samples_is_none() {
        let mut touched = noted(&[10]);
        touched.note(None);
        assert_eq!((touched.newest(), touched.since(1)), (1, None));
    }

    #[test]
    fn what_is_forgotten_may_have_touched_everything() {
        let times: Vec<i64> = (0..REMEMBERED as i64 + 10).collect();
        let touched = noted(&times);
        assert_eq!(touched.since(3), Some(Timestamp::MIN));
        assert_eq!(touched.since(REMEMBERED as u64), Some(Timestamp(REMEMBERED as i64)));
    }
}
