use limbeck::prelude::*;

use crate::Dopd;

/// Distillation from the hinted teacher without the fifth of the tokens that have the largest gaps.
///
/// arXiv 2606.30626, pruning study: about half of the gain is lost by step 100 (LiveBench). The paper prunes plain
/// on-policy distillation; which of its teachers reads hints there is our inference.
#[recipe(base = Dopd)]
pub struct PruneHighest {
    #[with(keep = 0)]
    score: _,
    #[with(share = 0.2, which = Pruned::Highest)]
    route: PruneByGap,
    loss: ReverseKl,
}

/// Distillation from the hinted teacher without the fifth of the tokens that have the smallest gaps.
///
/// arXiv 2606.30626, pruning study: about as good as without pruning.
#[recipe(base = PruneHighest)]
pub struct PruneLowest {
    #[with(which = Pruned::Lowest)]
    route: _,
}

/// Distillation from the hinted teacher without a fifth of the tokens, any.
///
/// arXiv 2606.30626, pruning study: about as good as without pruning.
#[recipe(base = PruneHighest)]
pub struct PruneRandom {
    #[with(which = Pruned::Random)]
    route: _,
}
