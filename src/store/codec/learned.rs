//! The table behind `priors`: for each state how likely no is (ten bits) and how sure that is (six).

/// All states.
pub(super) const LEARNED: [u16; 2734] = [512 << 6; 2734];
