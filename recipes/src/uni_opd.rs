use limbeck::prelude::*;

/// Uni-OPD: two experts into one student, balanced by what it explores, calibrated by what came out right.
///
/// arXiv 2605.03677. Offline difficulty-aware balancing and online correctness-aware balancing (section
/// 3), outcome-guided margin calibration (section 4): where right answers of a prompt do not return at
/// least `delta` more than wrong ones, the missing margin is spread over both.
///
/// Constants are those of the paper's text-domain runs: groups of 16, ratio 1 within the group, mean
/// margin 0.4 in both directions, clip 0.2 / 0.28, gap mask 10, Adam (0.9, 0.98) at 1e-6 with 5
/// warm-up steps and weight decay 0.1; 64 prompts a step. Where we differ: a prompt is copied at most 4
/// times offline (the release has no code for it), and gradients are clipped to norm 1. At the
/// scale of a small student, `delta`, `gap_mask` and `lr` want other values: see the example runs.
#[recipe]
pub struct UniOpd {
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
    #[with(scope = Scope::Group, statistic = Statistic::Mean, delta = 0.4, direction = Direction::Both)]
    calibrate: MarginShift,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
