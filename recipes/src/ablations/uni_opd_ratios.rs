use limbeck::prelude::*;

use crate::UniOpd;

/// Uni-OPD with one right answer to two wrong ones.
///
/// arXiv 2605.03677, sweep of the ratio: 42.0 / 58.1 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct RatioHalf {
    #[with(ratio = 0.5)]
    balance: _,
}

/// Uni-OPD with three right answers to four wrong ones.
///
/// arXiv 2605.03677, sweep of the ratio: 43.5 / 58.6 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct RatioThreeQuarters {
    #[with(ratio = 0.75)]
    balance: _,
}

/// Uni-OPD with six right answers to five wrong ones.
///
/// arXiv 2605.03677, sweep of the ratio: 43.4 / 60.6 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct RatioSixFifths {
    #[with(ratio = 1.2)]
    balance: _,
}

/// Uni-OPD with three right answers to two wrong ones.
///
/// arXiv 2605.03677, sweep of the ratio: 43.2 / 59.2 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct RatioThreeHalves {
    #[with(ratio = 1.5)]
    balance: _,
}

/// Uni-OPD with two right answers to one wrong one.
///
/// arXiv 2605.03677, sweep of the ratio: 42.4 / 58.5 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct RatioTwo {
    #[with(ratio = 2.0)]
    balance: _,
}

/// Uni-OPD with right answers only, wherever there are both.
///
/// arXiv 2605.03677, sweep of the ratio: 40.9 / 57.3 (math / code) against 43.8 / 60.4 at ratio 1.
#[recipe(base = UniOpd)]
pub struct OnlyCorrect {
    #[with(ratio = f64::INFINITY)]
    balance: _,
}
