use limbeck::prelude::*;

use crate::Dopd;

/// DOPD without its hindsight as a source: LL and HS tokens do not learn.
///
/// arXiv 2606.30626, components (C-Eval / LiveBench): 70.4 / 47.9 against 71.3 / 49.8 for the whole.
/// That they have no loss, and are not routed to the teacher, is our inference.
#[recipe(base = Dopd)]
pub struct NoStudentSource {
    #[with(learn = RegimeSet { lh: true, ll: false, ht: true, hs: false })]
    loss: _,
}

/// DOPD without its teacher as a source: LH and HT tokens do not learn.
///
/// arXiv 2606.30626, components (C-Eval / LiveBench): 65.9 / 41.2 against 71.3 / 49.8 for the whole.
/// That they have no loss, and are not routed to the hindsight, is our inference.
#[recipe(base = Dopd)]
pub struct NoTeacherSource {
    #[with(learn = RegimeSet { lh: false, ll: true, ht: false, hs: true })]
    loss: _,
}

/// DOPD with one objective: HT tokens by the reverse KL too, still over the whole vocabulary.
///
/// arXiv 2606.30626, components (C-Eval / LiveBench): 70.0 / 46.7 against 71.3 / 49.8 for the whole.
/// Which one is our inference.
#[recipe(base = Dopd)]
pub struct OneObjective {
    #[with(strong = Divergence::ReverseKl)]
    loss: _,
}

/// DOPD with one granularity: HT tokens over the top K too, still by Jensen-Shannon.
///
/// arXiv 2606.30626, components (C-Eval / LiveBench): 70.8 / 46.1 against 71.3 / 49.8 for the whole.
/// Which one is our inference.
#[recipe(base = Dopd)]
pub struct OneGranularity {
    #[with(strong_whole = false)]
    loss: _,
}
