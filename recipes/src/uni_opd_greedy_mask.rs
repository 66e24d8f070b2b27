use limbeck::prelude::*;

use crate::UniOpd;

/// Uni-OPD with its greedy margin mask in place of the shift.
///
/// arXiv 2605.03677, the alternative calibration of its section 4: the right answer with the lowest
/// return or the wrong one with the highest loses its rewards, whichever widens the margin more, until
/// the margin is `delta` or only a quarter of a class would be left. The other stages and constants
/// are those of `UniOpd`, and so are the differences.
#[recipe(base = UniOpd)]
pub struct UniOpdGreedyMask {
    #[with(scope = Scope::Group, statistic = Statistic::Mean, delta = 0.4, retain = 0.25)]
    calibrate: MarginMask,
}
