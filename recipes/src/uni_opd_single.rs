use limbeck::prelude::*;

/// Uni-OPD with one teacher for every prompt.
///
/// arXiv 2605.03677, its single-teacher and strong-to-weak settings: the stages and constants of
/// `UniOpd`, and no routing by domain. Where we differ is where `UniOpd` differs.
#[recipe]
pub struct UniOpdSingle {
    #[teacher]
    teacher: Frozen,

    #[with(shape = Shape::Auto)]
    data: ByDifficulty,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    #[with(scope = Scope::Group, ratio = 1.0)]
    balance: ByOutcome,
    score: SampledToken,
    #[with(scope = Scope::Group, statistic = Statistic::Mean, delta = 0.4, direction = Direction::Both)]
    calibrate: MarginShift,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
