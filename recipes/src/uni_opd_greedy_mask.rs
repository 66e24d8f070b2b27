use limbeck::prelude::*;

/// Uni-OPD with its greedy margin mask in place of the shift.
///
/// arXiv 2605.03677, the alternative calibration of its section 4: the right answer with the lowest
/// return or the wrong one with the highest loses its rewards, whichever widens the margin more, until
/// the margin is `delta` or only a quarter of a class would be left. The other stages and constants
/// are those of `UniOpd`, and so are the differences.
#[recipe]
pub struct UniOpdGreedyMask {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    #[with(shape = Shape::Auto)]
    data: ByDifficulty,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    #[with(scope = Scope::Group, ratio = 1.0)]
    balance: ByOutcome,
    score: SampledToken,
    #[with(scope = Scope::Group, statistic = Statistic::Mean, delta = 0.4, retain = 0.25)]
    calibrate: MarginMask,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
